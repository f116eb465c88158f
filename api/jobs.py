"""Takes jobs in: the order of steps that makes a 202 a promise.

Audio durable, then the record accepted, then the doorbell. A crash between two steps leaves nothing promised,
or a job that the reaper rings.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, Protocol, TypeVar
from urllib.parse import unquote

import structlog
from flask import Request

from api.checked_url import checked_url
from api.idempotency import idempotency, key_of
from api.identity import whoever_asks
from api.job_ids import new_job_id, parse_job_id
from api.job_webhooks import FLAT, FLAT_FIELDS, JobWebhooks, flat_webhook
from api.json_bodies import json_body, parse_json
from api.listing import Wanted as WantedJobs
from api.metrics import ApiMetrics
from api.request_log import current_origin, story_here
from api.uploads import least_bytes, receive
from shared.egress import EgressGuard
from shared.errors import InvalidRequest, RequestError, StoreUnavailable, Wrong
from shared.job import Job, JobId, NewJob, Source, answer_key
from shared.job_webhook import JobWebhook
from shared.names import broker_queue
from shared.ports import AudioStore, Doorbell, PictureStore
from shared.redis_jobs import RedisJobStore
from shared.settings import Settings
from shared.shown import shown_name
from shared.transitions import ENDS, Page, Verdict
from shared.wire import JobRequest, UrlJobRequest

WEBHOOK: Final = "/webhook"
Wanted = TypeVar("Wanted", bound=JobRequest)

log = structlog.get_logger(__name__)


class OffLoop(Protocol):
    """Runs a call that blocks on a disk where it holds up no other request."""

    def __call__(self, call: Callable[[], None], /) -> None:
        """Returns when the call has."""
        ...


class JobService:
    """What the routes under /jobs do."""

    def __init__(  # noqa: PLR0913  all by name
        self,
        *,
        jobs: RedisJobStore,
        audio: AudioStore,
        pictures: PictureStore,
        doorbell: Doorbell,
        metrics: ApiMetrics,
        guard: EgressGuard,
        webhooks: JobWebhooks,
        settings: Settings,
        off_loop: OffLoop,
    ) -> None:
        self._jobs = jobs
        self._audio = audio
        self._pictures = pictures
        self._doorbell = doorbell
        self._metrics = metrics
        self._guard = guard
        self._webhooks = webhooks
        self._settings = settings
        self._off_loop = off_loop

    def submit(self, request: Request) -> Job:
        """Receive an upload and accept its job; a RequestError leaves nothing behind."""
        max_bytes = self._settings.max_upload_bytes
        caller = whoever_asks().caller
        key = key_of(request, caller)
        # What no time will make room for is refused for good, not until later.
        size = least_bytes(request, max_bytes=max_bytes)
        # Without Redis nothing can be promised, without room nothing is: the upload is not even read.
        self._check_room(caller, size=size, key=key)
        job_id = new_job_id()
        sink = self._audio.create(job_id)
        try:
            upload = receive(request, sink, max_bytes=max_bytes, fields=FLAT_FIELDS)
            wanted = _allowed(parse_json(upload.job_part, JobRequest, what="job part"))
            flat = flat_webhook(upload.fields)
            if flat and wanted.webhook:
                raise _two_webhooks(upload.fields)
            wanted = wanted.model_copy(update={"webhook": flat}) if flat else wanted
            webhook = self._webhooks.checked(wanted.webhook, at=f"/{FLAT}" if flat else WEBHOOK)
            self._off_loop(sink.commit)
        finally:
            sink.discard()
        # Where Redis goes away now, the job may be accepted or not: its audio stays until the reaper knows.
        try:
            job = self._accept(job_id, upload.source, wanted, caller=caller, key=key, webhook=webhook)
        except RequestError:
            self._remove_audio(job_id)
            raise
        if job.id != job_id or job.is_finished:  # it was made before, or answered at once
            self._remove_audio(job_id)
        return job

    def submit_url(self, request: Request) -> Job:
        """Accept a job whose song the worker fetches; a RequestError or UrlBlocked leaves nothing behind."""
        caller = whoever_asks().caller
        key = key_of(request, caller)
        self._check_room(caller, size=0, key=key)
        wanted = _allowed(parse_json(json_body(request), UrlJobRequest, what="body"))
        url = checked_url(self._guard, wanted.url)
        webhook = self._webhooks.checked(wanted.webhook, at=WEBHOOK)
        filename = shown_name(unquote(url.path.rpartition("/")[2]))
        source = Source(kind="url", filename=filename, url=url.shown)
        return self._accept(
            new_job_id(), source, wanted, caller=caller, key=key, webhook=webhook, url=wanted.url
        )

    def get(self, job_id: str) -> Job:
        """The job; UnknownJob, ResultGone."""
        return self._jobs.get(parse_job_id(job_id))

    def list_jobs(self, wanted: WantedJobs) -> Page:
        """A page of the caller's own jobs."""
        caller = whoever_asks().caller
        return self._jobs.list_jobs(caller, status=wanted.status, limit=wanted.limit, after=wanted.after)

    def cancel(self, job_id: str) -> Job:
        """Cancel the job, or ask its worker to; UnknownJob, ResultGone, JobFinished."""
        cancelled = self._jobs.cancel(parse_job_id(job_id))
        if cancelled.is_new and cancelled.job.is_finished:
            self._metrics.ended(ENDS[Verdict.CANCELLED])
            # It counts as waiting no more, so it must not lie there either.
            self._remove_audio(cancelled.job.id)
        if cancelled.is_new:
            ended = cancelled.job.is_finished
            said = "job finished" if ended else "cancelling of job requested"
            log.info(said, status=cancelled.job.status.value, **story_here(cancelled.job))
        return cancelled.job

    def delete(self, job_id: str) -> None:
        """Remove the job, its result and its audio, unless that was done; UnknownJob, JobRunning."""
        known = parse_job_id(job_id)
        deleted = self._jobs.delete(known)
        if deleted and deleted.was_waiting:
            self._metrics.ended(ENDS[Verdict.CANCELLED])
        self._remove_audio(known)  # also where a call before came only as far as the record
        with suppress(StoreUnavailable):  # as above
            self._pictures.delete(known)
        if deleted:
            log.info("job deleted", **story_here(deleted.job))

    def _check_room(self, caller: str, *, size: int, key: str | None) -> None:
        self._jobs.check_room(caller=caller, size=size, idempotency_key=key, limits=self._settings.limits)

    def _accept(
        self,
        job_id: JobId,
        source: Source,
        wanted: JobRequest,
        *,
        caller: str,
        key: str | None,
        webhook: JobWebhook | None,
        url: str | None = None,
    ) -> Job:
        settings = self._settings
        accepted = self._jobs.accept(
            NewJob(
                id=job_id,
                queue=wanted.queue,
                options=wanted.options,
                source=source,
                url=url,
                caller=caller,
                idempotency=idempotency(key, source, wanted),
                answer=self._answer_key(source, wanted),
                deadline_seconds=wanted.deadline_seconds,
                max_attempts=settings.max_attempts,
                result_ttl_seconds=settings.result_ttl_seconds,
                tombstone_ttl_seconds=settings.tombstone_ttl_seconds,
                metadata=wanted.metadata,
                origin=current_origin(),
                webhook=webhook,
            ),
            settings.limits,
        )
        job = accepted.job
        if not accepted.is_new:
            log.info("job known by its idempotency key", **story_here(job))
            return job
        self._metrics.accepted(source=source.kind, queue=wanted.queue)
        log.info("job accepted", job_id=job_id, source=source.kind, queue=wanted.queue, bytes=source.bytes)
        if job.is_finished:
            log.info("job finished", job_id=job_id, status=job.status.value, cached=job.cached)
        else:
            self._ring(job_id, broker_queue(wanted.queue, source.kind))
        return job

    def _answer_key(self, source: Source, wanted: JobRequest) -> str | None:
        """Where an answer is looked for; pictures are not given again: for one the song is heard anew."""
        if not self._settings.result_cache or wanted.options.spectrogram or source.sha256 is None:
            return None
        return answer_key(source.sha256, wanted.options)

    def _remove_audio(self, job_id: JobId) -> None:
        with suppress(StoreUnavailable):  # a caretaker finds it; the answer is the same
            self._audio.delete(job_id)

    def _ring(self, job_id: JobId, queue: str) -> None:
        try:
            self._doorbell.ring(job_id, queue)
        except StoreUnavailable as error:
            # The job is accepted: the reaper finds that nobody rang, and does.
            self._metrics.ring_failed()
            log.warning("doorbell not rung", job_id=job_id, error=error.detail)


def _two_webhooks(fields: Iterable[str]) -> InvalidRequest:
    said = "the job part has a webhook, too: give one"
    return InvalidRequest(
        "The upload has two webhooks.", errors=tuple(Wrong("pointer", f"/{name}", said) for name in fields)
    )


def _allowed(wanted: Wanted) -> Wanted:
    """The same; MissingRight where whoever asks may not have it."""
    if wanted.queue == "high":
        whoever_asks().need("high")
    return wanted
