"""/jobs: submit a song or its URL, see what became of it."""

from collections.abc import Callable

from flask import Blueprint, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from api.accepts import require_json
from api.conditional import conditional
from api.jobs import JobService
from api.metrics import ApiMetrics
from shared.errors import GenreWizError, UnsupportedMediaType
from shared.job import Job
from shared.wire import job_body

POLL_SECONDS = 1


def jobs_blueprint(service: JobService, metrics: ApiMetrics) -> Blueprint:
    """The routes of jobs."""
    blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")
    blueprint.before_request(lambda: require_json(request))
    readers: dict[str, Callable[[], Job]] = {
        "multipart/form-data": lambda: service.submit(request),
        "application/json": lambda: service.submit_url(request),
    }

    @blueprint.post("")
    def submit() -> ResponseReturnValue:
        try:
            reader = readers.get(request.mimetype)
            if reader is None:
                raise UnsupportedMediaType(
                    "Send the song as multipart/form-data, in the part `file`, or its `url` in JSON."
                )
            job = reader()
        except GenreWizError as error:
            metrics.rejected(error.code)
            raise
        return _shown(job, 200 if job.is_finished else 202)

    @blueprint.get("/<job_id>")
    def show(job_id: str) -> ResponseReturnValue:
        return conditional(make_response(_shown(service.get(job_id), 200)), request)

    @blueprint.post("/<job_id>/cancel")
    def cancel(job_id: str) -> ResponseReturnValue:
        job = service.cancel(job_id)
        return _shown(job, 200 if job.is_finished else 202)

    return blueprint


def _shown(job: Job, status: int) -> ResponseReturnValue:
    body = job_body(job)
    headers = {"Location": body["links"]["self"]} if request.method == "POST" else {}
    if not job.is_finished:
        headers["Retry-After"] = str(POLL_SECONDS)
    return jsonify(body), status, headers
