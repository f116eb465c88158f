"""The section `webhooks` of the OpenAPI document: what receivers are sent, and what they answer.

It says nothing of our own routes: `webhook_operations.py` does.
"""

from typing import Any, Final

from api.openapi.forms import JsonObject
from api.openapi.headers import of_webhooks
from api.openapi.webhook_examples import DELIVERY_ID, SENT_AT, events, signature
from shared.webhook_bodies import WebhookJobEvent, WebhookTestEvent
from shared.webhooks import TEST_EVENT

EVENT_BODIES: Final = (WebhookJobEvent, WebhookTestEvent)

PROGRESS: Final = "job.progress"

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "job.started": ("A worker has begun", "Once, with its first run: not again where a run was lost."),
    PROGRESS: (
        "How far it is",
        "Once in five seconds at most. It is not tried again: there is newer news by then.",
    ),
    "job.succeeded": ("The answer", "`data.result` is the answer, without its timeline."),
    "job.failed": ("It has failed", "`data.error` says why, as a problem does."),
    "job.cancelled": ("It was cancelled", "Nobody wants its answer any more."),
    "job.expired": ("It was too late", "Its deadline has passed before it began."),
    TEST_EVENT: ("A test", "Sent by `POST /webhook-endpoints/{endpoint_id}/test`, to try a receiver with."),
}
_ANSWERS: Final[JsonObject] = {
    "2XX": {"description": "It was taken. Answer at once, and work afterwards: 15 seconds are waited."},
    "410": {
        "description": "Nobody is here any more: an endpoint is disabled, and nothing is tried again until "
        "it is enabled."
    },
    "429": {"description": "It is tried again, after `Retry-After` where there is one; so are the others."},
    "503": {"description": "As with 429."},
    "default": {
        "description": "It is tried again: after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h. "
        "A redirect is not followed."
    },
}
_ANSWERS_TO_PROGRESS: Final[JsonObject] = {
    "2XX": _ANSWERS["2XX"],
    "410": {
        "description": "Nobody is here any more: an endpoint is disabled, and nothing is sent until "
        "it is enabled."
    },
    "429": {"description": "This one is given up; the others wait for `Retry-After` where there is one."},
    "503": {"description": "As with 429."},
    "default": {"description": "It is given up: newer news follows. A redirect is not followed."},
}
"""Of what is sent once."""


def webhooks() -> JsonObject:
    """An entry of each event."""
    return {name: {"post": _operation(name)} for name in events()}


def webhook_parameters() -> JsonObject:
    """The headers of every event, by name in the components."""
    return of_webhooks(webhook_id=DELIVERY_ID, timestamp=SENT_AT, signature=signature())


def event_examples() -> dict[str, Any]:
    """What is sent, by its name among examples."""
    return {
        name.replace(".", "_"): {"summary": _WORDS[name][0], "value": value}
        for name, value in events().items()
    }


def _operation(name: str) -> JsonObject:
    kind = WebhookTestEvent if name == TEST_EVENT else WebhookJobEvent
    summary, description = _WORDS[name]
    example = name.replace(".", "_")
    return {
        "tags": ["webhooks"],
        "summary": summary,
        "description": f"{description} Check the signature of the bytes as they come, before they are read.",
        "parameters": [{"$ref": f"#/components/parameters/{each}"} for each in webhook_parameters()],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "allOf": [
                            {"$ref": f"#/components/schemas/{kind.__name__}"},
                            {"type": "object", "properties": {"type": {"const": name}}},
                        ]
                    },
                    "examples": {example: {"$ref": f"#/components/examples/event_sent_{example}"}},
                }
            },
        },
        "responses": _ANSWERS_TO_PROGRESS if name == PROGRESS else _ANSWERS,
        # The signature tells who sends it; Basic authentication comes beside it where it was asked for.
        "security": [],
    }
