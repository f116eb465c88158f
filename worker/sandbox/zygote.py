"""The zygote: a process that has loaded the decoder and forks a walled child for each song.

A fresh interpreter without torch, threads or secrets: a fork costs a millisecond, and what a child could find
in its memory is worth nothing. It reads no song itself. When its worker ends it does, too, and so do its
children.
"""

import fcntl
import gc
import io
import json
import os
import select
import signal
import socket
import sys
import traceback
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

from shared.errors import DecodeCrashed, JobFailure
from worker.decode import decode_pieces
from worker.sandbox import walls
from worker.sandbox.limits import DecodeLimits
from worker.sandbox.records import (
    FACTS,
    FAILURE,
    NO_CHILD,
    REQUEST,
    STATUS,
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


@dataclass(frozen=True, kw_only=True)
class _Child:
    pid: int
    handle: int  # a descriptor that can be read once the child has ended
    status: int  # the pipe for its status


class Zygote:
    """Forks children until its worker is gone."""

    def __init__(self, control: socket.socket, task: Task, limits: DecodeLimits) -> None:
        """control: where requests come from; its end is that of the zygote."""
        self._control = control
        self._task = task
        self._limits = limits
        self._limits_calls = True
        self._children: dict[int, _Child] = {}  # by either descriptor
        self._poll = select.poll()

    def run(self) -> None:
        """Warm up, say so, and serve."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # a worker that stops still finishes its songs
        self._task(
            io.BytesIO(_short_wav()), lambda *_: None
        )  # the decoder loads some of itself when it is used
        gc.collect()
        gc.freeze()
        standing = {
            "limits of memory, CPU and files": True,
            "no new privileges": True,
            "no network": walls.leave_network(),
            "no files": walls.leave_files(),
        }
        if not self._survives_warm_up():
            self._limits_calls = False
            if not self._survives_warm_up():
                sys.exit("the decoder does not run under its limits")
        standing |= {"few system calls": self._limits_calls}
        self._control.send(json.dumps(standing).encode())
        self._poll.register(self._control, select.POLLIN)
        while self._serve():
            pass
        self._end_all()

    def _serve(self) -> bool:
        """Answer what has come; False once the worker is gone."""
        for descriptor, event in self._poll.poll():
            if descriptor == self._control.fileno():
                request, descriptors, *_ = socket.recv_fds(self._control, len(REQUEST), 3)
                if not request:
                    return False
                self._fork(*descriptors)
            elif child := self._children.get(descriptor):
                if descriptor == child.handle:
                    self._bury(child)
                elif event & select.POLLERR:  # nobody waits for it any more
                    os.kill(child.pid, signal.SIGKILL)
                    self._poll.unregister(descriptor)
        return True

    def _fork(self, audio: int, records: int, status: int) -> None:
        try:
            pid = os.fork()
        except OSError:
            pid = NO_CHILD
        if pid == 0:
            self._become_child(audio, records)
        os.close(audio)
        os.close(records)
        if pid == NO_CHILD:
            with suppress(OSError):
                os.write(status, STATUS.pack(NO_CHILD))
            os.close(status)
            return
        child = _Child(pid=pid, handle=os.pidfd_open(pid), status=status)
        self._children |= {child.handle: child, child.status: child}
        self._poll.register(child.handle, select.POLLIN)
        self._poll.register(child.status, 0)  # of errors alone: the reader has gone

    def _bury(self, child: _Child) -> None:
        _, status = os.waitpid(child.pid, 0)
        with suppress(OSError):
            os.write(child.status, STATUS.pack(status))
        for descriptor in (child.handle, child.status):
            del self._children[descriptor]
            with suppress(KeyError):
                self._poll.unregister(descriptor)
            os.close(descriptor)

    def _end_all(self) -> None:
        for child in {child.pid: child for child in self._children.values()}.values():
            os.kill(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)

    def _become_child(self, audio: int, records: int) -> NoReturn:
        """From here on this process is the child: whatever happens, it ends here."""
        try:
            _keep_only(audio, records)
            with open(_AUDIO, "rb", buffering=0) as song:
                send = sender(_RECORDS)
                self._raise_walls()
                with _told(send):
                    self._task(song, send)
            os._exit(0)
        finally:
            os._exit(1)

    def _raise_walls(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        walls.limit_resources(self._limits)
        walls.leave_root()
        walls.forbid_new_privileges()
        if self._limits_calls:
            walls.limit_system_calls()

    def _survives_warm_up(self) -> bool:
        """Whether a child decodes a song behind its walls, and whether they stand."""
        pid = os.fork()
        if pid == 0:
            try:
                self._raise_walls()
                self._task(io.BytesIO(_short_wav()), lambda *_: None)
                os._exit(1 if self._limits_calls and _may_open_socket() else 0)
            finally:
                os._exit(1)
        return os.waitpid(pid, 0)[1] == 0


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


def main(task: Callable[..., Task] = decode_task) -> None:
    """The process's entry: `python -m worker.sandbox.zygote DESCRIPTOR SETTINGS`, started by the client."""
    descriptor, settings = int(sys.argv[1]), json.loads(sys.argv[2])
    limits = DecodeLimits(**settings["limits"])
    with socket.socket(fileno=descriptor) as control:
        Zygote(control, task(sample_rate=settings["sample_rate"], limits=limits), limits).run()


if __name__ == "__main__":
    main()
