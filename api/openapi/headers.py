"""Parameters and headers of the OpenAPI document: each is described once and referred to.

It says what a header means, and not which operation has it.
"""

from typing import Final

from api.idempotency import MAX_CHARACTERS
from api.openapi.forms import JsonObject
from api.pages import DEFAULT_LIMIT, MAX_LIMIT
from shared.job import JobStatus
from shared.trace import MAX_REQUEST_ID_CHARACTERS
from shared.webhooks import DeliveryStatus

TRACEPARENT_EXAMPLE: Final = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_REQUEST_ID: Final = rf"^[A-Za-z0-9._:-]{{1,{MAX_REQUEST_ID_CHARACTERS}}}$"


def parameters(job_id: str, endpoint_id: str, delivery_id: str) -> dict[str, JsonObject]:
    """By name in the components; the ids are examples."""
    return {
        "JobId": {
            "name": "job_id",
            "in": "path",
            "required": True,
            "description": "As the job's `id` says it.",
            "schema": {"type": "string", "pattern": "^job_[0-9a-f]{24}$"},
            "example": job_id,
        },
        "EndpointId": {
            "name": "endpoint_id",
            "in": "path",
            "required": True,
            "description": "As the endpoint's `id` says it.",
            "schema": {"type": "string", "pattern": "^whe_[0-9a-f]{24}$"},
            "example": endpoint_id,
        },
        "DeliveryId": {
            "name": "delivery_id",
            "in": "path",
            "required": True,
            "description": "As the delivery's `id` and the header `webhook-id` say it.",
            "schema": {"type": "string", "pattern": "^msg_[0-9a-f]{24}(_[1-9][0-9]{0,14})?$"},
            "example": delivery_id,
        },
        "ModelName": {
            "name": "name",
            "in": "path",
            "required": True,
            "description": "As `options.model` names it.",
            "schema": {"type": "string", "minLength": 1},
            "example": "pcrnn",
        },
        "ProblemCode": {
            "name": "code",
            "in": "path",
            "required": True,
            "description": "The last part of a problem's `type`.",
            "schema": {"type": "string", "pattern": "^[a-z-]+$"},
            "example": "queue-full",
        },
        "Status": _query(
            "status", "Only jobs in this state.", {"enum": [status.value for status in JobStatus]}
        ),
        "EndpointOfDeliveries": _query(
            "endpoint", "Only deliveries at this endpoint of yours.", {"pattern": "^whe_[0-9a-f]{24}$"}
        ),
        "DeliveryStatus": _query(
            "status", "Only deliveries that stand so.", {"enum": [status.value for status in DeliveryStatus]}
        ),
        "Since": _query(
            "since", "Only deliveries of events from then on, with its zone.", {"format": "date-time"}
        ),
        "Limit": _query(
            "limit",
            "So many at most.",
            {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        ),
        "Cursor": _query(
            "cursor",
            "The `next_cursor` of the page before. It stays good while others come and go.",
            {"type": "string"},
        ),
        "Token": _query(
            "token",
            "What `POST /jobs/{job_id}/events-token` gave, for browsers whose EventSource sends no headers.",
            {"type": "string"},
        ),
        "IdempotencyKey": _header(
            "Idempotency-Key",
            "A text of your own for each new request. Sent again with the same key, also at the same time or "
            "after a crash, the same request makes no second job: the answer is the first one's.",
            {"maxLength": MAX_CHARACTERS, "pattern": "^[!-+.-~-]([ -+.-~-]*[!-+.-~-])?$"},
            "8e03978e-40d5-43e8-bc93-6894a57f9324",
        ),
        "Prefer": _header(
            "Prefer",
            "`wait=N` keeps the answer back until the job has ended, for N seconds at most (RFC 7240). "
            "What cannot be read is ignored.",
            {},
            "wait=10",
        ),
        "IfNoneMatch": _header(
            "If-None-Match", "An `ETag`: where it is still so, the answer is 304.", {}, '"6f1e"'
        ),
        "LastEventId": _header(
            "Last-Event-ID",
            "The `id` of the last event that came: the stream goes on behind it, from any server process.",
            {},
            "1795000000300-0",
        ),
        "RequestId": _header(
            "X-Request-Id",
            "Your own name for this request, for the logs; one that cannot stand there is replaced.",
            {},
            "req-42",
        ),
        "Traceparent": _header(
            "traceparent",
            "Your place in a trace (W3C Trace Context): our logs go on with it.",
            {},
            TRACEPARENT_EXAMPLE,
        ),
    }


def of_webhooks(*, webhook_id: str, timestamp: int, signature: str) -> dict[str, JsonObject]:
    """What a receiver gets, by name in the components; the arguments are examples."""
    return {
        "WebhookId": _sent(
            "webhook-id",
            "Names the event. It is the same at every attempt: what has come with it before is a double.",
            webhook_id,
        ),
        "WebhookTimestamp": _sent(
            "webhook-timestamp",
            "When this attempt was made, in seconds since 1970: refuse what is older than some minutes.",
            str(timestamp),
        ),
        "WebhookSignature": _sent(
            "webhook-signature",
            "`v1,` and the Base64 of HMAC-SHA256 over `webhook-id`, `.`, `webhook-timestamp`, `.` and the "
            "body as it comes, by the secret's bytes. While a secret is rotated there are two, between "
            "spaces: one that fits is enough.",
            signature,
        ),
        "WebhookAttempt": _sent("GenreWiz-Attempt", "Which attempt this is, from 1.", "2"),
        "WebhookRetryReason": _header(
            "GenreWiz-Retry-Reason",
            "Why there is another attempt: what came of the one before (`http_500`, "
            "`timeout`, `connection_failed`, `url_blocked`, `bad_answer`), or `redelivery`: wished for.",
            {},
            "http_500",
        ),
        "WebhookTraceparent": _header(
            "traceparent", "The job's place in a trace (W3C Trace Context).", {}, TRACEPARENT_EXAMPLE
        ),
    }


HEADERS: Final[dict[str, JsonObject]] = {
    "RequestId": {
        "description": "Names this request in our logs: yours, where it was usable.",
        "required": True,
        "schema": {"type": "string", "pattern": _REQUEST_ID},
        "example": "req_0f5c1b2d3e4a5968",
    },
    "Location": {
        "description": "Where it is.",
        "required": True,
        "schema": {"type": "string"},
        "example": "/jobs/job_5f1d7a9c3b2e4d6f8a0b1c2d",
    },
    "RetryAfter": {
        "description": "Ask again after so many seconds, not earlier.",
        "schema": {"type": "integer", "minimum": 0},
        "example": 1,
    },
    "PreferenceApplied": {
        "description": "The `wait` that was honoured, cut where it was too long.",
        "schema": {"type": "string"},
        "example": "wait=10",
    },
    "ETag": {
        "description": "Of this very body: send it as `If-None-Match` next time.",
        "required": True,
        "schema": {"type": "string"},
        "example": '"6f1ed002ab5595859014ebf0951522d9"',
    },
    "CacheControl": {
        "description": "Who may keep the answer, and for how long.",
        "schema": {"type": "string"},
        "example": "private, no-cache",
    },
    "Link": {
        "description": 'The next page, as `rel="next"`; absent on the last.',
        "schema": {"type": "string"},
        "example": '</jobs?limit=20&cursor=MTc5>; rel="next"',
    },
    "WwwAuthenticate": {
        "description": "How to show who asks.",
        "required": True,
        "schema": {"type": "string"},
        "example": "Bearer",
    },
    "RateLimitPolicy": {
        "description": "How often you may ask: requests, and the seconds of the window.",
        "schema": {"type": "string"},
        "example": "6000;w=60",
    },
    "RateLimitLimit": {
        "description": "Requests that a window takes.",
        "schema": {"type": "integer", "minimum": 0},
        "example": 6_000,
    },
    "RateLimitRemaining": {
        "description": "Requests that are left in this window.",
        "schema": {"type": "integer", "minimum": 0},
        "example": 5_999,
    },
    "RateLimitReset": {
        "description": "Seconds until there are more.",
        "schema": {"type": "integer", "minimum": 0},
        "example": 42,
    },
}
"""Headers of answers, by name in the components."""

NAMES: Final[dict[str, str]] = {
    "RequestId": "X-Request-Id",
    "RetryAfter": "Retry-After",
    "PreferenceApplied": "Preference-Applied",
    "CacheControl": "Cache-Control",
    "WwwAuthenticate": "WWW-Authenticate",
    "RateLimitPolicy": "RateLimit-Policy",
    "RateLimitLimit": "RateLimit-Limit",
    "RateLimitRemaining": "RateLimit-Remaining",
    "RateLimitReset": "RateLimit-Reset",
}
"""What they are called on the wire, where that is not their name in the components."""

RATE_LIMIT: Final = ("RateLimitPolicy", "RateLimitLimit", "RateLimitRemaining", "RateLimitReset")


def headers_named(*names: str) -> dict[str, JsonObject]:
    """References to these."""
    return {NAMES.get(name, name): {"$ref": f"#/components/headers/{name}"} for name in names}


def _sent(name: str, description: str, example: str) -> JsonObject:
    """A header that is always there."""
    return _header(name, description, {}, example) | {"required": True}


def _query(name: str, description: str, schema: JsonObject) -> JsonObject:
    schema = {"type": "string", **schema}
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _header(name: str, description: str, schema: JsonObject, example: str) -> JsonObject:
    schema = {"type": "string", **schema}
    return {"name": name, "in": "header", "description": description, "schema": schema, "example": example}
