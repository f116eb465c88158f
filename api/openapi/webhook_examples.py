"""Examples of webhooks for the OpenAPI document, made by what makes the real answers and signatures.

It holds values alone, the same at every call.
"""

import json
from dataclasses import replace
from typing import Any, Final

from api.openapi.examples import ACCEPTED_AT, HOOK_URL, JOB_ID, job_at
from shared.job_webhook import ENDS, EVENTS, BasicAuth, EndpointId
from shared.webhook_requests import EXAMPLE as SECRET
from shared.webhook_secrets import signatures
from shared.webhook_wire import (
    deliveries_body,
    delivery_body,
    endpoint_body,
    endpoint_body_with_secret,
    endpoints_body,
    event_body,
    recovered_body,
    webhook_test_data,
)
from shared.webhooks import (
    TEST_EVENT,
    Attempt,
    AttemptError,
    Delivery,
    DeliveryId,
    DeliveryStatus,
    Endpoint,
    SigningSecret,
)
from shared.wire import event_data_body, time_text

ENDPOINT_ID: Final = EndpointId("whe_0c1d2e3f4a5b6c7d8e9f0a1b")
DELIVERY_ID: Final = DeliveryId("msg_5f1d7a9c3b2e4d6f8a0b1c2d_1")
SENT_AT: Final = int(ACCEPTED_AT) + 7
_STATES: Final = {
    "job.started": "running",
    "job.progress": "running",
    "job.succeeded": "succeeded",
    "job.failed": "failed",
    "job.cancelled": "cancelled",
    "job.expired": "expired",
}


def groups() -> dict[str, dict[str, Any]]:
    """Examples by the name that operations have for them, and by what they show."""
    endpoint, failing = _endpoint(), _failing()
    return {
        "endpoint_request": {
            "a_url_and_nothing_else": _example("A receiver of ends", {"url": HOOK_URL}),
            "everything": _example(
                "Everything that can be asked for",
                {
                    "url": HOOK_URL,
                    "events": ["job.started", "job.succeeded", "job.failed"],
                    "description": "studio 2",
                    "basic_auth": {"username": "radio", "password": "a long password"},
                    "secret": SECRET,
                },
            ),
        },
        "endpoint_change": {
            "move": _example("To another URL", {"url": "https://radio.example/hooks/new"}),
            "disable": _example("Nothing for now", {"enabled": False}),
            "open": _example("Without Basic authentication", {"basic_auth": None}),
        },
        "rotation": {
            "theirs": _example("A secret is made", {}),
            "yours": _example("A secret of yours", {"secret": SECRET}),
        },
        "recovery": {
            "since": _example("What has failed since a moment", {"since": time_text(ACCEPTED_AT)}),
        },
        "endpoint": {
            "enabled": _example("It is told of ends", endpoint_body(endpoint)),
            "failing": _example("It was given up after days of failures", endpoint_body(failing)),
        },
        "endpoint_with_secret": {
            "new": _example("The secret is shown this once", endpoint_body_with_secret(endpoint)),
        },
        "endpoints": {"two": _example("Two receivers", endpoints_body([failing, endpoint]))},
        "delivery": {
            "test": _example("A test that is due", delivery_body(_test())),
            "retried": _example("It is tried again", delivery_body(_retried())),
            "delivered": _example("It has arrived", delivery_body(_delivered())),
        },
        "delivery_page": {
            "example": _example(
                "A page with one delivery, and more behind it",
                deliveries_body(
                    [_delivered()],
                    next_cursor="MTc5NTAwMDAwMC4wIG1zZ181ZjFkN2E5YzNiMmU0ZDZmOGEwYjFjMmRfMQ",
                ),
            )
        },
        "recovered": {"example": _example("Three are due again", recovered_body(3))},
    }


def events() -> dict[str, dict[str, Any]]:
    """What is sent, by the name of the event."""
    told = {
        name: event_body(name, at=ACCEPTED_AT, sequence=1, data=event_data_body(job_at(_STATES[name])))
        for name in EVENTS
    }
    return told | {
        TEST_EVENT: event_body(TEST_EVENT, at=ACCEPTED_AT, sequence=1, data=webhook_test_data(ENDPOINT_ID))
    }


def signature() -> str:
    """Of the end of a job as it is sent, by the secret of the examples."""
    body = json.dumps(events()["job.succeeded"], separators=(",", ":")).encode()
    return signatures([SECRET], webhook_id=DELIVERY_ID, timestamp=SENT_AT, body=body)


def _example(summary: str, value: object) -> dict[str, Any]:
    return {"summary": summary, "value": value}


def _endpoint() -> Endpoint:
    return Endpoint(
        id=ENDPOINT_ID,
        caller="",
        url=HOOK_URL,
        events=ENDS,
        description="studio 2",
        basic_auth=BasicAuth(username="radio", password=""),
        secrets=(SigningSecret(text=SECRET),),
        created_at=ACCEPTED_AT,
        updated_at=ACCEPTED_AT,
    )


def _failing() -> Endpoint:
    return replace(
        _endpoint(),
        id=EndpointId("whe_1a2b3c4d5e6f708192a3b4c5"),
        disabled_because="failing",
        failing_since=ACCEPTED_AT + 60,
        updated_at=ACCEPTED_AT + 60 + 432_000,
        basic_auth=None,
    )


def _retried() -> Delivery:
    return Delivery(
        id=DELIVERY_ID,
        caller="",
        endpoint=ENDPOINT_ID,
        url=HOOK_URL,
        event="job.succeeded",
        job_id=JOB_ID,
        sequence=1,
        status=DeliveryStatus.PENDING,
        failed_because=None,
        created_at=ACCEPTED_AT,
        next_attempt_at=ACCEPTED_AT + 320,
        finished_at=None,
        attempts_made=2,
        attempts=(
            Attempt(
                number=1,
                at=ACCEPTED_AT + 0.02,
                duration_seconds=0.084,
                status_code=500,
                reply="Internal Server Error",
            ),
            Attempt(
                number=2,
                at=ACCEPTED_AT + 5.4,
                duration_seconds=15.0,
                error=AttemptError(code="timeout", detail="The receiver took too long."),
            ),
        ),
    )


def _delivered() -> Delivery:
    taken = Attempt(number=1, at=ACCEPTED_AT + 0.02, duration_seconds=0.031, status_code=204, reply="")
    return replace(
        _retried(),
        status=DeliveryStatus.DELIVERED,
        next_attempt_at=None,
        finished_at=ACCEPTED_AT + 0.051,
        attempts_made=1,
        attempts=(taken,),
    )


def _test() -> Delivery:
    return replace(
        _retried(),
        id=DeliveryId("msg_9a8b7c6d5e4f3a2b1c0d9e8f"),
        event=TEST_EVENT,
        job_id=None,
        next_attempt_at=ACCEPTED_AT,
        attempts_made=0,
        attempts=(),
    )
