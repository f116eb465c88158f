"""Looks keys up, and remembers each answer for a moment: a request rarely asks Redis.

What it remembers has a bound, also of keys that nobody ever made. It decides nothing about a request.
"""

import time
from collections.abc import Callable
from contextlib import suppress

from api.remembered import Remembered
from shared.api_keys import ApiKey, KeyId, id_of, key_of_caller
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
        found, is_news = self._look_up(None if text is None else id_of(text))
        if text is None or found.key is None or not found.key.is_of(text):
            return found.keys_on, None
        if is_news and found.use_is_due:
            with suppress(StoreUnavailable):  # a server that takes no writes still says who may come in
                self._keys.used(found.key.id)
        return found.keys_on, found.key

    def by_id(self, key_id: KeyId) -> ApiKey | None:
        """The key, unless it was revoked. Who knows its id has shown nothing by that."""
        return self._look_up(key_id)[0].key

    def still_lets_in(self, caller: str) -> bool:
        """Whether a caller who was let in would be again: False once its key was revoked."""
        key_id = key_of_caller(caller)
        return key_id is None or self.by_id(key_id) is not None

    def _look_up(self, key_id: KeyId | None) -> tuple[Lookup, bool]:
        """What is known of a key, and whether it was not known before."""
        now = self._clock()
        found = self._lookups.get(key_id, now)
        if found is not None:
            return found, False
        found = self._keys.look_up(key_id)
        self._lookups.put(key_id, found, now)
        return found, True
