"""What is uploaded: a file that is read a piece at a time, as often as it can be rewound.

It knows nothing of HTTP, and never holds more of a song than a piece.
"""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

OnBytes: TypeAlias = Callable[[int, int | None], None]
"""Told how many bytes of the file were sent, and of how many; None where nobody knows."""
AudioSource: TypeAlias = Path | str | BinaryIO | bytes
NAMELESS = "audio"


class Upload:
    """A file on its way, from where it stood when it was handed over."""

    def __init__(self, file: BinaryIO, *, filename: str, on_bytes: OnBytes | None) -> None:
        # Names on a disk need not be text; in a request they must be.
        self.filename = filename.encode("utf-8", "replace").decode() or NAMELESS
        self._file = file
        self._on_bytes = on_bytes
        self._start = file.tell() if file.seekable() else None
        self._size_bytes: int | None = None
        self._read_bytes = 0
        self._told_bytes: int | None = None
        self._is_touched = False

    @property
    def can_be_repeated(self) -> bool:
        """Whether all of it is still there to be read."""
        return self._start is not None or not self._is_touched

    def begin(self) -> "Piecewise":
        """From the beginning: what to read this time."""
        self._read_bytes, self._told_bytes = 0, None
        if self._start is None:
            return Piecewise(self._read)
        # Measured each time: it may have grown or shrunk since.
        self._size_bytes = max(0, self._file.seek(0, os.SEEK_END) - self._start)
        self._file.seek(self._start)
        return Measured(self._read, self._size_bytes)

    def tell(self) -> None:
        """What was read has been sent: let the caller know, where that is news."""
        if self._on_bytes is not None and self._told_bytes != self._read_bytes:
            self._told_bytes = self._read_bytes
            self._on_bytes(self._read_bytes, self._size_bytes)

    def _read(self, size: int) -> bytes:
        self._is_touched = True
        if self._size_bytes is not None:  # what was added meanwhile has no room in the request
            size = min(size, self._size_bytes - self._read_bytes)
        piece = self._file.read(size)
        if size and not piece and self._size_bytes is not None:
            raise OSError(f"{self.filename} has become shorter while it was sent")
        self._read_bytes += len(piece)
        return piece


class Piecewise:
    """A file of unknown length, as httpx takes them."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read

    def read(self, size: int) -> bytes:
        """The next piece, of at most so many bytes; empty at the end."""
        return self._read(size)


class Measured(Piecewise):
    """A file whose length httpx asks for, as it does: by going to its end and back."""

    def __init__(self, read: Callable[[int], bytes], size_bytes: int) -> None:
        super().__init__(read)
        self._size_bytes = size_bytes

    def tell(self) -> int:
        """Where httpx believes that it stands before it has read: at the beginning."""
        return 0

    def seek(self, _offset: int, whence: int = os.SEEK_SET) -> int:
        """The end's place for who goes there; the file itself stays where `begin` has put it."""
        return self._size_bytes if whence == os.SEEK_END else 0


@contextmanager
def uploading(
    source: AudioSource, *, filename: str | None = None, on_bytes: OnBytes | None = None
) -> Iterator[Upload]:
    """An upload of this file, of bytes, or of what a path names, which is closed at the end. OSError."""
    if isinstance(source, bytes):
        yield Upload(io.BytesIO(source), filename=filename or NAMELESS, on_bytes=on_bytes)
    elif isinstance(source, str | Path):
        with Path(source).open("rb") as file:
            yield Upload(file, filename=filename or Path(source).name, on_bytes=on_bytes)
    elif isinstance(source, io.TextIOBase):
        raise TypeError("The file is open for text: open it with mode 'rb'.")
    elif not callable(getattr(source, "read", None)):
        raise TypeError("A song is a path, an open binary file, or bytes.")
    else:
        yield Upload(source, filename=filename or _name_of(source), on_bytes=on_bytes)


def _name_of(file: BinaryIO) -> str:
    name = getattr(file, "name", None)
    # A pipe's name is a number, that of standard input is `<stdin>`.
    return Path(name).name if isinstance(name, str) and not name.startswith("<") else NAMELESS
