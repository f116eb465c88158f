"""Takes jobs in: the order of steps that makes a 202 a promise.

Audio durable, then the record accepted, then the doorbell. A crash between two steps leaves nothing promised,
or a job that the reaper rings.
"""

import secrets
from collections.abc import Callable
from typing import Protocol

import structlog
from flask import Request
from pydantic import ValidationError

from api.metrics import ApiMetrics
from api.uploads import Upload, receive
from shared.errors import InvalidRequest, MalformedRequest, StoreUnavailable
from shared.job import Job, JobId, NewJob
from shared.names import broker_queue
from shared.ports import AudioStore, Doorbell
from shared.redis_jobs import RedisJobStore
from shared.settings import Settings
from shared.wire import JobRequest

log = structlog.get_logger(__name__)


class OffLoop(Protocol):
    """Runs a call that blocks on a disk where it holds up no other request."""

    def __call__(self, call: Callable[[], None], /) -> None:
        """Returns when the call has."""
        ...


class JobService:
    """What the routes under /jobs do."""

    def __init__(
        self,
        *,
        jobs: RedisJobStore,
        audio: AudioStore,
        doorbell: Doorbell,
        metrics: ApiMetrics,
        settings: Settings,
        off_loop: OffLoop,
    ) -> None:
        self._jobs = jobs
        self._audio = audio
        self._doorbell = doorbell
        self._metrics = metrics
        self._settings = settings
        self._off_loop = off_loop

    def submit(self, request: Request) -> Job:
        """Receive an upload and accept its job; a RequestError leaves nothing behind."""
        self._jobs.ping()  # without Redis nothing can be promised: the upload is not even read
        job_id = JobId(f"job_{secrets.token_hex(12)}")
        sink = self._audio.create(job_id)
        try:
            upload = receive(request, sink, max_bytes=self._settings.max_upload_bytes)
            wanted = parse_job_part(upload.job_part)
            self._off_loop(sink.commit)
        finally:
            sink.discard()
        # Where Redis goes away now, the job may be accepted or not: its audio stays until the reaper knows.
        job = self._accept(job_id, upload, wanted)
        self._ring(job_id, broker_queue(wanted.queue))
        return job

    def get(self, job_id: str) -> Job:
        """The job; UnknownJob."""
        return self._jobs.get(JobId(job_id))

    def _accept(self, job_id: JobId, upload: Upload, wanted: JobRequest) -> Job:
        job = self._jobs.accept(
            NewJob(
                id=job_id,
                queue=wanted.queue,
                options=wanted.options,
                source=upload.source,
                max_attempts=self._settings.max_attempts,
                result_ttl_seconds=self._settings.result_ttl_seconds,
                metadata=wanted.metadata,
            )
        )
        self._metrics.accepted(source=upload.source.kind, queue=wanted.queue)
        log.info("job accepted", job_id=job_id, queue=wanted.queue, bytes=upload.source.bytes)
        return job

    def _ring(self, job_id: JobId, queue: str) -> None:
        try:
            self._doorbell.ring(job_id, queue)
        except StoreUnavailable as error:
            # The job is accepted: the reaper finds that nobody rang, and does.
            self._metrics.ring_failed()
            log.warning("doorbell not rung", job_id=job_id, error=error.detail)


def parse_job_part(text: bytes | None) -> JobRequest:
    """The `job` part; MalformedRequest where it is no JSON, InvalidRequest naming each wrong field."""
    try:
        return JobRequest() if text is None else JobRequest.model_validate_json(text)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        if problems[0]["type"] == "json_invalid":
            raise MalformedRequest("The job part is not JSON.") from None
        errors = tuple(
            ("/" + "/".join(str(step) for step in problem["loc"]), problem["msg"]) for problem in problems
        )
        raise InvalidRequest("The job part asks for what cannot be done.", errors=errors) from None
