"""Deliveries as the dispatcher takes them, for tests without a Redis."""

from typing import Any

from shared.webhooks import Destination, DueDelivery

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"type":"job.succeeded","timestamp":"2026-01-02T03:04:05Z","sequence":1,"data":{}}'
JOB = "job_" + 24 * "a"


def due_delivery(url: str = "https://hook.example/", **fields: Any) -> DueDelivery:
    """A delivery that was claimed just now, for the first time."""
    given = {
        "id": f"msg_{JOB.removeprefix('job_')}_1",
        "token": 1,
        "number": 1,
        "tries": 0,
        "event": "job.succeeded",
        "endpoint": None,
        "job_id": JOB,
        "created_at": 1_700_000_000.0,
        "claimed_at": 1_700_000_002.5,
        "destination": Destination(url=url, secrets=(SECRET,)),
        "body": BODY,
    }
    return DueDelivery(**(given | fields))
