"""Redis connections with every time-out said.

redis-py's defaults differ between versions; a process that waits on Redis must know for how long.
"""

from redis import BlockingConnectionPool, Redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from shared.settings import Settings

RESP2 = 2
"""RESP3 gives some replies another shape."""
MAX_CONNECTIONS = 50
"""Of one client; further calls wait for a turn. redis-py's own pool refuses them, from the hundredth on."""


def connect(settings: Settings, *, retries: int = 3, timeout_seconds: float = 10) -> "Redis":
    """A client (connecting lazily) that tries a command again `retries` times, up to a second apart.

    timeout_seconds: for each try, and for a connection of the pool.
    """
    pool = BlockingConnectionPool.from_url(
        str(settings.redis_url),
        max_connections=MAX_CONNECTIONS,
        timeout=timeout_seconds,
        decode_responses=True,
        protocol=RESP2,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=min(timeout_seconds, 5),
        socket_keepalive=True,
        health_check_interval=30,
        retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), retries),
    )
    return Redis.from_pool(pool)
