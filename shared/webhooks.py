"""Webhooks as values: where events are sent, what is sent, and what became of it.

It sends nothing (`worker/webhooks` does) and keeps nothing (`redis_webhooks.py` and `redis_outbox.py` do).
"""

import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, NewType

from shared.job import JobId
from shared.job_webhook import ENDS, BasicAuth, EndpointId, EventName
from shared.trace import Origin

DeliveryId = NewType("DeliveryId", str)
"""The `webhook-id`. Of a job's event: `msg_`, the digits of the job's id, `_`, the number of the event."""

TEST_EVENT: Final = "webhook.test"

DisabledBecause = Literal["on_request", "gone", "failing"]
"""Its owner has said so; it has answered 410; it has done nothing but fail for too long."""
FailedBecause = Literal["attempts_exhausted", "gone", "endpoint_disabled", "endpoint_deleted", "superseded"]
"""Why nothing is sent any more: `superseded` is progress, of which there is newer news."""


@dataclass(frozen=True, kw_only=True)
class SigningSecret:
    """A secret, `whsec_…`, and until when it signs: None for the one in force."""

    text: str = field(repr=False)
    until: float | None = None  # seconds since 1970 by Redis


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where a delivery goes and how it proves whose it is."""

    url: str = field(repr=False)  # paths and queries of hooks are secrets often enough
    secrets: tuple[str, ...] = field(repr=False)  # the one in force first; all of them sign
    basic_auth: BasicAuth | None = None


@dataclass(frozen=True, kw_only=True)
class NewEndpoint:
    """What is known of an endpoint when it is made."""

    url: str = field(repr=False)
    events: tuple[EventName, ...] = ENDS
    description: str = ""
    basic_auth: BasicAuth | None = None
    secret: str | None = field(default=None, repr=False)  # None: a new one is made


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A receiver that jobs can name. Times are seconds since 1970 by Redis."""

    id: EndpointId
    caller: str
    url: str = field(repr=False)
    events: tuple[EventName, ...]
    description: str
    basic_auth: BasicAuth | None
    secrets: tuple[SigningSecret, ...]  # the one in force first
    created_at: float
    updated_at: float
    disabled_because: DisabledBecause | None = None
    failing_since: float | None = None  # nothing has succeeded since

    @property
    def is_enabled(self) -> bool:
        """Whether anything but a test is sent to it."""
        return self.disabled_because is None


class DeliveryStatus(StrEnum):
    """Where a delivery stands. Only `redeliver` and `recover` lead back from an end."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class AttemptError:
    """Why an attempt got no answer, or none that can be read."""

    code: Literal["url_blocked", "connection_failed", "timeout", "bad_answer"]
    detail: str


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One request and what came of it."""

    number: int  # from 1, also across redeliveries
    at: float  # seconds since 1970 by Redis
    duration_seconds: float
    status_code: int | None = None  # None where no answer came
    error: AttemptError | None = None
    reply: str | None = None  # how the receiver's answer began
    retry_after_seconds: float | None = None  # as it asked

    @property
    def is_success(self) -> bool:
        """2xx, and nothing else: a redirect is a failure."""
        return self.error is None and self.status_code is not None and 200 <= self.status_code < 300

    @property
    def reason(self) -> str:
        """Why there is another one, as the next request says it: `http_500`, `timeout`, …"""
        return self.error.code if self.error else f"http_{self.status_code}"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One event on its way to one receiver, as it was at one moment."""

    id: DeliveryId
    caller: str
    endpoint: EndpointId | None
    url: str = field(repr=False)  # as far as it may be shown
    event: str
    job_id: JobId | None
    sequence: int  # of this job's events, from 1
    status: DeliveryStatus
    failed_because: FailedBecause | None
    created_at: float
    next_attempt_at: float | None
    finished_at: float | None
    attempts_made: int
    attempts: tuple[Attempt, ...] = ()  # of a list of deliveries: none


@dataclass(frozen=True, kw_only=True)
class DueDelivery:
    """A delivery that the dispatcher has taken to send it now."""

    id: DeliveryId
    token: int  # only the newest may say what came of it
    number: int  # of this attempt, from 1
    tries: int  # that failed since it was due first, or was sent again
    event: str
    endpoint: EndpointId | None
    job_id: JobId | None
    created_at: float  # when the event happened
    claimed_at: float  # now; seconds since 1970 by Redis
    destination: Destination
    body: bytes = field(repr=False)
    retry_reason: str | None = None
    origin: Origin | None = None
    is_suspect: bool = False  # its lane has not proven itself: the last answer was slow, or none


def new_endpoint_id() -> EndpointId:
    """An id that cannot be guessed."""
    return EndpointId(f"whe_{secrets.token_hex(12)}")


def new_test_id() -> DeliveryId:
    """The id of a delivery that belongs to no job."""
    return DeliveryId(f"msg_{secrets.token_hex(12)}")
