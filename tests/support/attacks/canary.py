"""A file and a port that nobody has any business with, and a note of each touch."""

import ctypes
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_IN_ACCESS, _IN_OPEN = 0x01, 0x20
_EVENT = struct.Struct("iIII")


@dataclass(frozen=True, kw_only=True)
class Canary:
    """What an attack names; `sang` tells whether anybody came."""

    path: Path  # a valid song
    port: int  # of 127.0.0.1, listening
    _watch: int
    _listener: socket.socket

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{self.path.name}"

    def sang(self) -> list[str]:
        """What was opened, read or connected to since the last call."""
        return [*self._touches(), *self._connections()]

    def _touches(self) -> Iterator[str]:
        try:
            events = os.read(self._watch, 65_536)
        except BlockingIOError:
            return
        while events:
            _, mask, _, name_bytes = _EVENT.unpack_from(events)
            name = events[_EVENT.size : _EVENT.size + name_bytes].rstrip(b"\0").decode()
            yield f"{'opened' if mask & _IN_OPEN else 'read'} {name}"
            events = events[_EVENT.size + name_bytes :]

    def _connections(self) -> Iterator[str]:
        while True:
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                return
            connection.close()
            yield "connected"


@contextmanager
def canary(folder: Path, song: bytes) -> Iterator[Canary]:
    """A canary in `folder`, which nothing else may use meanwhile."""
    path = folder / "secret.mp3"
    path.write_bytes(song)
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if watch < 0 or libc.inotify_add_watch(watch, os.fsencode(folder), _IN_ACCESS | _IN_OPEN) < 0:
        raise OSError(ctypes.get_errno(), "no inotify")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        try:
            yield Canary(path=path, port=listener.getsockname()[1], _watch=watch, _listener=listener)
        finally:
            os.close(watch)
