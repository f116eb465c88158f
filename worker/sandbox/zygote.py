"""The zygote: a process that has loaded the decoder and forks a walled child for each song.

A fresh interpreter without torch, threads or secrets: a fork costs a millisecond, and what a child could find
in its memory is worth nothing. It reads no song itself. When its worker ends it does, too, and so do its
children.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from worker.sandbox import walls
from worker.sandbox.inside import Task, decode_task, live, rehearse, warm_up
from worker.sandbox.limits import DecodeLimits
from worker.sandbox.records import BORN, NO_CHILD, REQUEST, STATUS


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
        self._limit_calls = True
        self._children: dict[int, _Child] = {}  # by either descriptor
        self._pid = os.getpid()
        self._poll = select.poll()

    def run(self) -> None:
        """Warm up, say so, and serve."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # a worker that stops still finishes its songs
        warm_up(self._task)
        gc.collect()
        gc.freeze()
        walls.forbid_new_privileges()  # without which Landlock is only root's
        standing = {"no network": walls.leave_network(), "no files": walls.leave_files()}
        standing |= self._rehearse()
        self._control.send(json.dumps(standing).encode())
        self._poll.register(self._control, select.POLLIN)
        while self._serve():
            pass
        self._end_all()

    def _serve(self) -> bool:
        """Answer what has come; False once the worker is gone."""
        # Requests were registered first and come first: no number of a child that is buried here can be
        # that of a new one.
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
            live(
                self._task,
                self._limits,
                audio=audio,
                records=records,
                parent=self._pid,
                limit_calls=self._limit_calls,
            )
        os.close(audio)
        os.close(records)
        if pid == NO_CHILD:
            with suppress(OSError):
                os.write(status, STATUS.pack(NO_CHILD))
            os.close(status)
            return
        with suppress(OSError):
            os.write(status, STATUS.pack(BORN))
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

    def _rehearse(self) -> dict[str, bool]:
        """Which walls stand around a child; without the list of system calls where the decoder needs more."""
        for self._limit_calls in (True, False):
            reader, writer = os.pipe()
            pid = os.fork()
            if pid == 0:
                try:
                    standing = rehearse(
                        self._task, self._limits, parent=self._pid, limit_calls=self._limit_calls
                    )
                    os.write(writer, json.dumps(standing).encode())
                finally:
                    os._exit(0)
            os.close(writer)
            said = os.read(reader, 4_096)
            os.close(reader)
            os.waitpid(pid, 0)
            if said:
                return dict(json.loads(said))
        sys.exit("the decoder does not run under its limits")


def main(task: Callable[..., Task] = decode_task) -> None:
    """The process's entry: `python -m worker.sandbox.zygote DESCRIPTOR SETTINGS`, started by the client."""
    descriptor, settings = int(sys.argv[1]), json.loads(sys.argv[2])
    limits = DecodeLimits(**settings["limits"])
    with socket.socket(fileno=descriptor) as control:
        Zygote(control, task(sample_rate=settings["sample_rate"], limits=limits), limits).run()


if __name__ == "__main__":
    main()
