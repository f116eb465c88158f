"""The README's own commands, to be run as printed."""

import re
import subprocess
from pathlib import Path

from support.service import Service

README = (Path(__file__).parents[2] / "README.md").read_text()
PRINTED_URL = "http://127.0.0.1:8000"


def printed_lines(start: str) -> list[str]:
    """The lines of the README's shell blocks that begin so."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith(start)]


def table_rows(header: str) -> list[list[str]]:
    """The cells of the README's table whose first line begins so, each without its backticks."""
    _, _, table = README.partition(f"| {header} |")
    rows = []
    for line in table.splitlines()[2:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip()[1:-1].split("|")])
    return rows


def curl(line: str, service: Service, folder: Path) -> str:
    """A printed line, at this service."""
    command = line.replace(PRINTED_URL, service.url)
    return subprocess.run(command, shell=True, cwd=folder, check=True, capture_output=True, text=True).stdout
