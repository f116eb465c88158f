"""Redis connections with every time-out said.

redis-py's defaults differ between versions; a process that waits on Redis must know for how long.
"""

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from shared.settings import Settings

RESP2 = 2
"""RESP3 gives some replies another shape."""


def connect(settings: Settings, *, retries: int = 3) -> "Redis":
    """A client (connecting lazily) that tries a command again `retries` times, up to a second apart."""
    return Redis.from_url(
        str(settings.redis_url),
        decode_responses=True,
        protocol=RESP2,
        socket_timeout=10,
        socket_connect_timeout=5,
        socket_keepalive=True,
        health_check_interval=30,
        retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), retries),
    )
