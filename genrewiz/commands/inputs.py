"""What stands on the command line -> songs to send: files, URLs, standard input.

It opens no song. What cannot be found is an input, too: one that fails.
"""

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

STDIN: Final = "-"
SONG_ENDINGS: Final = frozenset(
    {"aac", "aif", "aifc", "aiff", "au", "flac", "m4a", "m4b", "mka", "mkv", "mov", "mp2", "mp3", "mp4"}
    | {"oga", "ogg", "opus", "snd", "wav", "wave", "webm", "wma", "wv"}
)
"""In a folder, what is called otherwise is no song."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True)
class File:
    """A song on this machine, by the name that it was given."""

    name: str

    @property
    def path(self) -> str:
        """The same song from every folder."""
        return os.path.abspath(self.name)  # noqa: PTH100  names may be no UTF-8, and links stay links


@dataclass(frozen=True)
class Url:
    """A song that the server fetches."""

    name: str


@dataclass(frozen=True)
class Stdin:
    """A song that somebody writes to our standard input."""

    name: str = STDIN


@dataclass(frozen=True)
class Missing:
    """A name that leads to no song, and why."""

    name: str
    reason: str


Input = File | Url | Stdin | Missing
Say = Callable[[str], None]


def inputs(arguments: Iterable[str], *, recursive: bool, say: Say) -> list[Input]:
    """Every song that is meant, once, in the order of the arguments; within a folder in that of the names.

    say: hears of folders in which nothing was found.
    """
    found: dict[str, Input] = {}  # a name alone costs little: a hundred thousand songs are some megabytes
    for argument in arguments:
        for each in _meant(argument, recursive=recursive, say=say):
            found.setdefault(each.path if isinstance(each, File) else each.name, each)
    return list(found.values())


def _meant(argument: str, *, recursive: bool, say: Say) -> Iterator[Input]:
    if argument == STDIN:
        yield Stdin()
    elif _SCHEME.match(argument):
        yield Url(argument)
    elif os.path.isdir(argument):  # noqa: PTH112
        yield from _songs_in(argument, recursive=recursive, say=say)
    elif os.path.lexists(argument) or not glob.has_magic(argument):
        yield File(argument)  # whether it can be read is seen when it is
    else:
        yield from _matching(argument, recursive=recursive, say=say)


def _matching(pattern: str, *, recursive: bool, say: Say) -> Iterator[Input]:
    """What a shell would have made of the pattern, and `**`, too."""
    names = sorted(glob.iglob(pattern, recursive=True))  # noqa: PTH207
    if not names:
        yield Missing(pattern, "Nothing is called like this.")
    # Of `**` both a folder and what it holds are found: only the latter are meant.
    folders_too = "**" not in pattern
    for name in names:
        if not os.path.isdir(name):  # noqa: PTH112
            yield File(name)
        elif folders_too:
            yield from _songs_in(name, recursive=recursive, say=say)


def _songs_in(folder: str, *, recursive: bool, say: Say) -> Iterator[Input]:
    any_song, any_folder = False, False
    for each in _entries(folder, recursive=recursive):
        any_song |= isinstance(each, Input)
        any_folder |= each is None
        if each is not None:
            yield each
    if not any_song:
        hint = "; --recursive looks into the folders within, too" if any_folder and not recursive else ""
        say(f"No song was found in {shown(folder)}{hint}.")


def _entries(folder: str, *, recursive: bool) -> Iterator[Input | None]:
    """The songs of a folder, and None for each folder in it. Links to folders are not followed."""
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        yield Missing(folder, f"The folder cannot be read: {error.strerror}.")
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue  # what is hidden is nobody's song: players and copiers leave such files
        if entry.is_dir(follow_symlinks=False):
            yield None
            if recursive:
                yield from _entries(entry.path, recursive=True)
        elif entry.name.rpartition(".")[2].lower() in SONG_ENDINGS and _may_be_song(entry.path):
            yield File(entry.path)


def _may_be_song(path: str) -> bool:
    """Whether it is a file, or a link that leads nowhere: that song is missing, and must be said to be."""
    return os.path.isfile(path) or not os.path.exists(path)  # noqa: PTH113, PTH110


def shown(name: str) -> str:
    """A name as a terminal may be given it: one line, and nothing that moves a cursor."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)
