"""What may befall doorbells between api and worker: they vanish, or ring twice.

A thief waits at Celery's lists like a worker does and takes what it can get before one.
"""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis
from redis.exceptions import RedisError

from faults.fleet import Fleet
from shared.names import BROKER_QUEUES

WAIT_SECONDS = 0.2


class Thief:
    """Takes doorbells in threads of its own and throws them away, or puts two in the place of one."""

    def __init__(self, url: str, *, copies: int, share: float = 1.0, hands: int = 4) -> None:
        """copies: of each that is taken, put back; share: of those taken that this is done to."""
        self.taken = 0
        self._url = url
        self._copies = copies
        self._share = share
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._take, daemon=True) for _ in range(hands)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _take(self) -> None:
        with Redis.from_url(self._url, protocol=2) as redis:
            while not self._stop.is_set():
                try:
                    found = redis.brpop(BROKER_QUEUES, timeout=WAIT_SECONDS)
                    if found:
                        self._put(redis, *found)
                except RedisError:
                    self._stop.wait(WAIT_SECONDS)

    def _put(self, redis: Redis, queue: bytes, doorbell: bytes) -> None:
        is_chosen = random.random() < self._share
        self.taken += is_chosen
        for _ in range(self._copies if is_chosen else 1):
            redis.lpush(queue, doorbell)
        if is_chosen and self._copies:
            self._stop.wait(WAIT_SECONDS)  # let a worker have them


@contextmanager
def doorbells_deleted(fleet: Fleet) -> Iterator[Thief]:
    """As many as can be had, before a worker has them, and whatever waited."""
    yield from _stolen(fleet, "doorbells_deleted", copies=0)


@contextmanager
def doorbells_doubled(fleet: Fleet) -> Iterator[Thief]:
    yield from _stolen(fleet, "doorbells_doubled", copies=2)


def _stolen(fleet: Fleet, kind: str, *, copies: int) -> Iterator[Thief]:
    with fleet.doorbells(kind):
        thief = Thief(fleet.redis_url, copies=copies)
        try:
            yield thief
        finally:
            thief.stop()
