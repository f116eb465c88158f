"""Writes a file whole or not at all.

When it returns the bytes are on disk; until then the file is as it was, whatever happens: a full disk, a
kill, a power cut. It decides neither what is written nor where.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from shared.errors import UnwritableFile


def write_whole(path: Path, data: bytes) -> None:
    """Give the file these bytes; UnwritableFile names it and says why that cannot be."""
    with whole_file(path) as file:
        file.write(data)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """For bytes that are written piece by piece: they are the file's once the block has come to its end."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            # Some disks say only now that they are full; and a name must not be on disk before its bytes.
            os.fsync(file.fileno())
        partial.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise UnwritableFile(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        with contextlib.suppress(OSError):  # what went wrong is said already
            partial.unlink(missing_ok=True)


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
