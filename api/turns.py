"""Turns: who would keep the loop busy goes on one at a time, and the others are served in between."""

import gevent
from gevent.event import Event

PAUSE_SECONDS = 1e-6
"""Not 0: of greenlets that sleep for 0, gevent runs fifty before it looks at any socket."""


class Turns:
    """A queue that lets one greenlet pass in each round of the loop.

    It is shared: were each to pause on its own, all would wake in the same round, and a hundred short pieces
    of work are a long one.
    """

    def __init__(self) -> None:
        self._last = Event()
        self._last.set()

    def wait(self) -> None:
        """Return behind all who came before, and after the loop has seen to its sockets."""
        ahead, mine = self._last, Event()
        self._last = mine
        try:
            ahead.wait()
            gevent.sleep(PAUSE_SECONDS)
        finally:
            mine.set()
