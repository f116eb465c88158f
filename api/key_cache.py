"""Looks keys up, and remembers each answer for a moment: a request rarely asks Redis.

What it remembers has a bound, also of keys that nobody ever made. It decides nothing about a request.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Generic, TypeVar

from shared.api_keys import ApiKey, KeyId, id_of
from shared.errors import StoreUnavailable
from shared.redis_api_keys import Lookup, RedisApiKeys

REMEMBERED_SECONDS = 2.0
"""So long a key may still be let in after it was revoked."""
MOST_REMEMBERED = 4_096

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """The youngest answers, so many at most; of those that have a time, none that is over it."""

    def __init__(self, *, seconds: float | None = None, most: int = MOST_REMEMBERED) -> None:
        self._seconds = seconds
        self._most = most
        self._answers: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, question: K, now: float) -> V | None:
        """None where nothing is remembered."""
        if question not in self._answers:
            return None
        answered_at, answer = self._answers[question]
        is_old = self._seconds is not None and now - answered_at >= self._seconds
        return None if is_old else answer

    def put(self, question: K, answer: V, now: float) -> None:
        """`now` is from before the question was asked: an answer is as old as that."""
        self._answers[question] = (now, answer)
        self._answers.move_to_end(question)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)


class KeyCache:
    """Keys by their text. StoreUnavailable where Redis is away and nothing is remembered."""

    def __init__(self, keys: RedisApiKeys, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._clock = clock
        self._lookups: Remembered[KeyId | None, Lookup] = Remembered(seconds=REMEMBERED_SECONDS)

    def find(self, text: str | None) -> tuple[bool, ApiKey | None]:
        """Whether requests need a key now, and the key that this text is."""
        key_id = None if text is None else id_of(text)
        now = self._clock()
        found = self._lookups.get(key_id, now)
        is_news = found is None
        if found is None:
            found = self._keys.look_up(key_id)
            self._lookups.put(key_id, found, now)
        if text is None or found.key is None or not found.key.is_of(text):
            return found.keys_on, None
        if is_news and found.use_is_due:
            with suppress(StoreUnavailable):  # a server that takes no writes still says who may come in
                self._keys.used(found.key.id)
        return found.keys_on, found.key
