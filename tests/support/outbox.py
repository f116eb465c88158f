"""Webhooks of jobs and an outbox, for tests."""

import time
from dataclasses import replace
from typing import Any

from redis import Redis

from shared.job_webhook import BasicAuth, EventName, InlineDestination, JobWebhook
from shared.redis_keys import Keys
from shared.redis_outbox import OutboxPolicy, Recorded, RedisOutbox
from shared.webhooks import Attempt, AttemptError, DueDelivery

POLICY = OutboxPolicy(lease_seconds=60, per_lane=4, disable_seconds=1_000, log_seconds=3_600)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = 0.0


def outbox_of(redis: Redis, **changes: Any) -> RedisOutbox:
    """An outbox with another patience."""
    return RedisOutbox(redis, Keys(), replace(POLICY, **changes))


def inline(
    host: str = "radio.example",
    *,
    events: tuple[EventName, ...] = ("job.succeeded", "job.failed", "job.cancelled", "job.expired"),
    secret: str | None = SECRET,
    basic_auth: BasicAuth | None = None,
) -> JobWebhook:
    """The webhook that a job brings along."""
    url = f"https://{host}/hook?token=t"
    return JobWebhook(
        events=events,
        destination=InlineDestination(url=url, secret=secret, basic_auth=basic_auth),
        lane=f"192.0.2.1 https://{host}",
        shown_url=f"https://{host}/hook",
    )


def answered(due: DueDelivery, status: int = 204, *, retry_after_seconds: float | None = None) -> Attempt:
    """What came of it: an answer."""
    return Attempt(
        number=due.number,
        at=due.claimed_at,
        duration_seconds=0.1,
        status_code=status,
        reply="hello",
        retry_after_seconds=retry_after_seconds,
    )


def unanswered(due: DueDelivery) -> Attempt:
    """What came of it: nothing."""
    error = AttemptError(code="timeout", detail="The URL's server does not answer in time.")
    return Attempt(number=due.number, at=due.claimed_at, duration_seconds=15.0, error=error)


def claim_all(outbox: RedisOutbox, *, limit: int = 100, suspects: int = 100) -> list[DueDelivery]:
    """What is due now."""
    return list(outbox.claim(limit=limit, suspects=suspects).deliveries)


def claim_one(outbox: RedisOutbox) -> DueDelivery:
    """The only one that is due, as soon as it is."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = claim_all(outbox)
        if found:
            [due] = found
            return due
        time.sleep(0.01)
    raise AssertionError("nothing became due")


def fail(outbox: RedisOutbox, due: DueDelivery, *, retry_seconds: float | None = NOW) -> Recorded:
    """It was answered with 500."""
    return outbox.record(due, answered(due, 500), retry_seconds=retry_seconds)
