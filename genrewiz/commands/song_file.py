"""A song that is about to be sent: bytes that can be read twice, and which version of the song they are.

It sends nothing.
"""

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from genrewiz.commands.inputs import File, Stdin

STDIN_NAME = "stdin"


@dataclass(frozen=True)
class OpenSong:
    """An open file that can be rewound. version: what tells a file on a disk from the same one, changed."""

    file: BinaryIO
    filename: str
    version: tuple[str, ...] | None


@contextmanager
def opened(source: File | Stdin) -> Iterator[OpenSong]:
    """The song, open; OSError where it cannot be."""
    if isinstance(source, Stdin):
        with _rewindable(sys.stdin.buffer) as copy:
            yield OpenSong(copy, STDIN_NAME, None)
        return
    with open(source.name, "rb") as file:  # noqa: PTH123  a Path would change some names
        status = os.fstat(file.fileno())
        # A name may hold bytes that are no UTF-8; the server is told what people would read.
        filename = os.fsencode(os.path.basename(source.name)).decode("utf-8", "replace")  # noqa: PTH119
        if stat.S_ISREG(status.st_mode):
            version = source.path, str(status.st_size), str(status.st_mtime_ns)
            yield OpenSong(file, filename, version)
        else:
            with _rewindable(file) as copy:
                yield OpenSong(copy, filename, None)


@contextmanager
def _rewindable(stream: BinaryIO) -> Iterator[BinaryIO]:
    """What a pipe gives, on a disk: a request that must be repeated begins again."""
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield copy
