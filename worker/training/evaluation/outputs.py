"""Files that a command leaves behind, each of them whole.

Writes bytes; what is in them is decided elsewhere.
"""

import contextlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from shared.errors import UnwritableFile
from worker.whole_file import write_whole

DECIMALS = 6
LINE_CHARACTERS = 150  # what fits stays on one line: a song, a row of a matrix


def check_writable(paths: Iterable[Path]) -> None:
    """UnwritableFile for the first that could not be written now; the disk is as it was.

    Asked before what takes minutes. The disk may still fill up until then.
    """
    for path in paths:
        try:
            _check_writable(path)
        except OSError as error:
            raise UnwritableFile(f"{path} cannot be written: {error.strerror}.") from error


def write_all(files: Mapping[Path, bytes]) -> None:
    """Write every file, whole; UnwritableFile names the first that cannot be, which is then as it was.

    A device or a pipe such as /dev/stdout is written to, not replaced; a link goes on pointing at its file.
    """
    for path, data in files.items():
        try:
            if path.exists() and not path.is_file():
                path.write_bytes(data)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnwritableFile(f"{path} cannot be written: {error.strerror}.") from error
        write_whole(path.resolve(), data)


def json_text(value: Any) -> str:  # any JSON value
    """JSON with floats rounded; what is short enough stays on one line."""
    return _lines(_rounded(value), indent="") + "\n"


def _check_writable(path: Path) -> None:
    there = _kind(path)
    if there == stat.S_IFDIR:
        raise UnwritableFile(f"{path} cannot be written: it is a folder.")
    if there not in (None, stat.S_IFREG):
        # A device or a pipe is not opened: that waits for who reads it.
        if not os.access(path, os.W_OK):
            raise UnwritableFile(f"{path} cannot be written: Permission denied.")
        return
    folder = Path(os.path.realpath(path)).parent
    lacking = [each for each in (folder, *folder.parents) if _kind(each) is None]
    above = lacking[-1].parent if lacking else folder
    if not above.is_dir():
        raise UnwritableFile(f"{path} cannot be written: {above} is no folder.")
    # Tried, not asked: permission bits say nothing of a read-only disk, or to an administrator.
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    finally:
        for each in lacking:
            with contextlib.suppress(OSError):
                each.rmdir()


def _kind(path: Path) -> int | None:
    """What the name leads to; None where nothing is."""
    try:
        return stat.S_IFMT(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _lines(value: Any, *, indent: str) -> str:
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(indent) + len(line) <= LINE_CHARACTERS:
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {_lines(each, indent=inner)}" for key, each in value.items()]
        return "{\n" + ",\n".join(inner + part for part in parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + _lines(each, indent=inner) for each in value) + f"\n{indent}]"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value
