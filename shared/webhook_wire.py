"""The JSON of webhooks: endpoints and deliveries as clients see them, and events as receivers do.

It decides nothing, and never shows a secret unless it is told to; what an event says of a job is `wire.py`'s.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.webhooks import Attempt, Delivery, Endpoint
from shared.wire import SECONDS_DIGITS, time_text


def endpoint_body(endpoint: Endpoint) -> dict[str, Any]:
    """An endpoint as every route shows it. Its URL is its owner's to see, its password nobody's."""
    here = f"/webhook-endpoints/{endpoint.id}"
    expiries = [secret.until for secret in endpoint.secrets if secret.until is not None]
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "events": list(endpoint.events),
        "description": endpoint.description,
        "basic_auth": {"username": endpoint.basic_auth.username} if endpoint.basic_auth else None,
        "enabled": endpoint.is_enabled,
        "disabled_because": endpoint.disabled_because,
        "failing_since": time_text(endpoint.failing_since),
        "created_at": time_text(endpoint.created_at),
        "updated_at": time_text(endpoint.updated_at),
        "previous_secret_expires_at": time_text(max(expiries, default=None)),
        "links": {
            "self": here,
            "test": f"{here}/test",
            "rotate_secret": f"{here}/rotate-secret",
            "recover": f"{here}/recover",
            "deliveries": f"/webhook-deliveries?endpoint={endpoint.id}",
        },
    }


def endpoint_body_with_secret(endpoint: Endpoint) -> dict[str, Any]:
    """The same and the secret in force: for the two answers to whoever has just had it made."""
    return endpoint_body(endpoint) | {"secret": endpoint.secrets[0].text}


def endpoints_body(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """All endpoints of a caller."""
    return {"endpoints": [endpoint_body(endpoint) for endpoint in endpoints]}


def delivery_body(delivery: Delivery) -> dict[str, Any]:
    """A delivery with each of its attempts."""
    body = _delivery_without_attempts(delivery)
    links = body.pop("links")
    return body | {"attempts": [_attempt_body(attempt) for attempt in delivery.attempts], "links": links}


def deliveries_body(deliveries: Iterable[Delivery], *, next_cursor: str | None) -> dict[str, Any]:
    """A page of deliveries, each without its attempts: their replies would be most of the page."""
    return {
        "deliveries": [_delivery_without_attempts(delivery) for delivery in deliveries],
        "next_cursor": next_cursor,
    }


def recovered_body(recovered: int) -> dict[str, Any]:
    """How many deliveries are due again."""
    return {"recovered": recovered}


def event_body(event: str, *, at: float, sequence: int, data: Mapping[str, Any]) -> dict[str, Any]:
    """What a receiver is sent: that it happened at this time, as the so-manieth of its job's events."""
    return {"type": event, "timestamp": time_text(at), "sequence": sequence, "data": data}


def webhook_test_data(endpoint: str) -> dict[str, Any]:
    """The data of a `webhook.test`, by which an endpoint's owner sees that it arrives."""
    return {"endpoint": endpoint}


def _delivery_without_attempts(delivery: Delivery) -> dict[str, Any]:
    here = f"/webhook-deliveries/{delivery.id}"
    return {
        "id": delivery.id,
        "endpoint": delivery.endpoint,
        "url": delivery.url,
        "event": delivery.event,
        "job": delivery.job_id,
        "sequence": delivery.sequence,
        "status": delivery.status.value,
        "failed_because": delivery.failed_because,
        "created_at": time_text(delivery.created_at),
        "next_attempt_at": time_text(delivery.next_attempt_at),
        "finished_at": time_text(delivery.finished_at),
        "attempts_made": delivery.attempts_made,
        "links": {
            "self": here,
            "redeliver": f"{here}/redeliver",
            "job": f"/jobs/{delivery.job_id}" if delivery.job_id else None,
        },
    }


def _attempt_body(attempt: Attempt) -> dict[str, Any]:
    error = attempt.error
    return {
        "number": attempt.number,
        "at": time_text(attempt.at),
        "duration_seconds": round(attempt.duration_seconds, SECONDS_DIGITS),
        "status_code": attempt.status_code,
        "error": {"code": error.code, "detail": error.detail} if error else None,
        "reply": attempt.reply,
    }
