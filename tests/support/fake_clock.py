"""A server whose wall clock a test sets, by libfaketime; its monotonic clock and ours go on."""

import time
from pathlib import Path

import pytest
from redis import Redis

from support.waiting import eventually

LIBRARIES = ("libfaketimeMT.so.1", "libfaketime.so.1")
TOLERANCE_SECONDS = 2.0  # between two looks at two clocks on a slow machine


def need_faketime() -> Path:
    """The library; skips, and says so, where it is not installed."""
    for name in LIBRARIES:
        for found in sorted(Path("/usr/lib").glob(f"*/faketime/{name}")):
            return found
    pytest.skip("libfaketime is not installed: no clock was made to jump")


class FakeClock:
    """How far the server's clock is from the true one."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._library = need_faketime()
        self.ahead_seconds = 0.0
        self._write()

    def environment(self) -> dict[str, str]:
        """Of the server that is to have this clock."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",  # a jump is seen at once
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # no system's monotonic clock jumps
        }

    def jump(self, redis: "Redis", seconds: float) -> None:
        """Set the clock forward, or back; returns when the server has seen it."""
        self.ahead_seconds += seconds
        self._write()
        eventually(lambda: abs(_ahead(redis) - self.ahead_seconds) < TOLERANCE_SECONDS)

    def _write(self) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{self.ahead_seconds:+.3f}\n")
        fresh.replace(self._file)  # the server must never read half a number


def _ahead(redis: "Redis") -> float:
    seconds, microseconds = redis.time()
    return seconds + microseconds / 1e6 - time.time()
