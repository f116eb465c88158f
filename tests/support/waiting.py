"""Waiting for conditions: tests never sleep for a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 120  # a slow machine is no failure


def eventually(condition: Callable[[], T], *, seconds: float = PATIENCE_SECONDS) -> T:
    """What the condition gives once that is true; exceptions on the way count as not yet."""
    end = time.monotonic() + seconds
    while True:
        try:
            value = condition()
        except Exception as error:
            if time.monotonic() > end:
                raise
            value, last = None, error
        else:
            last = None
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {condition}") from last
        time.sleep(0.02)
