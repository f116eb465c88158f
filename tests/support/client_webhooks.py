"""Endpoints and deliveries as JSON, as a server sends them to the client."""

from typing import Any

ENDPOINT = "whe_0123456789abcdef01234567"
DELIVERY = "msg_0123456789abcdef01234567_1"
JOB = "job_0123456789abcdef01234567"
TIME = "2026-01-02T03:04:05.678Z"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def endpoint(**changes: Any) -> dict[str, Any]:
    """An endpoint that is well."""
    return {
        "id": ENDPOINT,
        "url": "https://radio.example/hook",
        "events": ["job.succeeded", "job.failed"],
        "description": "fm4",
        "basic_auth": None,
        "enabled": True,
        "disabled_because": None,
        "failing_since": None,
        "created_at": TIME,
        "updated_at": TIME,
        "previous_secret_expires_at": None,
        "links": {"self": f"/webhook-endpoints/{ENDPOINT}"},
    } | changes


def delivery(status: str = "delivered", **changes: Any) -> dict[str, Any]:
    """A delivery, as lists have it: without its attempts."""
    return {
        "id": DELIVERY,
        "endpoint": ENDPOINT,
        "url": "https://radio.example/hook",
        "event": "job.succeeded",
        "job": JOB,
        "sequence": 1,
        "status": status,
        "failed_because": "attempts_exhausted" if status == "failed" else None,
        "created_at": TIME,
        "next_attempt_at": TIME if status == "pending" else None,
        "finished_at": None if status == "pending" else TIME,
        "attempts_made": 0 if status == "pending" else 1,
        "links": {"self": f"/webhook-deliveries/{DELIVERY}"},
    } | changes


def attempt(number: int = 1, **changes: Any) -> dict[str, Any]:
    """One that was answered well."""
    return {
        "number": number,
        "at": TIME,
        "duration_seconds": 0.25,
        "status_code": 204,
        "error": None,
        "reply": "",
    } | changes
