"""What lies in a folder with one subfolder a genre: GTZAN's layout, `genre/file`.

Looks at names alone and opens no file: whether one is a song, `audio_features.py` finds out.
"""

import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from shared.errors import DataUnavailable

LEFTOVERS = (
    ".asd", ".bat", ".bmp", ".csv", ".cue", ".db", ".doc", ".docx", ".gif", ".html", ".ini",
    ".jpeg", ".jpg", ".json", ".log", ".lrc", ".m3u", ".m3u8", ".md", ".mf", ".nfo", ".pdf", ".pls",
    ".png", ".py", ".rtf", ".sfv", ".sh", ".sha256", ".svg", ".toml", ".torrent", ".tsv", ".txt",
    ".url", ".webp", ".xml", ".yaml", ".yml", ".zip",
)  # fmt: skip
"""Endings of what lies beside songs. Any other file is taken for a song, so that none is lost in silence."""
NO_GENRES = ("__MACOSX",)  # folders that archives leave behind


@dataclass(frozen=True, kw_only=True)
class SongFile:
    """A file that may be a song."""

    name: str  # genre/file, printable
    genre: str
    path: Path


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """What is not used, and why."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What lies in a folder, before anything is read."""

    folder: Path
    files: tuple[SongFile, ...]  # by name
    empty: tuple[str, ...]  # genres without a file
    left_out: tuple[LeftOut, ...]

    @property
    def genres(self) -> tuple[str, ...]:
        """Those with a file, by name."""
        return tuple(sorted({file.genre for file in self.files}))


def list_folder(folder: Path) -> Listing:
    """The songs of `folder`; DataUnavailable where it has no subfolders or cannot be read.

    A link to a file or to a genre's folder is taken for what it leads to.
    """
    files: list[SongFile] = []
    left_out: list[LeftOut] = []
    empty: list[str] = []
    try:
        entries = _visible(folder)
        subfolders = [path for path in entries if path.is_dir()]
        loose = [path for path in entries if not path.is_dir()]
        left_out += [LeftOut(name=_shown(path), reason="it is in no genre's folder") for path in loose]
        for subfolder in subfolders:
            genre = _shown(subfolder)
            within = _visible(subfolder)
            fit = [path for path in within if path.is_file()]
            files += [SongFile(name=f"{genre}/{_shown(path)}", genre=genre, path=path) for path in fit]
            left_out += [
                LeftOut(name=f"{genre}/{_shown(path)}", reason=_why_no_file(path))
                for path in within
                if not path.is_file()
            ]
            if not fit:
                empty.append(genre)
    except OSError as error:
        raise DataUnavailable(f"{error.filename or folder} cannot be read: {error.strerror}.") from error
    if not subfolders:
        raise DataUnavailable(f"{folder} has no subfolders; songs lie in one subfolder a genre.")
    files.sort(key=lambda file: file.name)
    named: dict[str, SongFile] = {}
    for file in files:
        if named.setdefault(file.name, file) is not file:
            left_out.append(LeftOut(name=file.name, reason="another file's name is shown the same"))
    files = list(named.values())
    return Listing(folder=folder, files=tuple(files), empty=tuple(empty), left_out=tuple(left_out))


def _visible(folder: Path) -> list[Path]:
    """What may be a song or a genre, by name."""
    return [
        path
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".")
        and path.name not in NO_GENRES
        and (path.suffix.lower() not in LEFTOVERS or path.is_dir())
    ]


def _shown(path: Path) -> str:
    """The last part of a path, printable whatever bytes it is made of, the same on each file system."""
    name = os.fsencode(path.name).decode("utf-8", "backslashreplace")
    name = unicodedata.normalize("NFC", name)
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in name
    )


def _why_no_file(path: Path) -> str:
    if path.is_dir():
        return "it is a folder, and songs lie directly in that of their genre"
    return "it is a link to nothing" if path.is_symlink() else "it is no file"
