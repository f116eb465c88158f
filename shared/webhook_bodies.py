"""The JSON of webhooks, as types: what `docs/openapi.json` says of it.

It makes no JSON (`webhook_wire.py` does): tests hold every answer against these.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, JsonValue

from shared.bodies import (
    Body,
    Count,
    JobError,
    JobIdText,
    Links,
    Model,
    Result,
    Seconds,
    Share,
    Source,
)
from shared.job import JobStatus
from shared.job_webhook import EventName
from shared.webhooks import DeliveryStatus, DisabledBecause, FailedBecause

EndpointIdText = Annotated[str, Field(pattern="^whe_[0-9a-f]{24}$")]
DeliveryIdText = Annotated[str, Field(pattern="^msg_[0-9a-f]{24}(_[0-9]{1,15})?$")]
AnyEventName = EventName | Literal["webhook.test"]
Sequence = Annotated[int, Field(ge=1)]


class ShownBasicAuth(Body):
    """With which name its receiver is asked. The password is never shown."""

    username: str


class EndpointLinks(Body):
    """Where to go on, relative to this server."""

    self: str
    test: str
    rotate_secret: str
    recover: str
    deliveries: str


class WebhookEndpoint(Body):
    """A receiver that jobs can name. Its secret is shown when it is made, and never again."""

    id: EndpointIdText
    url: str
    events: list[EventName] = Field(description="What it is sent, of the jobs that name it.")
    description: str
    basic_auth: ShownBasicAuth | None
    enabled: bool = Field(description="Whether anything but a test is sent.")
    disabled_because: DisabledBecause | None = Field(
        description="`on_request`: you have said so. `gone`: it has answered 410. `failing`: it has done "
        "nothing but fail for too long (five days, unless the operator has set another time)."
    )
    failing_since: AwareDatetime | None = Field(description="Nothing has succeeded since.")
    created_at: AwareDatetime
    updated_at: AwareDatetime
    previous_secret_expires_at: AwareDatetime | None = Field(
        description="Until then the secret before signs, too: it may be over. null where none was rotated."
    )
    links: EndpointLinks


class WebhookEndpointWithSecret(WebhookEndpoint):
    """An endpoint and the secret that signs for it: keep it, it is not shown again."""

    secret: str = Field(pattern="^whsec_[A-Za-z0-9+/]+={0,2}$")


class WebhookEndpointList(Body):
    """The caller's endpoints, the youngest first."""

    endpoints: list[WebhookEndpoint]


class AttemptFault(Body):
    """Why no answer came, or none that can be read."""

    code: Literal["url_blocked", "connection_failed", "timeout", "bad_answer"]
    detail: str


class DeliveryAttempt(Body):
    """One request to the receiver, and what came of it."""

    number: Annotated[int, Field(ge=1)] = Field(description="As the header `GenreWiz-Attempt` said it.")
    at: AwareDatetime
    duration_seconds: Seconds
    status_code: int | None = Field(description="null where no answer came.")
    error: AttemptFault | None
    reply: str | None = Field(description="How the receiver's answer began.")


class DeliveryLinks(Body):
    """Where to go on, relative to this server."""

    self: str
    redeliver: str
    job: str | None


class ListedDelivery(Body):
    """One event on its way to one receiver."""

    id: DeliveryIdText = Field(description="The `webhook-id` of all its attempts: by it doubles are told.")
    endpoint: EndpointIdText | None = Field(description="null where the job has brought its own URL.")
    url: str = Field(description="Of a URL that a job has brought: without its query.")
    event: AnyEventName
    job: JobIdText | None
    sequence: Sequence = Field(description="Of this job's events, from 1.")
    status: DeliveryStatus
    failed_because: FailedBecause | None
    created_at: AwareDatetime = Field(description="When the event happened.")
    next_attempt_at: AwareDatetime | None = Field(description="null where none will be made.")
    finished_at: AwareDatetime | None
    attempts_made: Count
    links: DeliveryLinks


class WebhookDelivery(ListedDelivery):
    """A delivery and each of its attempts."""

    attempts: list[DeliveryAttempt]


class WebhookDeliveryPage(Body):
    """A page of the caller's deliveries, the youngest first, each without its attempts."""

    deliveries: list[ListedDelivery]
    next_cursor: str | None = Field(description="The `cursor` of the next page; null on the last.")


class Recovered(Body):
    """What came of a recovery."""

    recovered: Count = Field(description="So many deliveries are due again.")


class WebhookTestData(Body):
    """Whom a test is for."""

    endpoint: EndpointIdText


class WebhookTestEvent(Body):
    """The event that `POST …/test` sends."""

    type: Literal["webhook.test"]
    timestamp: AwareDatetime
    sequence: Sequence
    data: WebhookTestData


class ToldProgress(Body):
    """How far the job is."""

    stage: str | None
    fraction: Share


class ToldJob(Body):
    """What an event says of its job: as it was when the event happened. For the rest ask `links.self`."""

    id: JobIdText
    status: JobStatus
    cached: bool = Field(description="The same song was answered before, and this is that answer.")
    attempt: Count = Field(description="Runs so far, this one included.")
    created_at: AwareDatetime
    finished_at: AwareDatetime | None
    progress: ToldProgress
    result: Result | None = Field(description="Without its timeline; null unless it succeeded.")
    error: JobError | None = Field(description="null unless it failed.")
    model: Model | None
    source: Source
    metadata: dict[str, JsonValue] = Field(description="As it was submitted.")
    links: Links


class WebhookJobEvent(Body):
    """An event of a job."""

    type: EventName
    timestamp: AwareDatetime = Field(description="When it happened.")
    sequence: Sequence = Field(
        description="Of this job's events, from 1: what comes late is told from what is newer."
    )
    data: ToldJob
