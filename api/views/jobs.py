"""/jobs: submit a song or its URL, see what became of it."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from flask import Blueprint, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from api.accepts import require_json
from api.conditional import conditional
from api.jobs import JobService
from api.metrics import ApiMetrics
from api.prefer import wait_seconds
from api.watching import Watching
from shared.errors import GenreWizError, ResultGone, UnknownJob, UnsupportedMediaType
from shared.job import Job
from shared.wire import job_body

POLL_SECONDS = 1
SUBMIT_WAIT_SECONDS, SHOW_WAIT_SECONDS = 30, 25
"""For so long at most a client may have itself kept waiting: proxies give up soon after."""
NOTHING: Mapping[str, str] = {}


def jobs_blueprint(service: JobService, metrics: ApiMetrics, watching: Watching) -> Blueprint:
    """The routes of jobs."""
    blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")
    blueprint.before_request(lambda: require_json(request))
    readers: dict[str, Callable[[], Job]] = {
        "multipart/form-data": lambda: service.submit(request),
        "application/json": lambda: service.submit_url(request),
    }

    def waited(job: Job, most_seconds: int) -> tuple[Job, dict[str, str]]:
        """The job once the client need wait no more, and the headers that say for how long it might."""
        seconds = wait_seconds(request.headers.getlist("Prefer"), most=most_seconds)
        if seconds is None:
            return job, {}
        later = watching.until_finished(job, seconds, request.environ)
        return (job, {}) if later is None else (later, {"Preference-Applied": f"wait={seconds}"})

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
        applied: Mapping[str, str] = NOTHING
        with suppress(UnknownJob, ResultGone):  # it was deleted meanwhile; it was accepted all the same
            job, applied = waited(job, SUBMIT_WAIT_SECONDS)
        return _shown(job, 200 if job.is_finished else 202, applied)

    @blueprint.get("/<job_id>")
    def show(job_id: str) -> ResponseReturnValue:
        job, applied = waited(service.get(job_id), SHOW_WAIT_SECONDS)
        return conditional(make_response(_shown(job, 200, applied)), request)

    @blueprint.post("/<job_id>/cancel")
    def cancel(job_id: str) -> ResponseReturnValue:
        job = service.cancel(job_id)
        return _shown(job, 200 if job.is_finished else 202)

    return blueprint


def _shown(job: Job, status: int, applied: Mapping[str, str] = NOTHING) -> ResponseReturnValue:
    body = job_body(job)
    headers = dict(applied)
    if request.method == "POST":
        headers["Location"] = body["links"]["self"]
    if not job.is_finished:
        headers["Retry-After"] = str(POLL_SECONDS)
    return jsonify(body), status, headers
