"""What clients ask for of webhooks, as types: strict, and whatever is not known in them is refused.

It judges no URL (`egress.py` does), and knows neither what is kept nor what is answered.
"""

import re
from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from shared.job_webhook import ENDS, BasicAuth, EventName
from shared.webhook_secrets import RULE, is_secret

MAX_DESCRIPTION_CHARACTERS: Final = 500
MAX_CREDENTIAL_CHARACTERS: Final = 255
EXAMPLE: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""Of a secret: that of the specification's test vector."""

MOMENT_RULE: Final = "a time with its zone, as 2026-11-23T19:00:00Z"
_RFC_3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_NO_CONTROLS = r"\x00-\x1f\x7f"
_BASE64 = "[A-Za-z0-9+/]"
_SECRET_PATTERN: Final = (
    f"^whsec_({_BASE64}{{32}}({_BASE64}{{4}}){{0,12}}({_BASE64}{{2}}==|{_BASE64}{{3}}=)?"
    f"|{_BASE64}{{84}}({_BASE64}{{2}}==)?)$"
)
"""24 to 64 bytes."""


def _once_each(events: tuple[EventName, ...]) -> tuple[EventName, ...]:
    if not events:
        raise ValueError("name one event at least")
    if len(set(events)) < len(events):
        raise ValueError("an event is named twice")
    return events


def _secret(text: str) -> str:
    if not is_secret(text):
        raise ValueError(RULE)
    return text


def _username(text: str) -> str:
    if not text or ":" in text:
        raise ValueError("a user name has one character at least, and no colon")
    return _credential(text)


def _credential(text: str) -> str:
    if any(character < " " or character == "\x7f" for character in text):
        raise ValueError("control characters are not allowed here")
    if len(text) > MAX_CREDENTIAL_CHARACTERS:
        raise ValueError(f"at most {MAX_CREDENTIAL_CHARACTERS} characters")
    return text


def parse_moment(text: str) -> datetime:
    """A time as RFC 3339 writes it; ValueError."""
    if not _RFC_3339.fullmatch(text):
        raise ValueError(MOMENT_RULE)
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError(MOMENT_RULE) from None


def _moment(value: object) -> object:
    return parse_moment(value) if isinstance(value, str) else value


Events = Annotated[
    tuple[EventName, ...],
    AfterValidator(_once_each),
    Field(
        description="The events that are sent.",
        json_schema_extra={"minItems": 1, "uniqueItems": True},
    ),
]
Secret = Annotated[
    str,
    AfterValidator(_secret),
    Field(
        description=f"Signs what is sent: {RULE}. Left out, a good one is made.",
        json_schema_extra={"pattern": _SECRET_PATTERN, "examples": [EXAMPLE]},
    ),
]
Url = Annotated[
    str,
    Field(
        min_length=1,
        repr=False,
        description="Where events are sent, by `POST`: https, no address inside. No redirect is followed.",
    ),
]
Description = Annotated[
    str, Field(max_length=MAX_DESCRIPTION_CHARACTERS, description="Yours: shown wherever the endpoint is.")
]


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class BasicAuthRequest(_Asked):
    """What the receiver asks for by HTTP Basic authentication, beside the signature."""

    username: Annotated[
        str,
        AfterValidator(_username),
        Field(
            json_schema_extra={
                "minLength": 1,
                "maxLength": MAX_CREDENTIAL_CHARACTERS,
                "pattern": f"^[^:{_NO_CONTROLS}]*$",
            }
        ),
    ]
    password: Annotated[
        str,
        AfterValidator(_credential),
        Field(
            repr=False,
            description="It is never shown again.",
            json_schema_extra={"maxLength": MAX_CREDENTIAL_CHARACTERS, "pattern": f"^[^{_NO_CONTROLS}]*$"},
        ),
    ]

    @property
    def value(self) -> BasicAuth:
        """As the service knows it."""
        return BasicAuth(username=self.username, password=self.password)


class EndpointRequest(_Asked):
    """A receiver that jobs can name from now on."""

    url: Url
    events: Events = ENDS
    description: Description = ""
    basic_auth: BasicAuthRequest | None = None
    secret: Secret | None = Field(default=None, repr=False)


class EndpointChange(_Asked):
    """What is to be another at an endpoint: what is left out stays as it is."""

    # Of what is left out there is no value: `changes` says what is there, and the document shows no default.
    url: Url = Field(default_factory=str)
    events: Events = Field(default_factory=tuple)
    description: Description = Field(default_factory=str)
    basic_auth: BasicAuthRequest | None = Field(
        default_factory=lambda: None, description="`null`: from now on without."
    )
    enabled: bool = Field(
        default_factory=bool,
        description="`false`: nothing is sent but tests. `true`: also where it was disabled by its failures.",
    )

    @property
    def changes(self) -> dict[str, object]:
        """By field, in the service's own words: those that were asked for."""
        asked = {name: getattr(self, name) for name in self.model_fields_set}
        if self.basic_auth is not None:
            asked["basic_auth"] = self.basic_auth.value
        return asked


class SecretRotation(_Asked):
    """Another secret for an endpoint."""

    secret: Secret | None = Field(default=None, repr=False)


class Recovery(_Asked):
    """Which failed deliveries are to be sent again."""

    since: Annotated[
        AwareDatetime,
        BeforeValidator(_moment),
        Field(description="Those of events from then on: a time with its zone, RFC 3339."),
    ]
