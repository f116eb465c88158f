"""Looks keys up, and remembers each answer for a moment: a request rarely asks Redis.

What it remembers has a bound, also of keys that nobody ever made. It decides nothing about a request.
"""

import time
from collections.abc import Callable
from contextlib import suppress

from api.remembered import Remembered
from shared.api_keys import ApiKey, KeyId, id_of
from shared.errors import StoreUnavailable
from shared.redis_api_keys import Lookup, RedisApiKeys

REMEMBERED_SECONDS = 2.0
"""So long a key may still be let in after it was revoked."""


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
