"""GET /jobs and DELETE /jobs/<id>: what a caller has here, and how it is done away with."""

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from api.accepts import require_json
from api.jobs import JobService
from api.listing import cursor_of, parse_wanted
from shared.wire import jobs_body


def lifecycle_blueprint(service: JobService) -> Blueprint:
    """The routes of a caller's jobs."""
    blueprint = Blueprint("lifecycle", __name__, url_prefix="/jobs")

    @blueprint.get("")
    def listed() -> ResponseReturnValue:
        require_json(request)
        wanted = parse_wanted(request.args)
        page = service.list_jobs(wanted)
        cursor = cursor_of(page.end) if page.end else None
        headers = {"Cache-Control": "private, no-cache"}
        if cursor:
            headers["Link"] = f'<{wanted.link(cursor)}>; rel="next"'
        return jsonify(jobs_body(page.jobs, next_cursor=cursor)), 200, headers

    @blueprint.delete("/<job_id>")
    def delete(job_id: str) -> ResponseReturnValue:
        service.delete(job_id)
        response = Response(status=204)
        del response.headers["Content-Type"]  # of nothing
        return response

    return blueprint
