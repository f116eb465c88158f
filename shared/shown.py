"""What people are shown of the things that strangers name, in the api and the worker alike."""

from contextlib import suppress
from pathlib import PurePosixPath, PureWindowsPath

MAX_FILENAME_CHARACTERS = 255
A_PLAYLIST = "This is a playlist, which holds no audio: send the audio itself, or its own URL."


def shown_name(filename: str | None) -> str | None:
    """A client's file name as we show it again: its last part, printable, not too long."""
    if not filename:
        return None
    last = PurePosixPath(PureWindowsPath(filename).name).name
    with suppress(UnicodeError):
        last = last.encode("utf-8", "replace").decode()
    shown = "".join(letter for letter in last if letter.isprintable())[:MAX_FILENAME_CHARACTERS]
    return None if shown in ("", ".", "..") else shown
