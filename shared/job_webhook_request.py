"""What a client asks for of a job's webhook, as a type: strict, and whatever is not known in it is refused.

It judges no URL (`egress.py` does) and looks up no endpoint.
"""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.job_webhook import ENDS
from shared.webhook_requests import BasicAuthRequest, Events, Secret


class JobWebhookRequest(BaseModel):
    """Who is told of the job: a receiver of its own, or an endpoint that was made before."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        json_schema_extra={
            "oneOf": [
                {"required": ["url"], "properties": {"endpoint": False}},
                {
                    "required": ["endpoint"],
                    "properties": dict.fromkeys(("url", "events", "secret", "basic_auth"), False),
                },
            ]
        },
    )

    # Of what is left out there is no value, and the document shows no default: `null` is none of these.
    url: str = Field(
        default_factory=str,
        min_length=1,
        repr=False,
        description="Where this job's events are sent, by `POST`: https, no address inside.",
    )
    endpoint: str = Field(
        default_factory=str, min_length=1, description="The id of an endpoint of yours; its `events` hold."
    )
    events: Events = Field(default=ENDS, description="The events that are sent.")
    secret: Secret | None = Field(
        default=None,
        repr=False,
        description="Signs what is sent. Left out, the instance's own does (`genrewiz keys webhook-secret`).",
    )
    basic_auth: BasicAuthRequest | None = None

    @model_validator(mode="after")
    def _one_receiver(self) -> Self:
        given: set[Any] = self.model_fields_set
        if "endpoint" in given and given != {"endpoint"}:
            raise ValueError("an `endpoint` stands alone: its events and secret are its own")
        if not given & {"url", "endpoint"}:
            raise ValueError("give the `url` of a receiver, or the id of an `endpoint`")
        return self
