"""When a worker last had a doorbell in hand: what tells a worker that waits from one that hears nothing."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared.names import SOURCE_KINDS, SourceKind


class Activity:
    """Doorbells in hand now, and when the last one was let go, for each kind."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_hand = dict.fromkeys(SOURCE_KINDS, 0)
        self._let_go_at = dict.fromkeys(SOURCE_KINDS, time.monotonic())

    @contextmanager
    def doorbell(self, kind: SourceKind) -> Iterator[None]:
        """A doorbell is in hand while the block runs."""
        with self._lock:
            self._in_hand[kind] += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_hand[kind] -= 1
                self._let_go_at[kind] = time.monotonic()

    def idle_since(self, kind: SourceKind) -> float | None:
        """When the last doorbell was let go, by time.monotonic(); None while one is in hand."""
        with self._lock:
            return None if self._in_hand[kind] else self._let_go_at[kind]
