"""The pictures of songs in the audio store's directory: one file a job, beside its audio and outliving it.

It does not know how long: the caretaker does.
"""

import contextlib
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from shared.audio_store import PART, FileSink, now_of
from shared.errors import StoreUnavailable
from shared.job import JobId

SUFFIX = ".spectrogram.png"
OURS = re.compile(rf"(job_[0-9a-f]+){re.escape(SUFFIX)}")
OUR_PARTS = re.compile(rf"\.job_[0-9a-f]+{re.escape(SUFFIX)}\.[0-9a-f]+{re.escape(PART)}")


class DirectoryPictureStore:
    """Pictures in the directory that api and workers share; the audio store has made it."""

    def __init__(self, root: Path) -> None:
        """root: the audio directory."""
        self._root = root

    def put(self, job_id: JobId, picture: bytes) -> None:
        """Keep the picture of a job: on return it survives a power cut. StoreUnavailable."""
        path = self._path(job_id)
        # A run that has lost its lease may still write beside the one that has it now: each for itself.
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PART}")
        try:
            sink = FileSink(path, part=part)
        except OSError as error:
            raise StoreUnavailable("The audio store cannot be written to.") from error
        try:
            sink.write(picture)
            sink.commit()
        finally:
            sink.discard()

    def get(self, job_id: JobId) -> bytes | None:
        """The picture of a job, if there is one; StoreUnavailable where it cannot be read."""
        try:
            return self._path(job_id).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailable("The job's spectrogram cannot be read from the store.") from error

    def delete(self, job_id: JobId) -> None:
        """Remove the picture of a job, if there is one; StoreUnavailable where that cannot be."""
        try:
            self._path(job_id).unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailable("The job's spectrogram cannot be removed from the store.") from error

    def all(self, *, idle_seconds: float) -> Iterator[JobId]:
        """Jobs that have a picture; what broke off so long ago is removed on the way."""
        before = now_of(self._root) - idle_seconds
        for path in self._root.iterdir():
            if named := OURS.fullmatch(path.name):
                yield JobId(named[1])
            elif OUR_PARTS.fullmatch(path.name):
                with contextlib.suppress(OSError):  # another process looks through it, too
                    if path.stat().st_mtime < before:
                        path.unlink()

    def _path(self, job_id: JobId) -> Path:
        return self._root / f"{job_id}{SUFFIX}"
