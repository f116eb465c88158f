"""The connection on which Redis says that something happened to a job.

It reads no event and remembers no subscription: both are the caller's. One thread hears, any may subscribe.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from redis import Redis

from shared.errors import StoreUnavailable
from shared.job import JobId
from shared.redis_keys import Keys
from shared.redis_scripts import away_is_ours

HEALTH_SECONDS = 10.0
"""So long a silent connection is believed; then Redis is asked, and has as long to answer."""


class RedisChannel:
    """Hears of jobs; StoreUnavailable where Redis is away, and then it wants to be connected anew."""

    def __init__(self, redis: "Redis", keys: Keys) -> None:
        # Not of the pool: it is never given back, and its time-outs are its own.
        self._connection: Any = redis.connection_pool.make_connection()
        self._keys = keys
        self._is_asked = False

    def connect(self) -> None:
        """Anew, and without any subscription."""
        with suppress(OSError):
            self._connection.disconnect()
        self._is_asked = False
        with away_is_ours():
            self._connection.connect()

    def subscribe(self, job_ids: Sequence[JobId]) -> None:
        """Hear of these jobs, too; when that holds, each is heard once without a kind."""
        self._send("SUBSCRIBE", *(self._keys.events(job_id) for job_id in job_ids))

    def unsubscribe(self, job_id: JobId) -> None:
        """Hear of this job no more."""
        self._send("UNSUBSCRIBE", self._keys.events(job_id))

    def hear(self) -> tuple[JobId, str] | None:
        """The next job of which there is something to read, and of which kind; None now and then."""
        self._check()
        with away_is_ours():
            if not self._connection.can_read(timeout=HEALTH_SECONDS):
                self._ask()
                return None
            what, *rest = self._connection.read_response(timeout=HEALTH_SECONDS)
        self._is_asked = False
        if what not in ("message", "subscribe"):
            return None
        return self._keys.job_of_events(rest[0]), rest[1] if what == "message" else ""

    def _check(self) -> None:
        """By itself it would connect again, and nobody would subscribe."""
        if not self._connection.is_connected:
            raise StoreUnavailable("Redis does not answer.")

    def _ask(self) -> None:
        if self._is_asked:
            raise StoreUnavailable("Redis does not answer.")
        self._is_asked = True
        self._send("PING")

    def _send(self, *command: str) -> None:
        self._check()
        with away_is_ours():
            # Without its own check, which would read the answer that another thread waits for.
            self._connection.send_command(*command, check_health=False)
