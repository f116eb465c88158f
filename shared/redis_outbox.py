"""The outbox in Redis, from the dispatcher's side: claims what is due, writes down what came of it.

It writes no delivery: the scripts that change a job do. It sends nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import structlog
from redis import Redis

from shared.job_record import read_record
from shared.redis_keys import Keys
from shared.redis_scripts import OF_WEBHOOKS, away_is_ours, scripts
from shared.settings import Settings
from shared.webhook_record import to_due_delivery
from shared.webhook_secrets import new_secret
from shared.webhooks import Attempt, DueDelivery, FailedBecause
from shared.wire import dump

SCRIPTS = ("claim_deliveries", "record_attempt", "rotate_secret")
TOO_MANY_REQUESTS, SERVER_ERROR, UNAVAILABLE, GONE = 429, 500, 503, 410
LEASE_MARGIN_SECONDS: Final = 5.0
"""A lease outlives the longest attempt by so much: what came of it is written within that."""

CLAIMED_AT_ONCE: Final = 16
"""Deliveries: for so long nobody else gets a word in."""
SLOW_SHARE: Final = 0.1
"""Of a lease: an answer that takes longer has kept a slot from others."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class OutboxPolicy:
    """How patient lanes are. Behind `breaker_failures` in a row one is paused, for longer each time."""

    lease_seconds: float
    per_lane: int
    disable_seconds: float
    log_seconds: int
    breaker_failures: int = 5
    breaker_seconds: float = 5.0
    breaker_max_seconds: float = 300.0


def outbox_policy(settings: Settings) -> OutboxPolicy:
    """As the operator has set it."""
    return OutboxPolicy(
        lease_seconds=settings.webhook_seconds + LEASE_MARGIN_SECONDS,
        per_lane=settings.webhook_concurrency_per_endpoint,
        disable_seconds=settings.webhook_disable_seconds,
        log_seconds=settings.webhook_log_seconds,
    )


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """Deliveries to be sent now, and when to come again: None where nothing waits."""

    deliveries: tuple[DueDelivery, ...]
    next_due_seconds: float | None


class Recorded(StrEnum):
    """What became of a delivery with an attempt."""

    DELIVERED = "delivered"
    RETRIED = "retried"
    FAILED = "failed"
    LOST = "lost"  # another one has it by now: nothing has changed


@dataclass(frozen=True, kw_only=True)
class Depth:
    """How much waits, and for how long the longest overdue one does."""

    pending: int
    oldest_seconds: float


class RedisOutbox:
    """Deliveries that wait. StoreUnavailable where Redis is away."""

    def __init__(
        self,
        redis: "Redis",
        keys: Keys,
        policy: OutboxPolicy,
        *,
        on_disabled: Callable[[str], None] = lambda _: None,
    ) -> None:
        """on_disabled: hears why, each time that an attempt is the end of its endpoint."""
        self._on_disabled = on_disabled
        self._redis = redis
        self._keys = keys
        self._policy = policy
        self._scripts = scripts(redis, keys, SCRIPTS, libraries=OF_WEBHOOKS)

    def claim(self, *, limit: int, suspects: int) -> Claimed:
        """Take some of what is due, for as long as a lease lasts. suspects: so many of unproven lanes."""
        policy = self._policy
        claimed, instance_secrets, next_turn = self._run(
            "claim_deliveries",
            min(limit, CLAIMED_AT_ONCE),
            suspects,
            policy.lease_seconds,
            policy.per_lane,
            policy.breaker_failures,
            policy.log_seconds,
        )
        if claimed and not instance_secrets:
            instance_secrets = self._run("rotate_secret", "", "", new_secret(), 0)
        return Claimed(
            deliveries=tuple(
                delivery for each in claimed if (delivery := _readable(each, instance_secrets)) is not None
            ),
            next_due_seconds=float(next_turn) if next_turn else None,
        )

    def record(self, due: DueDelivery, attempt: Attempt, *, retry_seconds: float | None) -> Recorded:
        """Write down what came of it. retry_seconds: until the next attempt; None: there is none."""
        policy, status = self._policy, attempt.status_code
        because: FailedBecause | None = None
        if attempt.is_success:
            verdict = "delivered"
        elif status == GONE:
            verdict, because = "failed", "gone"
        elif retry_seconds is None:
            verdict = "failed"
            because = "superseded" if due.event == "job.progress" else "attempts_exhausted"
        else:
            verdict = "retry"
        answer, disabled = self._run(
            "record_attempt",
            due.id,
            due.token,
            dump(attempt),
            due.destination.url,
            due.body,
            verdict,
            because or "",
            "" if retry_seconds is None else retry_seconds,
            attempt.reason,
            _health(attempt, slow_seconds=policy.lease_seconds * SLOW_SHARE),
            min(_pause_seconds(attempt), policy.breaker_max_seconds),
            policy.breaker_failures,
            policy.breaker_seconds,
            policy.breaker_max_seconds,
            policy.disable_seconds,
            policy.log_seconds,
        )
        if disabled:
            self._on_disabled(disabled)
            log.warning("webhook endpoint disabled", endpoint=due.endpoint, because=disabled)
        return Recorded(answer)

    def wait(self, seconds: float) -> None:
        """Until there may be something to send, or so many seconds have passed."""
        with away_is_ours():
            self._redis.blpop([self._keys.outbox_bell], timeout=max(seconds, 0.01))

    def depth(self) -> Depth:
        """How much waits now."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.zcard(self._keys.outbox)
        pipe.zrange(self._keys.outbox, 0, 0, withscores=True)
        pipe.time()
        with away_is_ours():
            pending, first, (seconds, microseconds) = pipe.execute()
        due_at = first[0][1] if first else None
        overdue = 0.0 if due_at is None else seconds + microseconds / 1e6 - due_at
        return Depth(pending=pending, oldest_seconds=max(0.0, overdue))

    def _run(self, script: str, *args: str | bytes | float) -> Any:
        with away_is_ours():
            return self._scripts[script](args=args)


def _readable(claimed: Any, instance_secrets: str) -> DueDelivery | None:
    text, token, suspect, url, its_secrets, basic_auth = claimed
    record = read_record(text)
    try:
        return to_due_delivery(
            record,
            token=token,
            is_suspect=bool(suspect),
            url=url,
            secrets=its_secrets,
            basic_auth=basic_auth,
            instance_secrets=instance_secrets,
        )
    except Exception:  # one that cannot be read must not keep all others from being sent
        # Its lease will lapse: a dispatcher of another release may read what this one cannot.
        log.exception("webhook delivery cannot be read", delivery_id=record.get("id"))
        return None


def _health(attempt: Attempt, *, slow_seconds: float) -> str:
    """What an attempt says of its lane: only what may hold up others counts against it."""
    if attempt.is_success:
        return "slow" if attempt.duration_seconds > slow_seconds else "well"
    if attempt.error is not None:
        return "alive" if attempt.error.code == "url_blocked" else "ill"
    status = attempt.status_code or 0
    return "ill" if status >= SERVER_ERROR or status == TOO_MANY_REQUESTS else "alive"


def _pause_seconds(attempt: Attempt) -> float:
    """For how long the receiver wants to be left alone, by all that goes there."""
    asked = attempt.retry_after_seconds or 0.0
    return asked if attempt.status_code in (TOO_MANY_REQUESTS, UNAVAILABLE) else 0.0
