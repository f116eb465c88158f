"""What every user of Redis here shares: its scripts, and which errors mean that Redis is away.

It runs no command of its own.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from redis.exceptions import BusyLoadingError, OutOfMemoryError, ReadOnlyError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.errors import StoreUnavailable
from shared.redis_keys import Keys

if TYPE_CHECKING:
    from redis import Redis
    from redis.commands.core import Script

OF_JOBS = ("clock", "outbox", "common", "admission", "view")
OF_WEBHOOKS = ("clock", "outbox", "endpoint")
"""What comes before each script of its kind, in this order."""
LUA = Path(__file__).with_name("lua")

AWAY = (RedisConnectionError, RedisTimeoutError, ReadOnlyError, BusyLoadingError, OutOfMemoryError)
"""What redis-py raises where the server can do nothing for us, for now."""

REFUSALS = ("OOM", "MISCONF", "NOREPLICAS", "MASTERDOWN", "UNKILLABLE")
"""How a server begins its answer that has no memory, no disk or no replicas left to write to."""


def read_script(name: str) -> str:
    """The source of a script."""
    return (LUA / f"{name}.lua").read_text()


def scripts(
    redis: "Redis",
    keys: Keys,
    names: Iterable[str],
    *,
    libraries: Iterable[str] = OF_JOBS,
    read: Callable[[str], str] = read_script,
) -> "dict[str, Script]":
    """The scripts of these names, each with what they share before it, ready to be called."""
    prelude = "\n".join([keys.lua(), *map(read, libraries)])
    return {name: redis.register_script(f"{_flags(name)}\n{prelude}\n{read(name)}") for name in names}


def _flags(script: str) -> str:
    """A server whose memory is full takes nothing new; what leads to an end is let through."""
    return "#!lua" if script in ("accept", "add_endpoint", "test_endpoint") else "#!lua flags=allow-oom"


@contextmanager
def away_is_ours() -> Iterator[None]:
    """StoreUnavailable where Redis can do nothing for us now."""
    try:
        yield
    except AWAY as error:
        raise StoreUnavailable("Redis does not answer.") from error
    except ResponseError as error:
        if not str(error).startswith(REFUSALS):
            raise
        raise StoreUnavailable("Redis takes no writes now.") from error
