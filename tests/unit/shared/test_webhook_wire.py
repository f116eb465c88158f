"""What clients see of webhooks: all that helps them, and no secret."""

from dataclasses import replace

from shared.job import JobId
from shared.job_webhook import ENDS, BasicAuth, EndpointId
from shared.webhook_bodies import (
    WebhookDelivery,
    WebhookDeliveryPage,
    WebhookEndpoint,
    WebhookEndpointWithSecret,
    WebhookTestEvent,
)
from shared.webhook_wire import (
    deliveries_body,
    delivery_body,
    endpoint_body,
    endpoint_body_with_secret,
    endpoints_body,
    event_body,
    webhook_test_data,
)
from shared.webhooks import (
    Attempt,
    AttemptError,
    Delivery,
    DeliveryId,
    DeliveryStatus,
    Endpoint,
    SigningSecret,
)

ENDPOINT = Endpoint(
    id=EndpointId("whe_" + "1a" * 12),
    caller="key:1",
    url="https://radio.example/hook?token=t0ken",
    events=ENDS,
    description="studio 2",
    basic_auth=BasicAuth(username="radio", password="tune-in"),
    secrets=(
        SigningSecret(text="whsec_new"),
        SigningSecret(text="whsec_old", until=1_795_000_500.0),
        SigningSecret(text="whsec_older", until=1_795_000_100.0),
    ),
    created_at=1_795_000_000.0,
    updated_at=1_795_000_000.5,
)
DELIVERY = Delivery(
    id=DeliveryId("msg_" + "2b" * 12 + "_3"),
    caller="key:1",
    endpoint=ENDPOINT.id,
    url="https://radio.example/hook",
    event="job.succeeded",
    job_id=JobId("job_" + "2b" * 12),
    sequence=3,
    status=DeliveryStatus.PENDING,
    failed_because=None,
    created_at=1_795_000_000.0,
    next_attempt_at=1_795_000_020.0,
    finished_at=None,
    attempts_made=2,
    attempts=(
        Attempt(number=1, at=1_795_000_001.0, duration_seconds=0.01234, status_code=500, reply="oh no"),
        Attempt(
            number=2,
            at=1_795_000_007.0,
            duration_seconds=15.0,
            error=AttemptError(code="timeout", detail="The receiver took too long."),
        ),
    ),
)


def test_an_endpoint_is_shown_whole_but_for_what_is_secret():
    body = endpoint_body(ENDPOINT)

    assert body == {
        "id": "whe_" + "1a" * 12,
        "url": "https://radio.example/hook?token=t0ken",
        "events": list(ENDS),
        "description": "studio 2",
        "basic_auth": {"username": "radio"},
        "enabled": True,
        "disabled_because": None,
        "failing_since": None,
        "created_at": "2026-11-18T11:06:40.000Z",
        "updated_at": "2026-11-18T11:06:40.500Z",
        "previous_secret_expires_at": "2026-11-18T11:15:00.000Z",
        "links": {
            "self": "/webhook-endpoints/whe_" + "1a" * 12,
            "test": "/webhook-endpoints/whe_" + "1a" * 12 + "/test",
            "rotate_secret": "/webhook-endpoints/whe_" + "1a" * 12 + "/rotate-secret",
            "recover": "/webhook-endpoints/whe_" + "1a" * 12 + "/recover",
            "deliveries": "/webhook-deliveries?endpoint=whe_" + "1a" * 12,
        },
    }
    WebhookEndpoint.model_validate(body)
    assert endpoints_body([ENDPOINT]) == {"endpoints": [body]}


def test_the_secret_that_is_shown_is_the_one_in_force_alone():
    body = endpoint_body_with_secret(ENDPOINT)

    assert body == endpoint_body(ENDPOINT) | {"secret": "whsec_new"}
    WebhookEndpointWithSecret.model_validate(body)


def test_an_endpoint_that_is_disabled_says_why_and_one_without_a_password_has_none():
    body = endpoint_body(
        replace(ENDPOINT, disabled_because="failing", failing_since=1_795_000_000.0, basic_auth=None)
    )

    assert (body["enabled"], body["disabled_because"], body["basic_auth"]) == (False, "failing", None)
    assert body["failing_since"] == "2026-11-18T11:06:40.000Z"


def test_a_delivery_tells_each_attempt_and_a_list_of_them_none():
    body = delivery_body(DELIVERY)

    assert body["attempts"] == [
        {
            "number": 1,
            "at": "2026-11-18T11:06:41.000Z",
            "duration_seconds": 0.012,
            "status_code": 500,
            "error": None,
            "reply": "oh no",
        },
        {
            "number": 2,
            "at": "2026-11-18T11:06:47.000Z",
            "duration_seconds": 15.0,
            "status_code": None,
            "error": {"code": "timeout", "detail": "The receiver took too long."},
            "reply": None,
        },
    ]
    assert (body["job"], body["next_attempt_at"]) == (DELIVERY.job_id, "2026-11-18T11:07:00.000Z")
    WebhookDelivery.model_validate(body)
    page = deliveries_body([DELIVERY], next_cursor="x")
    assert page["deliveries"] == [{name: each for name, each in body.items() if name != "attempts"}]
    WebhookDeliveryPage.model_validate(page)


def test_a_delivery_of_no_job_and_no_endpoint_leads_to_none():
    body = delivery_body(replace(DELIVERY, job_id=None, endpoint=None))

    assert (body["job"], body["links"]["job"], body["endpoint"]) == (None, None, None)


def test_the_event_of_a_test_names_its_endpoint():
    data = webhook_test_data(ENDPOINT.id)
    body = event_body("webhook.test", at=1_795_000_000.0, sequence=1, data=data)

    assert body == {
        "type": "webhook.test",
        "timestamp": "2026-11-18T11:06:40.000Z",
        "sequence": 1,
        "data": {"endpoint": ENDPOINT.id},
    }
    WebhookTestEvent.model_validate(body)
