"""Which right each route needs: the one table. A route that is missing here is open to nobody with keys on.

It knows no request.
"""

from typing import Final

from shared.api_keys import Right

OPEN: Final = frozenset(
    {
        "/",
        "/r/<job_id>",  # the page, which asks for the job by itself
        "/static/samples/<path:filename>",
        "/static/page/<path:filename>",
        "/livez",
        "/readyz",
        "/docs",
        "/docs/<path:filename>",
        "/openapi.json",
        "/models",
        "/models/<name>",
        "/problems/<code>",
    }
)
"""Rules that need no key, ask Redis for nothing of a caller's, and are counted against no limit."""

NEEDED: Final[dict[tuple[str, str], Right]] = {
    ("POST", "/jobs"): "submit",
    ("GET", "/jobs"): "read",
    ("GET", "/jobs/<job_id>"): "read",
    ("DELETE", "/jobs/<job_id>"): "submit",
    ("POST", "/jobs/<job_id>/cancel"): "submit",
    ("GET", "/jobs/<job_id>/events"): "read",
    ("POST", "/jobs/<job_id>/events-token"): "read",
    ("GET", "/jobs/<job_id>/spectrogram.png"): "read",
    ("POST", "/webhook-endpoints"): "submit",
    ("GET", "/webhook-endpoints"): "read",
    ("GET", "/webhook-endpoints/<endpoint_id>"): "read",
    ("PATCH", "/webhook-endpoints/<endpoint_id>"): "submit",
    ("DELETE", "/webhook-endpoints/<endpoint_id>"): "submit",
    ("POST", "/webhook-endpoints/<endpoint_id>/rotate-secret"): "submit",
    ("POST", "/webhook-endpoints/<endpoint_id>/test"): "submit",
    ("POST", "/webhook-endpoints/<endpoint_id>/recover"): "submit",
    ("GET", "/webhook-deliveries"): "read",
    ("GET", "/webhook-deliveries/<delivery_id>"): "read",
    ("POST", "/webhook-deliveries/<delivery_id>/redeliver"): "submit",
}

BY_TOKEN: Final = frozenset({("GET", "/jobs/<job_id>/events")})
"""What may also be asked for with a token in the address: an EventSource sends no headers."""


def right_for(method: str, rule: str) -> Right | None:
    """The right that a request needs; None where no key has it."""
    return NEEDED.get(("GET" if method == "HEAD" else method, rule))
