"""Files that a command leaves behind, each of them whole.

Writes bytes; what is in them is decided elsewhere.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.errors import UnwritableFile
from worker.whole_file import write_whole

DECIMALS = 6
LINE_CHARACTERS = 150  # what fits stays on one line: a song, a row of a matrix


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
