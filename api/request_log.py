"""A request in the logs: the ids that each of its lines has, and the line that says how it was answered.

Of what the client sent no line repeats more than a request id of a fixed alphabet and a trace's ids: no
query, no header, no address, no name of a song.
"""

import re
import time
from functools import partial
from typing import Final

import structlog
from flask import Flask, Response, g, request

from shared.job import Job
from shared.story import story_of
from shared.trace import Origin, begin_span, request_id

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that are named: a client could invent any number of others."""
PROBES: Final = frozenset({"/livez", "/readyz"})
"""They come every second: they are no news, except to whoever asks for all."""
_JOB_ID = re.compile(r"job_[0-9a-f]{1,64}")

log = structlog.get_logger(__name__)


def install(app: Flask) -> None:
    """Give every request of the application its ids, before anything else looks at it."""

    @app.before_request
    def begin() -> None:
        # A connection's greenlet answers its requests one after the other: the last one's ids go first.
        structlog.contextvars.clear_contextvars()
        g.origin = Origin(
            request_id=request_id(request.headers.get("X-Request-Id")),
            span=begin_span(request.headers.get("traceparent")),
        )
        g.request_id = g.origin.request_id
        g.came_at = time.perf_counter()
        structlog.contextvars.bind_contextvars(**g.origin.fields)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        say = partial(
            log.debug if request.path in PROBES else log.info,
            "request answered",
            method=method_name(request.method),
            route=route_pattern(),
            status=response.status_code,
            bytes=response.content_length,  # None of a stream
            **g.origin.fields,
            **_job_named(),
        )
        if response.direct_passthrough:  # a file: nobody tells when it was sent
            _answered(say, g.came_at)
        else:
            response.call_on_close(partial(_answered, say, g.came_at))
        return response


def current_origin() -> Origin | None:
    """The request that is being answered."""
    origin: Origin | None = g.get("origin")
    return origin


def story_here(job: Job) -> dict[str, str]:
    """The fields of a line about this job where another request than its own may speak of it."""
    here = current_origin()
    fields = story_of(job.id, job.origin or here)
    return fields if here is None or here == job.origin else fields | {"by_request_id": here.request_id}


def method_name(method: str) -> str:
    """The method, where it is one that is named."""
    return method if method in METHODS else "other"


def route_pattern() -> str:
    """The route that the request asks for, as the application spells it: never what the client wrote."""
    return request.url_rule.rule if request.url_rule else "unknown"


def _job_named() -> dict[str, str]:
    job_id = (request.view_args or {}).get("job_id", "")
    return {"job_id": job_id} if _JOB_ID.fullmatch(job_id) else {}


def _answered(say: "partial[None]", came_at: float) -> None:
    say(seconds=round(time.perf_counter() - came_at, 6))
