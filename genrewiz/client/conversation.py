"""What is said to a server and what its answers mean: the core of both clients.

It does no I/O and has no clock of its own: it yields effects, and drivers carry them out.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from genrewiz.client.arguments import check_header, check_id, check_least, check_text
from genrewiz.client.effects import (
    STREAM,
    Frame,
    Give,
    Items,
    Open,
    Read,
    Request,
    Send,
    Sleep,
    Steps,
)
from genrewiz.client.endpoint import WebhookLike, webhook_body
from genrewiz.client.errors import TimedOut, Unreachable
from genrewiz.client.job import Event, Job, JobPage, Json
from genrewiz.client.retry import retry_after_seconds
from genrewiz.client.upload import Upload
from genrewiz.client.webhook_talk import WebhookTalk

MAX_WAIT_SECONDS: Final = 25
"""So long the server holds a GET at most."""
POLL_SECONDS: Final = 1.0
PAGE_JOBS: Final = 100
SILENCE_SECONDS: Final = 45.0
"""A stream beats every 15 seconds: one that is silent for this long is dead."""
RECONNECT_SECONDS: Final = 3.0
MAX_RECONNECT_SECONDS: Final = 60.0
STEADY_SECONDS: Final = 10.0
"""A stream that lived for so long counts as one that works, though it had nothing to tell."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a job is asked for besides its song; None: as the server has it."""

    options: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None
    queue: str | None = None
    deadline_seconds: int | None = None
    webhook: WebhookLike | None = None
    # An upload that is sent again must be the same job: without a key of the caller's it gets one of its own.
    idempotency_key: str | None = None
    wait_seconds: int | None = None

    def __post_init__(self) -> None:
        check_least(0, wait_seconds=self.wait_seconds)
        if self.idempotency_key is not None:
            check_header("idempotency_key", self.idempotency_key)
        if self.webhook is not None:
            webhook_body(self.webhook)

    def body(self, **more: Any) -> Json:
        """The JSON of a submission."""
        said = {
            "options": self.options,
            "metadata": self.metadata,
            "queue": self.queue,
            "deadline_seconds": self.deadline_seconds,
            "webhook": None if self.webhook is None else webhook_body(self.webhook),
        }
        return more | {name: value for name, value in said.items() if value is not None}

    def headers(self) -> dict[str, str]:
        """The headers of a submission."""
        key = uuid.uuid4().hex if self.idempotency_key is None else self.idempotency_key
        return {"idempotency-key": key} | _prefer(self.wait_seconds)


