"""What a job says of its webhook: who is to hear of which of its events.

It knows neither how events are kept nor how they are sent (`webhooks.py`).
"""

from dataclasses import dataclass, field
from typing import Final, Literal, NewType, get_args

EndpointId = NewType("EndpointId", str)
"""`whe_` and 24 hexadecimal digits."""

EventName = Literal[
    "job.started", "job.progress", "job.succeeded", "job.failed", "job.cancelled", "job.expired"
]
EVENTS: Final[tuple[EventName, ...]] = get_args(EventName)
ENDS: Final[tuple[EventName, ...]] = ("job.succeeded", "job.failed", "job.cancelled", "job.expired")
"""What a webhook is told of unless it says otherwise."""


@dataclass(frozen=True, kw_only=True)
class BasicAuth:
    """A user name and a password, for receivers that know nothing else."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class InlineDestination:
    """What a job brings along. Without a secret its events are signed with the instance's own."""

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    basic_auth: BasicAuth | None = None


@dataclass(frozen=True, kw_only=True)
class JobWebhook:
    """Where a job's events go: to an endpoint, whose own list of events holds, or to where the job says."""

    endpoint: EndpointId | None = None
    events: tuple[EventName, ...] = ENDS
    destination: InlineDestination | None = None
    lane: str  # deliveries of one lane share its patience: one bad receiver holds up no other lane
    shown_url: str = ""  # of an inline one, as far as it may be shown
