"""The audio store in a directory: one file a job, named by its id.

No name that a user gave ever becomes a file name.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from shared.errors import AudioMissing, SetupError, StoreUnavailable
from shared.job import JobId

PART = ".part"
"""How the name of a file ends that was not committed yet."""
OURS = re.compile(rf"job_[0-9a-f]+|\.job_[0-9a-f]+{re.escape(PART)}")
"""The names of our files."""


class DirectoryAudioStore:
    """Audio in a directory that api and workers share."""

    def __init__(self, root: Path) -> None:
        """Make the directory where it is missing; SetupError where that cannot be."""
        self._root = root
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(f"The audio directory {root} cannot be made: {error.strerror}.") from error
        if not os.access(root, os.W_OK | os.X_OK):
            raise SetupError(f"The audio directory {root} cannot be written to.")

    def create(self, job_id: JobId) -> "FileSink":
        """A sink for the audio of a job."""
        try:
            return FileSink(self._path(job_id))
        except OSError as error:
            raise StoreUnavailable("The audio store cannot be written to.") from error

    def open(self, job_id: JobId) -> BinaryIO:
        """The audio of a job; AudioMissing where there is none, StoreUnavailable where it cannot be read."""
        try:
            return self._path(job_id).open("rb")
        except FileNotFoundError as error:
            raise AudioMissing("The job's audio is not in the store.") from error
        except OSError as error:
            raise StoreUnavailable("The job's audio cannot be read from the store.") from error

    def scratch(self) -> BinaryIO:
        """A file without a name in the directory, so that a crash leaves nothing to clean up."""
        try:
            return cast(BinaryIO, tempfile.TemporaryFile(dir=self._root))
        except OSError as error:
            raise StoreUnavailable("The audio store is full or cannot be written to.") from error

    def delete(self, job_id: JobId) -> None:
        """Remove the audio of a job; StoreUnavailable where that cannot be."""
        try:
            self._path(job_id).unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailable("The job's audio cannot be removed from the store.") from error

    def abandoned(self, *, idle_seconds: float) -> Iterator[JobId]:
        """Jobs whose audio was stored so long ago; what was never committed is removed on the way."""
        before = now_of(self._root) - idle_seconds
        for path in self._root.iterdir():
            if not OURS.fullmatch(path.name):
                continue  # whoever put it there: it is not ours to remove
            with contextlib.suppress(OSError):  # another process looks through it, too
                if path.stat().st_mtime >= before:
                    continue
                if path.name.endswith(PART):
                    path.unlink()
                else:
                    yield JobId(path.name)

    def _path(self, job_id: JobId) -> Path:
        return self._root / job_id


class FileSink:
    """A file that appears under its name, whole and on disk, at `commit`."""

    def __init__(self, path: Path, *, part: Path | None = None) -> None:
        """Start writing beside the path. part: under this name, where several may write at once."""
        self._path = path
        self._part = part or path.with_name(f".{path.name}{PART}")
        self._file = self._part.open("wb")

    def write(self, data: bytes, /) -> int:
        """Append bytes; StoreUnavailable where the disk does not take them."""
        try:
            return self._file.write(data)
        except OSError as error:
            raise StoreUnavailable("The audio store is full or cannot be written to.") from error

    def commit(self) -> None:
        """File and directory entry are on disk when this returns."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.replace(self._path)
            _sync_directory(self._path.parent)
        except OSError as error:
            raise StoreUnavailable("The audio store is full or cannot be written to.") from error

    def discard(self) -> None:
        """Remove what was written, unless it was committed."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._part.unlink(missing_ok=True)


def now_of(directory: Path) -> float:
    """Seconds since 1970 by the clock that dates the files: of a share it is not that of this machine."""
    os.utime(directory)
    return directory.stat().st_mtime


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
