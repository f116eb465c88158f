"""Where events are sent: webhooks of a single job, and endpoints that jobs can name, as frozen values.

What a newer server says besides is passed over here (it stands in `raw`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final, TypeAlias

from genrewiz.client.arguments import check_id, check_text
from genrewiz.client.job import Json, text_of, time_of

ENDPOINT_PREFIX: Final = "whe_"

BasicAuth: TypeAlias = tuple[str, str]
"""A user name and a password, for receivers that know nothing else."""


class Unchanged(Enum):
    """What is not mentioned, where None would be something."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Who is to hear of one job.

        client.submit("song.mp3", webhook=Webhook(url="https://radio.example/hook", events=["job.failed"]))

    events: their names; without, those of a job's end. secret: `whsec_…`; without, the server's own signs.
    """

    url: str = field(repr=False)  # paths and queries of hooks are secrets often enough
    events: Sequence[str] | None = None
    secret: str | None = field(default=None, repr=False)
    basic_auth: BasicAuth | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A receiver that jobs can name: `client.submit("song.mp3", webhook=endpoint)`."""

    id: str
    url: str = field(repr=False)
    events: tuple[str, ...]
    description: str
    username: str | None  # of Basic authentication, where that is used
    enabled: bool
    disabled_because: str | None  # on_request, gone (it answered 410) or failing
    failing_since: datetime | None  # nothing has succeeded since
    created_at: datetime | None
    updated_at: datetime | None
    previous_secret_expires_at: datetime | None  # until then both sign
    secret: str | None = field(repr=False)  # told once: when it is made, and when it is changed
    links: Mapping[str, str | None] = field(hash=False)
    raw: Json = field(repr=False, hash=False, compare=False)
    """The JSON as it came."""

    @classmethod
    def of(cls, body: Any) -> "Endpoint":
        """From the JSON of an endpoint; ValueError."""
        try:
            return cls(
                id=text_of(body["id"]),
                url=text_of(body["url"]),
                events=tuple(map(text_of, body.get("events") or ())),
                description=body.get("description") or "",
                username=(body.get("basic_auth") or {}).get("username"),
                enabled=bool(body.get("enabled", True)),
                disabled_because=body.get("disabled_because"),
                failing_since=time_of(body.get("failing_since")),
                created_at=time_of(body.get("created_at")),
                updated_at=time_of(body.get("updated_at")),
                previous_secret_expires_at=time_of(body.get("previous_secret_expires_at")),
                secret=body.get("secret"),
                links=dict(body.get("links") or {}),
                raw=body,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("this is no endpoint") from error


WebhookLike: TypeAlias = str | Webhook | Endpoint
"""A URL, the id of an endpoint, a Webhook, or an Endpoint."""


def endpoint_id(endpoint: str | Endpoint) -> str:
    """The id of the endpoint that is meant."""
    if isinstance(endpoint, Endpoint):
        return endpoint.id
    return check_id("endpoint", endpoint, kind="an Endpoint or its id")


def webhook_body(webhook: WebhookLike) -> Json:
    """What a job says of its webhook, as JSON; TypeError and ValueError."""
    if isinstance(webhook, Endpoint):
        return {"endpoint": webhook.id}
    if isinstance(webhook, Webhook):
        return destination(
            url=check_text("url", webhook.url),
            events=webhook.events,
            secret=webhook.secret,
            basic_auth=webhook.basic_auth,
        )
    text = check_text("webhook", webhook, kind="a URL, the id of an endpoint, a Webhook or an Endpoint")
    return {"endpoint" if text.startswith(ENDPOINT_PREFIX) else "url": text}


def destination(
    *, events: Sequence[str] | None, basic_auth: BasicAuth | None = None, **texts: str | None
) -> Json:
    """The JSON of what was given alone; a secret that is none is the server's to refuse."""
    said: Json = {name: check_text(name, text) for name, text in texts.items() if text is not None}
    if events is not None:
        said["events"] = _names(events)
    if basic_auth is not None:
        said["basic_auth"] = basic_auth_body(basic_auth)
    return said


def basic_auth_body(basic_auth: BasicAuth) -> Json:
    """A user name and a password, as JSON."""
    match basic_auth:
        case (str(username), str(password)):
            return {"username": username, "password": password}
    raise TypeError("basic_auth is a pair of texts: a user name and a password.")


def _names(events: Sequence[str]) -> list[str]:
    if isinstance(events, str):  # whose letters would be names
        raise TypeError("events are names in a list, and not one text.")
    return [check_text("events", each, kind="names in a list") for each in events]
