"""Inside a child: from its birth behind the zygote's fork to its end.

It holds the song and a pipe. It never returns to the zygote's code.
"""

import fcntl
import io
import os
import signal
import socket
import traceback
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, NoReturn

from shared.errors import DecodeCrashed, JobFailure
from worker.decode import decode_pieces
from worker.sandbox import walls
from worker.sandbox.limits import DecodeLimits
from worker.sandbox.records import (
    FACTS,
    FAILURE,
    SURPRISE,
    Send,
    send_piece,
    sender,
    write_facts,
    write_failure,
)

Task = Callable[[BinaryIO, Send], None]
"""What a child does: reads a song, sends what it finds."""

_NOWHERE, _STDERR = 1, 2  # the zygote's standard output is /dev/null
_AUDIO, _RECORDS = 3, 4  # descriptors in a child
_OUT_OF_THE_WAY = 64
_TRACEBACK_BYTES = 8_192


def decode_task(*, sample_rate: int, limits: DecodeLimits) -> Task:
    """Decodes a song and sends its pieces, then its facts or its failure."""

    def task(audio: BinaryIO, send: Send) -> None:
        try:
            decoding = decode_pieces(audio, sample_rate=sample_rate, max_seconds=limits.max_seconds)
            while True:
                try:
                    send_piece(send, next(decoding))
                except StopIteration as end:
                    return send(FACTS, write_facts(end.value))
        except JobFailure as error:
            send(FAILURE, write_failure(error.code, error.detail))

    return task


def live(
    task: Task, limits: DecodeLimits, *, audio: int, records: int, parent: int, limit_calls: bool
) -> NoReturn:
    """Do the task behind the walls, and end.

    audio, records: descriptors of the song and of the pipe. parent: the zygote's id. limit_calls: whether the
    decoder runs with few system calls here.
    """
    try:
        _keep_only(audio, records)
        with open(_AUDIO, "rb", buffering=0) as song:
            send = sender(_RECORDS)
            _raise_walls(limits, parent=parent, limit_calls=limit_calls)
            with _told(send):
                task(song, send)
        os._exit(0)
    finally:
        os._exit(1)


def rehearse(task: Task, limits: DecodeLimits, *, parent: int, limit_calls: bool) -> dict[str, bool]:
    """Which walls stand, where a short song is decoded behind them; the process is good for nothing then."""
    standing = _raise_walls(limits, parent=parent, limit_calls=limit_calls)
    warm_up(task)
    return standing | {"few system calls": limit_calls and not _may_open_socket()}


def warm_up(task: Task) -> None:
    """The decoder loads some of itself when it is used."""
    task(io.BytesIO(_short_wav()), lambda *_: None)


def _raise_walls(limits: DecodeLimits, *, parent: int, limit_calls: bool) -> dict[str, bool]:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    standing = {
        "limits of memory, CPU and files": walls.limit_resources(limits),
        "not root": walls.leave_root(),
        "no new privileges": walls.forbid_new_privileges(),
        "no look inside": walls.hide_memory(),
    }
    walls.end_with(parent)
    if limit_calls:
        walls.limit_system_calls()
    return standing


@contextmanager
def _told(send: Send) -> Iterator[None]:
    """A surprise is told to the worker, for its log; want of memory, for whoever sent the song."""
    try:
        yield
    except MemoryError:
        send(FAILURE, write_failure(DecodeCrashed.code, "Decoding needs more memory than the limit."))
    except Exception:
        send(SURPRISE, traceback.format_exc().encode()[-_TRACEBACK_BYTES:])
        raise


def _keep_only(audio: int, records: int) -> None:
    """The song and the pipe, under fixed numbers; standard streams lead nowhere; all else is closed."""
    kept = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, _OUT_OF_THE_WAY) for descriptor in (audio, records)]
    for descriptor, place in zip(kept, (_AUDIO, _RECORDS), strict=True):
        os.dup2(descriptor, place)
    os.dup2(_NOWHERE, _STDERR)  # what FFmpeg says of a song is nobody's business
    os.closerange(_RECORDS + 1, os.sysconf("SC_OPEN_MAX"))


def _may_open_socket() -> bool:
    try:
        socket.socket().close()
    except PermissionError:
        return False
    return True


def _short_wav() -> bytes:
    """A tenth of a second at a rate that has to be resampled."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(44_100)
        writer.writeframes(bytes(4 * 4_410))
    return file.getvalue()
