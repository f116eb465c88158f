"""/jobs/<id>/events: watch a job; /jobs/<id>/events-token: let a browser do so."""

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from api.accepts import require, require_json
from api.identity import whoever_asks
from api.job_ids import parse_job_id
from api.key_cache import KeyCache
from api.sse import MIMETYPE
from api.watching import Watching
from shared.errors import NotAcceptable
from shared.redis_events import RedisEvents
from shared.wire import events_token_body

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Nobody in between keeps events, or holds them back."""


def events_blueprint(watching: Watching, events: RedisEvents, keys: KeyCache) -> Blueprint:
    """The routes of events."""
    blueprint = Blueprint("events", __name__, url_prefix="/jobs")

    @blueprint.get("/<job_id>/events")
    def show(job_id: str) -> ResponseReturnValue:
        if request.method == "HEAD":
            raise NotAcceptable(f"This route answers a GET with {MIMETYPE} alone.")
        require(request, MIMETYPE)
        caller = whoever_asks().caller
        stream = watching.stream(
            parse_job_id(job_id),
            request.headers.get("Last-Event-ID"),
            request.environ,
            may_watch=lambda: keys.still_lets_in(caller),
        )
        if stream is None:
            return "", 204, HEADERS  # by this an EventSource knows that it need not come again
        response = Response(stream, mimetype=MIMETYPE, headers=HEADERS)
        response.call_on_close(stream.close)
        return response

    @blueprint.post("/<job_id>/events-token")
    def issue_token(job_id: str) -> ResponseReturnValue:
        require_json(request)
        issued = events.issue_token(parse_job_id(job_id), caller=whoever_asks().caller)
        return jsonify(events_token_body(issued.token, issued.expires_at)), {"Cache-Control": "no-store"}

    return blueprint
