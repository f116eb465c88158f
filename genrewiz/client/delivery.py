"""What was sent to a receiver and what came of it, and the events themselves, as frozen values.

What a newer server says besides is passed over here (it stands in `raw`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from genrewiz.client.arguments import check_id
from genrewiz.client.job import Job, Json, text_of, time_of


@dataclass(frozen=True, kw_only=True)
class AttemptError:
    """Why an attempt got no answer, or none that can be read: `code` is what a program looks at."""

    code: str  # url_blocked, connection_failed, timeout or bad_answer
    detail: str


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One request to a receiver, and what came of it."""

    number: int  # from 1
    at: datetime | None
    duration_seconds: float | None
    status_code: int | None  # None where no answer came
    error: AttemptError | None
    reply: str | None  # how the receiver's answer began

    @classmethod
    def of(cls, body: Json) -> "Attempt":
        """From an entry of a delivery's `attempts`."""
        error = body.get("error")
        return cls(
            number=body["number"],
            at=time_of(body.get("at")),
            duration_seconds=body.get("duration_seconds"),
            status_code=body.get("status_code"),
            error=AttemptError(code=error["code"], detail=error.get("detail") or "") if error else None,
            reply=body.get("reply"),
        )


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One event on its way to one receiver, as it was at one moment. To see a change, get it again.

    delivery = client.delivery(delivery)
    for attempt in delivery.attempts:
        print(attempt.at, attempt.status_code or attempt.error)
    """

    id: str  # the `webhook-id`, the same at every attempt
    endpoint: str | None  # the id of one; None where the job itself has named a URL
    url: str | None = field(repr=False)
    event: str
    job: str | None  # its id; None where an endpoint was tested
    sequence: int  # of this job's events, from 1
    status: str  # pending, delivered or failed
    failed_because: str | None
    created_at: datetime | None
    next_attempt_at: datetime | None
    finished_at: datetime | None
    attempts_made: int
    attempts: tuple[Attempt, ...]  # lists leave them out: ask for the delivery itself
    links: Mapping[str, str | None] = field(hash=False)
    raw: Json = field(repr=False, hash=False, compare=False)
    """The JSON as it came."""

    @classmethod
    def of(cls, body: Any) -> "Delivery":
        """From the JSON of a delivery; ValueError."""
        try:
            return cls(
                id=text_of(body["id"]),
                endpoint=body.get("endpoint"),
                url=body.get("url"),
                event=text_of(body["event"]),
                job=body.get("job"),
                sequence=body.get("sequence") or 0,
                status=text_of(body["status"]),
                failed_because=body.get("failed_because"),
                created_at=time_of(body.get("created_at")),
                next_attempt_at=time_of(body.get("next_attempt_at")),
                finished_at=time_of(body.get("finished_at")),
                attempts_made=body.get("attempts_made") or 0,
                attempts=tuple(map(Attempt.of, body.get("attempts") or ())),
                links=dict(body.get("links") or {}),
                raw=body,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("this is no delivery") from error


@dataclass(frozen=True, kw_only=True)
class DeliveryPage:
    """Some of the caller's deliveries, the newest first; without a cursor there are no more."""

    deliveries: tuple[Delivery, ...]
    next_cursor: str | None

    @classmethod
    def of(cls, body: Any) -> "DeliveryPage":
        """From the JSON of a list; ValueError."""
        try:
            return cls(
                deliveries=tuple(map(Delivery.of, body["deliveries"])), next_cursor=body.get("next_cursor")
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("this is no list of deliveries") from error


@dataclass(frozen=True, kw_only=True)
class WebhookEvent:
    """What a receiver is told, made from what `verify_webhook` gives.

    event = WebhookEvent.of(verify_webhook(request.headers, request.get_data(), "whsec_…"))
    if event.job and event.job.result:
        print(event.job.id, event.job.result.genre)

    An event says a part of its job: `id`, `status`, `cached`, `attempt`, `created_at`, `finished_at`,
    `progress` (`stage` and `fraction`), `result` (without its timeline), `error`, `model`, `source`,
    `metadata` and `links`. The rest is unknown here, whatever it looks like: `client.get(event.job.id)`
    has it.
    """

    type: str  # job.succeeded, job.failed, …; webhook.test
    timestamp: datetime | None
    sequence: int  # of this job's events: a lower one that comes later is older news
    job: Job | None  # a part of it, as above; None where an endpoint is tested
    data: Json = field(hash=False)

    @classmethod
    def of(cls, body: Any) -> "WebhookEvent":
        """From the JSON of an event; ValueError."""
        try:
            kind, data = text_of(body["type"]), dict(body["data"])
            return cls(
                type=kind,
                timestamp=time_of(body.get("timestamp")),
                sequence=body.get("sequence") or 0,
                job=Job.of(data) if kind.startswith("job.") else None,
                data=data,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("this is no event of a webhook") from error


def delivery_id(delivery: str | Delivery) -> str:
    """The id of the delivery that is meant."""
    if isinstance(delivery, Delivery):
        return delivery.id
    return check_id("delivery", delivery, kind="a Delivery or its id")
