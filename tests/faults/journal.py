"""Append-only journals: what each process of a fault test saw, in files that outlive it.

A line is one `write` on a file opened with O_APPEND: `kill -9` of its writer loses none that was written.
Times are of the machine's monotonic clock, the same for every process here.
"""

import json
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Journal:
    """One writer's file."""

    def __init__(self, directory: Path, who: str) -> None:
        """who: the name of the writer, which each record carries."""
        directory.mkdir(parents=True, exist_ok=True)
        self._who = who
        file = _file(directory, who, os.getpid())
        self._file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, event: str, **fields: Any) -> None:
        """One record; in the file when this returns."""
        record = {"t": time.monotonic(), "who": self._who, "pid": os.getpid(), "event": event, **fields}
        os.write(self._file, json.dumps(record).encode() + b"\n")


def read_journals(directory: Path) -> list[Record]:
    """All records of all writers by time."""
    return sorted(
        (record for path in directory.glob("*.jsonl") for record in _records(path)),
        key=lambda record: float(record["t"]),
    )


def read_journal(directory: Path, who: str, pid: int | None) -> list[Record]:
    """What one process has written."""
    path = _file(directory, who, pid or 0)
    return _records(path) if path.exists() else []


def _file(directory: Path, who: str, pid: int) -> Path:
    return directory / f"{who}-{pid}.jsonl"


def _records(path: Path) -> list[Record]:
    lines = path.read_bytes().split(b"\n")
    return [json.loads(line) for line in lines[:-1]]  # behind the last line break is nothing, or half a line


class Counter:
    """Numbers faults in one process."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        with self._lock:
            self.count += 1
            return self.count


def of_event(records: Sequence[Record], *events: str) -> list[Record]:
    """Those of these kinds."""
    return [record for record in records if record["event"] in events]
