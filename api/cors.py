"""Lets pages of other origins read our answers: the origins that the operator names.

Nothing is decided about the request itself: whoever is no browser may send what it likes anyway.
"""

from collections.abc import Collection
from typing import Final

from flask import Flask, Response, request

from shared.origins import ANY

METHODS: Final = "GET, HEAD, POST, PATCH, DELETE"
ALLOWED: Final = (
    "Authorization, Content-Type, Idempotency-Key, Prefer, If-None-Match, Last-Event-ID, traceparent, "
    "tracestate, X-Request-Id"
)
EXPOSED: Final = (
    "Location, Retry-After, ETag, X-Request-Id, Preference-Applied, Link, WWW-Authenticate, "
    "RateLimit-Policy, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"
)
PREFLIGHT_SECONDS: Final = 600
"""So long a browser need not ask again."""


def install(app: Flask, origins: Collection[str]) -> None:
    """Nothing where no origin is named."""
    if not origins:
        return

    @app.after_request
    def answer(response: Response) -> Response:
        if ANY in origins:
            allowed: str | None = ANY
        else:
            # Also where none is allowed: a cache must not give that answer to one that is.
            response.vary.add("Origin")
            origin = request.headers.get("Origin")
            allowed = origin if origin in origins else None
        if allowed is None or "Origin" not in request.headers:
            return response
        response.headers["Access-Control-Allow-Origin"] = allowed
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response.headers["Access-Control-Allow-Methods"] = METHODS
            response.headers["Access-Control-Allow-Headers"] = ALLOWED
            response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
        else:
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
        return response
