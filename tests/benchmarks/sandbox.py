"""What the sandbox costs: CPU seconds to decode a 30 s MP3 behind walls, beside decoding in this process."""

import resource
import statistics
import time
from pathlib import Path
from typing import BinaryIO

from record import record

from shared.settings import Settings
from worker.build import decode_limits
from worker.decode import decode
from worker.sandbox.client import DecodeSandbox
from worker.sandbox.limits import DecodeLimits

SONG = Path(__file__).parents[2] / "api" / "static" / "samples" / "nightdrive.mp3"
RATE = 22_050  # Hz
ROUNDS = 9
SONGS = 20


def main() -> None:
    limits = decode_limits(Settings())
    rounds = [one_round(limits) for _ in range(ROUNDS + 1)][1:]  # the first only warms
    here, walled, elapsed = (list(column) for column in zip(*rounds, strict=True))
    record(
        "sandbox",
        {
            "cpu_seconds_in_process": statistics.median(here),
            "cpu_seconds_sandboxed": statistics.median(walled),
            "cpu_seconds_added": statistics.median(
                behind - plain for behind, plain in zip(walled, here, strict=True)
            ),
            "seconds_sandboxed": statistics.median(elapsed),
        },
    )


def one_round(limits: DecodeLimits) -> tuple[float, float, float]:
    """For one song: CPU seconds in this process and in the sandbox, and seconds in the sandbox.

    The two take turns, so that a busy machine slows both.
    """
    with SONG.open("rb") as song:
        before = cpu_seconds()
        for _ in range(SONGS):
            decode(song, sample_rate=RATE, max_seconds=limits.max_seconds)
        here = cpu_seconds() - before
        start_up, _ = sandboxed(limits, song, songs=0)
        walled, elapsed = sandboxed(limits, song, songs=SONGS)
    return here / SONGS, (walled - start_up) / SONGS, elapsed / SONGS


def sandboxed(limits: DecodeLimits, song: BinaryIO, *, songs: int) -> tuple[float, float]:
    """CPU seconds of a zygote's life in which it decodes so many songs; seconds of those alone.

    The CPU time of its children is known once it has ended.
    """
    before = cpu_seconds()
    with DecodeSandbox(sample_rate=RATE, limits=limits) as sandbox:
        sandbox.wait_ready()
        since = time.perf_counter()
        for _ in range(songs):
            list(sandbox.decode(song))
        elapsed = time.perf_counter() - since
    return cpu_seconds() - before, elapsed


def cpu_seconds() -> float:
    """Of this process and of all its descendants that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
