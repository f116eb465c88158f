"""The file that remembers what a batch has done: each song once, however often the run is killed.

It talks to no server. Lines are only ever appended: one that tells what the file is, then for each song that
it is about to be sent, that its job was accepted, how that has ended.
"""

import fcntl
import hashlib
import json
import os
import secrets
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
def batch_state(path: Path) -> Iterator[BatchState]:
    """The state in this file, made where there is none; StateUnusable, also where another run uses it."""
    descriptor = _opened(path)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateUnusable("Another run uses this state file: let it end first.") from None
        batch, lines = _read(descriptor)
        yield BatchState(descriptor, batch, lines)
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    try:
        # Names of songs, and URLs with what lets one in, are nobody else's.
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateUnusable(f"The state file cannot be opened: {error.strerror}.") from None


def _read(descriptor: int) -> tuple[str, dict[str, tuple[str, int]]]:
    """The batch and its lines; a run that was killed may have left a last line without its end."""
    lines: dict[str, tuple[str, int]] = {}
    batch = None
    offset = 0
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        for number, text in enumerate(file, start=1):
            if not text.endswith(b"\n") and _is_torn(text, is_header=batch is None):
                break
            try:
                line = json.loads(text)
                if batch is None:
                    batch = _batch_of(line)
                else:
                    lines[line["key"]] = _step_of(line), offset
            except (ValueError, KeyError, TypeError):
                raise StateUnusable(
                    f"This is no state file of a batch (line {number}): name another file with --state."
                ) from None
            offset += len(text)
    os.ftruncate(descriptor, offset)
    return batch or _begun(descriptor), lines


def _is_torn(text: bytes, *, is_header: bool) -> bool:
    """Whether this is the beginning of a line of ours: a stranger's file is never cut."""
    return not is_header or text.startswith(_HEADER) or _HEADER.startswith(text)


def _batch_of(line: Any) -> str:
    if line["version"] != VERSION:
        raise ValueError
    return str(line["genrewiz_batch"])


def _step_of(line: Any) -> str:
    return _STEPS[_STEPS.index(line["step"])]


def _begun(descriptor: int) -> str:
    batch = secrets.token_hex(16)
    try:
        _write(descriptor, _line({"genrewiz_batch": batch, "version": VERSION}))
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
