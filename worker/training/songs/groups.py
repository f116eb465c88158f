"""A CSV that says which songs belong together, such as those by one artist.

Strict: a file without a group and a row without a file are both refused, since either is a slip that would
put an artist on both sides of a split.
"""

import csv
import io
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path

from shared.errors import DataUnavailable

COLUMNS = ("file", "group")
SEPARATORS = ",;\t"  # spreadsheets write semicolons where the comma is that of decimals


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
        # As it stands first: on some systems a backslash may be part of a name.
        name = spelled.get(file) or spelled.get(file.replace("\\", "/"))
        if name is None:
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
    """Line, file and group of each row; a row without anything in it is none."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # spreadsheets write a byte order mark
            text = _composed(file.read())
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except OSError as error:
        raise DataUnavailable(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataUnavailable(f"{path} is no CSV in UTF-8.") from error
    filled = [(line, row) for line, row in rows if any(row)]
    header = [cell.lower() for cell in filled[0][1]] if filled else []
    if missing := [column for column in COLUMNS if column not in header]:
        raise DataUnavailable(
            f"{path} has no column {' and none '.join(missing)}; its first line is: file,group"
        )
    if doubled := [column for column in COLUMNS if header.count(column) > 1]:
        raise DataUnavailable(f"{path} has more than one column {' and '.join(doubled)}.")
    file_at, group_at = (header.index(column) for column in COLUMNS)
    return [
        (line, _cell(row, file_at).removeprefix("./").removeprefix(".\\"), _cell(row, group_at))
        for line, row in filled[1:]
    ]


def _separator(text: str) -> str:
    """What parts the columns: that which finds the most of ours in the first line that is not blank."""
    first = next((line for line in text.splitlines() if line.strip(SEPARATORS + " ")), "")

    def found(separator: str) -> int:
        cells = {cell.strip().lower() for cell in next(csv.reader([first], delimiter=separator), [])}
        return len(cells.intersection(COLUMNS))

    return max(SEPARATORS, key=found)


def _cell(row: Sequence[str], position: int) -> str:
    return row[position] if position < len(row) else ""


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)