@dataclass(frozen=True, kw_only=True)
class Conversation(WebhookTalk):
    """Everything that a client can ask of one server."""

    steady_seconds: float = field(default=STEADY_SECONDS)

    def submit(self, upload: Upload, wanted: Wanted) -> Steps[Job]:
        """Send a song."""
        body = wanted.body()
        request = Request(
            method="POST",
            path="/jobs",
            headers=wanted.headers(),
            upload=upload,
            fields={"job": json.dumps(body, allow_nan=False)} if body else {},
            held_seconds=wanted.wait_seconds or 0,
        )
        return self._job(request)

    def submit_url(self, url: str, wanted: Wanted) -> Steps[Job]:
        """Name a song's URL."""
        check_text("url", url)
        request = Request(
            method="POST",
            path="/jobs",
            headers=wanted.headers() | {"content-type": "application/json"},
            json=json.dumps(wanted.body(url=url), allow_nan=False).encode(),
            held_seconds=wanted.wait_seconds or 0,
        )
        return self._job(request)

    def get(self, job: str | Job, *, wait_seconds: int | None) -> Steps[Job]:
        """A job as it is; with wait_seconds: as soon as it has finished, or after so long."""
        check_least(0, wait_seconds=wait_seconds)
        return self._job(
            Request(
                method="GET",
                path=_path(job),
                headers=_prefer(wait_seconds),
                held_seconds=wait_seconds or 0,
            )
        )

    def wait(self, job: str | Job, *, timeout_seconds: float | None) -> Steps[Job]:
        """A job as it finished; TimedOut."""
        check_least(0, timeout_seconds=timeout_seconds)
        end = None if timeout_seconds is None else self.clock() + timeout_seconds
        seen: Job | None = None
        while True:
            left = self.left(end)
            held = int(min(left, MAX_WAIT_SECONDS))
            request = Request(
                method="GET",
                path=_path(job),
                headers=_prefer(held),
                held_seconds=held,
            )
            answer = yield from self.asked(Send(request), end=end, seen=seen)
            seen = self.read(answer, Job.of)
            if seen.is_finished:
                return seen
            left = self.left(end)
            if left <= 0:
                raise TimedOut(f"{_said(seen)} after {timeout_seconds:g} s.", job=seen)
            # Also where the server has held the answer: one that does not do so must not be asked in a ring.
            told = retry_after_seconds(answer, now=self.now())
            yield Sleep(min(left, POLL_SECONDS if told is None else told))

    def events(self, job: str | Job, *, last_event_id: str | None) -> Items[Event]:
        """What happens to a job, until it has finished, over as many connections as that takes."""
        if last_event_id is not None:
            check_header("last_event_id", last_event_id)
        return self._events(_id(job), last_event_id)  # what is no job is refused here, and not later

    def _events(self, job: str, last_event_id: str | None) -> Items[Event]:
        pause, quiet = RECONNECT_SECONDS, 0
        while True:
            last = {} if last_event_id is None else {"last-event-id": last_event_id}
            request = Request(
                method="GET",
                path=f"{_path(job)}/events",
                headers={"accept": STREAM, "cache-control": "no-store"} | last,
                silence_seconds=SILENCE_SECONDS,
            )
            answer = yield from self.asked(Open(request))
            if answer.status == HTTPStatus.NO_CONTENT:
                return  # that event was the last one
            if not answer.is_stream:
                raise self.unexpected("something else where events were asked for")
            opened_at, is_news = self.clock(), False
            while isinstance(frame := (yield Read()), Frame):
                pause = _reconnect_seconds(frame, pause)
                last_event_id = frame.id or last_event_id
                if not frame.data:
                    continue  # of no use to anybody, as the standard has it
                if frame.name == "reset":
                    last_event_id = None  # the next stream begins with the whole job
                    break
                event = self._event(frame, last_event_id)
                is_news = True
                yield Give(event)
                if event.name == "finished":
                    return
            quiet = 0 if is_news or self.clock() - opened_at >= self.steady_seconds else quiet + 1
            if quiet >= self.patience.max_attempts:
                raise Unreachable(f"{self.server} ends the stream of {job} again and again.")
            yield Sleep(pause * (1 + self.dice()) / 2)

    def page(self, *, status: str | None, limit: int | None, cursor: str | None) -> Steps[JobPage]:
        """Some of the caller's jobs."""
        check_least(1, limit=limit)
        said = {"status": status, "limit": None if limit is None else str(limit), "cursor": cursor}
        query = {name: value for name, value in said.items() if value is not None}
        answer = yield from self.asked(Send(Request(method="GET", path="/jobs", query=query)))
        return self.read(answer, JobPage.of)

    def jobs(self, *, status: str | None, limit: int | None) -> Items[Job]:
        """All of the caller's jobs, or so many, page by page."""
        check_least(1, limit=limit)  # here, and not later
        return self._jobs(status, limit)

    def _jobs(self, status: str | None, limit: int | None) -> Items[Job]:
        left, cursor = limit, None
        while left is None or left > 0:
            size = PAGE_JOBS if left is None else min(left, PAGE_JOBS)
            page = yield from self.page(status=status, limit=size, cursor=cursor)
            for job in page.jobs:
                yield Give(job)
            left = None if left is None else left - len(page.jobs)
            cursor = page.next_cursor
            if cursor is None:
                return

    def cancel(self, job: str | Job) -> Steps[Job]:
        """Have a job cancelled."""
        return self._job(Request(method="POST", path=f"{_path(job)}/cancel"))

    def delete(self, job: str | Job) -> Steps[None]:
        """Do away with a job."""
        yield from self.asked(Send(Request(method="DELETE", path=_path(job))))

    def spectrogram(self, job: str | Job) -> Steps[bytes]:
        """A job's picture."""
        answer = yield from self.asked(Send(Request(method="GET", path=f"{_path(job)}/spectrogram.png")))
        return answer.body

    def models(self) -> Steps[list[Json]]:
        """The models there are."""
        answer = yield from self.asked(Send(Request(method="GET", path="/models")))
        return self.read(answer, _models)

    def model(self, name: str) -> Steps[Json]:
        """One model."""
        check_text("name", name)
        answer = yield from self.asked(Send(Request(method="GET", path=f"/models/{quote(name, safe='')}")))
        return self.read(answer, _object)

    def _job(self, request: Request) -> Steps[Job]:
        answer = yield from self.asked(Send(request))
        return self.read(answer, Job.of)

    def _event(self, frame: Frame, last_event_id: str | None) -> Event:
        try:
            return Event.of(frame.name, json.loads(frame.data), last_event_id)
        except ValueError as error:
            raise self.unexpected("an event that it cannot have sent") from error


def _reconnect_seconds(frame: Frame, before: float) -> float:
    """After how long to come again, as the stream says it, within reason."""
    told = frame.retry_milliseconds
    return before if told is None or told < 0 else min(told / 1_000, MAX_RECONNECT_SECONDS)


def _id(job: str | Job) -> str:
    return job.id if isinstance(job, Job) else check_id("job", job, kind="a Job or its id")


def _path(job: str | Job) -> str:
    return f"/jobs/{quote(_id(job), safe='')}"


def _prefer(wait_seconds: int | None) -> dict[str, str]:
    return {"prefer": f"wait={wait_seconds}"} if wait_seconds else {}


def _said(job: Job) -> str:
    stage = f" ({job.progress.stage})" if job.progress.stage else ""
    return f"{job.id} has not finished, it is {job.status}{stage},"


def _models(body: Any) -> list[Json]:
    listed = body.get("models") if isinstance(body, dict) else body
    if not isinstance(listed, list):
        raise ValueError("this is no list of models")
    return [_object(each) for each in listed]


def _object(body: Any) -> Json:
    if not isinstance(body, dict):
        raise ValueError("this is no object")
    return body
