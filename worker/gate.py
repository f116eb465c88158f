"""Lets the last attempt of a job run alone in its worker: a song that kills workers kills no neighbour.

It knows no job and no lease: whoever comes says which of the two he needs.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

CHECK_SECONDS = 0.5


class Occupied(Exception):
    """Somebody else is alone already, or waits to be."""


class Gate:
    """Many together, or one alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._loner = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """Come in among others; waits while somebody is alone, or waits to be."""
        with self._changed:
            self._changed.wait_for(lambda: not self._loner)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self, check: Callable[[], None]) -> Iterator[None]:
        """From inside: let nobody else in, and wait until all others are out; Occupied.

        check is called while it waits; what it raises ends the wait.
        """
        with self._changed:
            if self._loner:
                raise Occupied
            self._loner = True
        try:
            with self._changed:
                while not self._changed.wait_for(lambda: self._inside == 1, CHECK_SECONDS):
                    check()
            yield
        finally:
            with self._changed:
                self._loner = False
                self._changed.notify_all()
