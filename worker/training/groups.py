"""A CSV that says which songs belong together, such as those by one artist.

Strict: a file without a group and a row without a file are both refused, since either is a slip that would
put an artist on both sides of a split.
"""

import csv
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path

from shared.errors import DataUnavailable

COLUMNS = ("file", "group")


def read_groups(path: Path, names: Sequence[str], present: Collection[str]) -> dict[str, str]:
    """The group of each of these names (genre/file); DataUnavailable says what does not fit.

    present: further names that may have a row, of files that are there and not used.
    """
    # File systems spell umlauts in two ways, and an editor may choose the other.
    spelled = {_composed(name): name for name in [*present, *names]}
    groups: dict[str, str] = {}
    for line, file, group in _rows(path):
        if not group:
            raise DataUnavailable(f"{path}, line {line}: {file} has no group.")
        if (name := spelled.get(_composed(file))) is None:
            raise DataUnavailable(f"{path}, line {line}: there is no {file}; files are named genre/file.")
        if groups.setdefault(name, group) != group:
            raise DataUnavailable(f"{path}, line {line}: {file} has two groups.")
    if lacking := [name for name in names if name not in groups]:
        raise DataUnavailable(
            f"{path} has no row for {len(lacking)} of {len(names)} files, such as {lacking[0]}; "
            "a file that belongs to no other gets a group of its own."
        )
    return groups


def _rows(path: Path) -> list[tuple[int, str, str]]:
    """Line, file and group of each row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # spreadsheets write a byte order mark
            reader = csv.DictReader(file, strict=True)
            if missing := [column for column in COLUMNS if column not in (reader.fieldnames or ())]:
                raise DataUnavailable(
                    f"{path} has no column {' and none '.join(missing)}; its first line is: file,group"
                )
            return [
                (reader.line_num, (row["file"] or "").strip(), (row["group"] or "").strip()) for row in reader
            ]
    except OSError as error:
        raise DataUnavailable(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataUnavailable(f"{path} is no CSV in UTF-8.") from error


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name.removeprefix("./"))
