"""What every user of Redis here shares: the source of a script, and which errors mean that Redis is away.

It runs no command of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis.exceptions import BusyLoadingError, OutOfMemoryError, ReadOnlyError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.errors import StoreUnavailable

LUA = Path(__file__).with_name("lua")

AWAY = (RedisConnectionError, RedisTimeoutError, ReadOnlyError, BusyLoadingError, OutOfMemoryError)
"""What redis-py raises where the server can do nothing for us, for now."""

REFUSALS = ("OOM", "MISCONF", "NOREPLICAS", "MASTERDOWN", "UNKILLABLE")
"""How a server begins its answer that has no memory, no disk or no replicas left to write to."""


def read_script(name: str) -> str:
    """The source of a script."""
    return (LUA / f"{name}.lua").read_text()


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
