"""The file that remembers what a batch has done: each song once, however often the run is killed.

It talks to no server. Lines are only ever appended: one that tells what the file is and whose jobs it knows,
then for each song that it is about to be sent, that its job was accepted, how that has ended.
"""

import fcntl
import hashlib
import json
import os
import secrets
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

VERSION: Final = 1
_HEADER: Final = b'{"genrewiz_batch":'
SENDING, ACCEPTED, FINISHED = "sending", "accepted", "finished"
_STEPS: Final = (SENDING, ACCEPTED, FINISHED)
_COPY_BYTES: Final = 2**16
_MAX_HEADER_BYTES: Final = 2**14
"""A file whose first line is longer is a stranger's, and is read no further."""

JobBody = Mapping[str, Any]


class StateUnusable(Exception):
    """The state file cannot be used; the message is a sentence for people."""


class BatchState:
    """The open state file of the one run that uses it. Threads may share it."""

    def __init__(self, descriptor: int, batch: str, lines: dict[str, tuple[str, int]]) -> None:
        """lines: how far each key has come, and where in the file that is said."""
        self._descriptor = descriptor
        self._batch = batch
        self._lines = lines
        self._end = os.lseek(descriptor, 0, os.SEEK_END)
        self._lock = threading.Lock()
        self._broken: StateUnusable | None = None

    def key(self, *identity: str) -> str:
        """The idempotency key of a song: the same in every run of this batch, and in no other batch."""
        text = "\0".join((self._batch, *identity))
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()

    def known(self, key: str) -> tuple[str, JobBody | None] | None:
        """How far the song has come, and its job where there is one already; None where it was never sent."""
        found = self._lines.get(key)
        if found is None:
            return None
        step, offset = found
        return step, self._line_at(offset).get("job")

    def sending(self, key: str, name: str) -> None:
        """The song is about to be sent with this key."""
        self._append(SENDING, key, {"file": name})

    def accepted(self, key: str, job: JobBody) -> None:
        """The server has promised the job. On disk when this returns."""
        self._append(ACCEPTED, key, {"job": job}, durable=True)

    def finished(self, key: str, job: JobBody) -> None:
        """The job has ended. On disk when this returns."""
        self._append(FINISHED, key, {"job": job}, durable=True)

    def _append(self, step: str, key: str, fields: Mapping[str, Any], *, durable: bool = False) -> None:
        line = _line({"step": step, "key": key, **fields})
        with self._lock:
            if self._broken:
                raise self._broken
            try:
                _write(self._descriptor, line)
            except OSError as error:
                # Half a line may stand there now: nothing may be written behind it.
                self._broken = _unwritable(error)
                raise self._broken from None
            self._lines[key] = step, self._end
            self._end += len(line)
        if durable:
            try:
                os.fsync(self._descriptor)
            except OSError as error:
                raise _unwritable(error) from None

    def _line_at(self, offset: int) -> dict[str, Any]:
        text = b""
        while b"\n" not in text:
            text += os.pread(self._descriptor, _COPY_BYTES, offset + len(text))
        found: dict[str, Any] = json.loads(text.partition(b"\n")[0])
        return found


@contextmanager
def batch_state(path: Path, *, server: str) -> Iterator[BatchState]:
    """The state in this file, made where there is none; StateUnusable, also where another run uses it.

    server: what the jobs are jobs of; a state that was begun with another one is refused.
    """
    descriptor = _opened(path)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateUnusable("Another run uses this state file: let it end first.") from None
        batch, lines = _read(descriptor, server)
        yield BatchState(descriptor, batch, lines)
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    try:
        _check_kind(path)
        # Names of songs, and URLs with what lets one in, are nobody else's. Who was faster and put a pipe
        # there must not hold us up.
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
        return os.open(path, flags, 0o600)
    except OSError as error:
        raise StateUnusable(f"The state file cannot be opened: {error.strerror}.") from None


def _check_kind(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return  # it will be made
    if not stat.S_ISREG(mode):
        raise StateUnusable("The state file cannot be opened: it is no regular file.")


def _read(descriptor: int, server: str) -> tuple[str, dict[str, tuple[str, int]]]:
    """The batch and its lines; a run that was killed may have left a last line without its end."""
    lines: dict[str, tuple[str, int]] = {}
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        header = file.readline(_MAX_HEADER_BYTES)
        if not header.endswith(b"\n") and len(header) < _MAX_HEADER_BYTES and _is_torn(header):
            os.ftruncate(descriptor, 0)
            return _begun(descriptor, server), lines
        batch = _batch_of(header, server)
        offset = len(header)
        for number, text in enumerate(file, start=2):
            if not text.endswith(b"\n"):
                break
            try:
                line = json.loads(text)
                lines[line["key"]] = _step_of(line), offset
            except (ValueError, KeyError, TypeError):
                raise _stranger(number) from None
            offset += len(text)
    os.ftruncate(descriptor, offset)
    return batch, lines


def _is_torn(header: bytes) -> bool:
    """Whether this is the beginning of a header of ours: a stranger's file is never cut."""
    return header.startswith(_HEADER) or _HEADER.startswith(header)


def _batch_of(header: bytes, server: str) -> str:
    try:
        line = json.loads(header)
        if line["version"] != VERSION:
            raise ValueError
        batch, begun_with = str(line["genrewiz_batch"]), str(line["server"])
    except (ValueError, KeyError, TypeError):
        raise _stranger(1) from None
    if begun_with != server:
        raise StateUnusable(
            f"This batch was begun with the server {begun_with}: name that one with --server, "
            "or another file with --state."
        )
    return batch


def _stranger(number: int) -> StateUnusable:
    return StateUnusable(f"This is no state file of a batch (line {number}): name another file with --state.")


def _step_of(line: Any) -> str:
    return _STEPS[_STEPS.index(line["step"])]


def _begun(descriptor: int, server: str) -> str:
    batch = secrets.token_hex(16)
    try:
        _write(descriptor, _line({"genrewiz_batch": batch, "version": VERSION, "server": server}))
        os.fsync(descriptor)
    except OSError as error:
        raise _unwritable(error) from None
    return batch


def _unwritable(error: OSError) -> StateUnusable:
    return StateUnusable(f"The state file cannot be written: {error.strerror}.")


def _line(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"  # ASCII: any name of a file fits


def _write(descriptor: int, line: bytes) -> None:
    while line:
        line = line[os.write(descriptor, line) :]
