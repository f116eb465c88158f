"""/jobs/<id>/spectrogram.png: the picture of a song, where its job was asked for one."""

from flask import Blueprint, Response, request

from api.jobs import JobService, OffLoop
from shared.errors import NoSpectrogram
from shared.job import Job, JobStatus
from shared.ports import PictureStore


def spectrogram_blueprint(service: JobService, pictures: PictureStore, *, off_loop: OffLoop) -> Blueprint:
    """The route of pictures."""
    blueprint = Blueprint("spectrogram", __name__, url_prefix="/jobs")

    @blueprint.get("/<job_id>/spectrogram.png")
    def show(job_id: str) -> Response:
        job = service.get(job_id)
        _check(job)
        found: list[bytes | None] = []
        off_loop(lambda: found.append(pictures.get(job.id)))  # a share may take its time
        if found[0] is None:
            raise NoSpectrogram("The spectrogram is no longer in the store.")
        response = Response(found[0], mimetype="image/png")
        # It goes with its job, which may be deleted at any time: who has it asks whether it is there still.
        response.headers["Cache-Control"] = "private, no-cache"
        response.add_etag()
        response.make_conditional(request)
        return response

    return blueprint


def _check(job: Job) -> None:
    if not job.options.spectrogram:
        raise NoSpectrogram("The job was not asked for a spectrogram: `options.spectrogram` does that.")
    if not job.is_finished:
        raise NoSpectrogram("The job has not finished.")
    if job.status is not JobStatus.SUCCEEDED:
        raise NoSpectrogram("The job has not succeeded, so that there is no spectrogram.")
