"""Any bytes -> how decoding them ends, in one word.

Here is the one place that knows which way the tests of hostile files go: through `worker.decode` in a child
of this process, with a limit of time and of memory.
"""

import os
import resource
import select
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from shared.errors import JobFailure
from worker.decode import decode
from worker.song import Hearing

OK = "ok"
SAMPLE_RATE = 22_050  # Hz
_MEMORY_BYTES = 2**30  # over what the child has when it begins


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """How one file ended, and what it cost."""

    outcome: str  # "ok", the code of a JobFailure, or words with a blank in them where neither came
    seconds: float
    peak_bytes: int  # resident, over what the child was born with

    @property
    def is_good(self) -> bool:
        """Whether this is an answer or a typed error."""
        return " " not in self.outcome


def attempt(data: bytes, *, max_seconds: float = 900, limit_seconds: float = 30) -> str:
    """ "ok" or the code of the error that decoding `data` ends with; else what happened, in words.

    max_seconds: of audio; limit_seconds: of the clock.
    """
    return attempted(data, max_seconds=max_seconds, limit_seconds=limit_seconds).outcome


def attempted(data: bytes, *, max_seconds: float = 900, limit_seconds: float = 30) -> Attempt:
    """As `attempt`, with what it cost."""
    reader, writer = os.pipe()
    begun = time.monotonic()
    born_with = _resident_bytes()
    child = os.fork()
    if not child:
        os.close(reader)
        _die_after_telling(data, max_seconds, writer)
    os.close(writer)
    try:
        in_time = bool(select.select([reader], [], [], limit_seconds)[0])
        said = os.read(reader, 4_096).decode() if in_time else ""
    finally:
        os.close(reader)
        if not in_time:
            os.kill(child, signal.SIGKILL)
        _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - begun
    outcome = said or _how_it_died(status, in_time)
    return Attempt(outcome=outcome, seconds=seconds, peak_bytes=max(0, usage.ru_maxrss * 1024 - born_with))


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _how_it_died(status: int, in_time: bool) -> str:
    if not in_time:
        return "no end in time"
    return (
        f"died of {signal.Signals(os.WTERMSIG(status)).name}" if os.WIFSIGNALED(status) else "died silently"
    )


def _die_after_telling(data: bytes, max_seconds: float, writer: int) -> None:
    """In the child, which must never return into the test run."""
    try:
        born_with = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()  # noqa: SIM115, PTH123
        resource.setrlimit(resource.RLIMIT_AS, (born_with + _MEMORY_BYTES,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.write(writer, _outcome(data, max_seconds).encode())
        # What was corrupted may show only when everything is given back, so that comes before the end.
    finally:
        os._exit(0)


def _outcome(data: bytes, max_seconds: float) -> str:
    # A real file, as the sandbox' children have it: it refuses what one in memory lets pass.
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(data)
        return _outcome_of(file, max_seconds)


def _outcome_of(file: BinaryIO, max_seconds: float) -> str:
    hearing = Hearing(SAMPLE_RATE)
    try:
        audio = decode(file, sample_rate=SAMPLE_RATE, max_seconds=max_seconds)
        hearing.feed(audio.waveform)
        hearing.check()
    except JobFailure as error:
        return error.code
    except BaseException as error:  # noqa: BLE001
        return f"untyped {type(error).__name__}: {error}"[:200]
    return OK if np.isfinite(audio.waveform).all() else "samples that are not finite"
