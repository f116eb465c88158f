"""API keys in Redis: added, listed, revoked, looked up.

It keeps hashes alone, and decides nothing about a request.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from redis import Redis
from redis.exceptions import WatchError

from shared.api_keys import ApiKey, KeyId, Right, hash_of, new_text
from shared.redis_keys import Keys
from shared.redis_scripts import away_is_ours, read_script

USED_EVERY_SECONDS = 60
"""How coarse `last_used_at` is: a key in use is written no more often."""


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """What Redis says of a key, and whether keys are asked for at all."""

    keys_on: bool
    key: ApiKey | None
    use_is_due: bool = False  # to be written down, once the key has been found to be the right one


class RedisApiKeys:
    """The keys of one GenreWiz. StoreUnavailable where Redis is away."""

    def __init__(self, redis: "Redis", keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        # A full server still lets keys in, so it also lets them be counted as used.
        self._used = redis.register_script(f"#!lua flags=allow-oom\n{keys.lua()}\n{read_script('key_used')}")

    def add(self, name: str, rights: Iterable[Right]) -> tuple[ApiKey, str]:
        """A new key and its text, which cannot be had again. From now on every request needs a key."""
        key_id, text = new_text()
        with away_is_ours():
            key = ApiKey(
                id=key_id,
                name=name,
                rights=frozenset(rights),
                sha256=hash_of(text),
                created_at=self._now(),
            )
            pipe = self._redis.pipeline(transaction=True)
            pipe.set(self._keys.keys_on, "1")
            pipe.hset(
                self._keys.api_key(key_id),
                mapping={
                    "name": key.name,
                    "rights": " ".join(sorted(key.rights)),
                    "sha256": key.sha256,
                    "created_at": f"{key.created_at:.6f}",
                },
            )
            pipe.zadd(self._keys.api_keys, {key_id: key.created_at})
            pipe.execute()
        return key, text

    def all(self) -> list[ApiKey]:
        """Every key, oldest first."""
        with away_is_ours():
            ids = [
                KeyId(key_id) for key_id in cast(list[str], self._redis.zrange(self._keys.api_keys, 0, -1))
            ]
            pipe = self._redis.pipeline(transaction=False)
            for key_id in ids:
                pipe.hgetall(self._keys.api_key(key_id))
            records = pipe.execute()
        return [_key(key_id, record) for key_id, record in zip(ids, records, strict=True) if record]

    def revoke(self, key_id: KeyId) -> bool:
        """False where there is no such key. Without any key left, nobody gets in: see `open_to_all`."""
        with away_is_ours():
            pipe = self._redis.pipeline(transaction=True)
            pipe.delete(self._keys.api_key(key_id))
            pipe.zrem(self._keys.api_keys, key_id)
            deleted, _ = pipe.execute()
        return bool(deleted)

    def open_to_all(self) -> bool:
        """Ask for keys no more; False, and nothing has changed, while there are any."""
        pipe: Any  # redis-py's `watch` has no types
        with away_is_ours(), self._redis.pipeline(transaction=True) as pipe:
            pipe.watch(self._keys.api_keys)
            if pipe.exists(self._keys.api_keys):
                return False
            pipe.multi()
            pipe.delete(self._keys.keys_on)
            try:
                pipe.execute()
            except WatchError:  # a key was made meanwhile
                return False
            return True

    def keys_on(self) -> bool:
        """Whether requests need a key: as soon as one was ever added, even where all were revoked."""
        with away_is_ours():
            return bool(self._redis.exists(self._keys.keys_on))

    def look_up(self, key_id: KeyId | None) -> Lookup:
        """What is known of a key, or only whether one is needed, in one round trip."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.exists(self._keys.keys_on)
        if key_id is not None:
            pipe.hgetall(self._keys.api_key(key_id))
            pipe.time()
        with away_is_ours():
            keys_on, *rest = pipe.execute()
        if key_id is None or not rest[0]:
            return Lookup(keys_on=bool(keys_on), key=None)
        record, (seconds, _) = rest
        key = _key(key_id, record)
        is_due = key.last_used_at is None or seconds - key.last_used_at >= USED_EVERY_SECONDS
        return Lookup(keys_on=bool(keys_on), key=key, use_is_due=is_due)

    def used(self, key_id: KeyId) -> None:
        """Write down that the key was used now; nothing happens where it is no more."""
        with away_is_ours():
            self._used(args=[key_id, USED_EVERY_SECONDS])

    def _now(self) -> float:
        seconds, microseconds = self._redis.time()
        return seconds + microseconds / 1e6


def _key(key_id: KeyId, record: dict[str, str]) -> ApiKey:
    last = record.get("last_used_at")
    return ApiKey(
        id=key_id,
        name=record["name"],
        rights=frozenset(cast(Iterable[Right], record["rights"].split())),
        sha256=record["sha256"],
        created_at=float(record["created_at"]),
        last_used_at=None if last is None else float(last),
    )
