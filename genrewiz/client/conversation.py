"""What is said to a server and what its answers mean: the core of both clients.

It does no I/O and has no clock of its own: it yields effects, and drivers carry them out.
"""

import json
import uuid
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import quote

from genrewiz.client.effects import (
    STREAM,
    Answer,
    Broken,
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
from genrewiz.client.errors import ClientError, Problem, TimedOut, UnexpectedAnswer, Unreachable
from genrewiz.client.job import Event, Job, JobPage, Json
from genrewiz.client.retry import Patience, may_heal, pause_seconds, retry_after_seconds
from genrewiz.client.upload import Upload

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

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a job is asked for besides its song; None: as the server has it."""

    options: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None
    queue: str | None = None
    deadline_seconds: int | None = None
    # An upload that is sent again must be the same job: without a key of the caller's it gets one of its own.
    idempotency_key: str | None = None
    wait_seconds: int | None = None

    def __post_init__(self) -> None:
        _check_least(0, wait_seconds=self.wait_seconds)
        if self.idempotency_key is not None:
            _check_header("idempotency_key", self.idempotency_key)

    def body(self, **more: Any) -> Json:
        """The JSON of a submission."""
        said = {
            "options": self.options,
            "metadata": self.metadata,
            "queue": self.queue,
            "deadline_seconds": self.deadline_seconds,
        }
        return more | {name: value for name, value in said.items() if value is not None}

    def headers(self) -> dict[str, str]:
        """The headers of a submission."""
        key = uuid.uuid4().hex if self.idempotency_key is None else self.idempotency_key
        return {"idempotency-key": key} | _prefer(self.wait_seconds)


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """Everything that a client can ask of one server."""

    server: str
    """Its URL, for people."""
    patience: Patience
    clock: Callable[[], float]
    """Seconds that never run backwards."""
    now: Callable[[], float]
    """Seconds since 1970."""
    dice: Callable[[], float]
    """At random from 0 to 1."""
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
        _check_text("url", url)
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
        _check_least(0, wait_seconds=wait_seconds)
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
        _check_least(0, timeout_seconds=timeout_seconds)
        end = None if timeout_seconds is None else self.clock() + timeout_seconds
        seen: Job | None = None
        while True:
            left = self._left(end)
            held = int(min(left, MAX_WAIT_SECONDS))
            request = Request(
                method="GET",
                path=_path(job),
                headers=_prefer(held),
                held_seconds=held,
            )
            answer = yield from self._asked(Send(request), end=end, seen=seen)
            seen = self._read(answer, Job.of)
            if seen.is_finished:
                return seen
            left = self._left(end)
            if left <= 0:
                raise TimedOut(f"{_said(seen)} after {timeout_seconds:g} s.", job=seen)
            # Also where the server has held the answer: one that does not do so must not be asked in a ring.
            told = retry_after_seconds(answer, now=self.now())
            yield Sleep(min(left, POLL_SECONDS if told is None else told))

    def events(self, job: str | Job, *, last_event_id: str | None) -> Items[Event]:
        """What happens to a job, until it has finished, over as many connections as that takes."""
        if last_event_id is not None:
            _check_header("last_event_id", last_event_id)
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
            answer = yield from self._asked(Open(request))
            if answer.status == HTTPStatus.NO_CONTENT:
                return  # that event was the last one
            if not answer.is_stream:
                raise self._unexpected("something else where events were asked for")
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
        _check_least(1, limit=limit)
        said = {"status": status, "limit": None if limit is None else str(limit), "cursor": cursor}
        query = {name: value for name, value in said.items() if value is not None}
        answer = yield from self._asked(Send(Request(method="GET", path="/jobs", query=query)))
        return self._read(answer, JobPage.of)

    def jobs(self, *, status: str | None, limit: int | None) -> Items[Job]:
        """All of the caller's jobs, or so many, page by page."""
        _check_least(1, limit=limit)  # here, and not later
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
        yield from self._asked(Send(Request(method="DELETE", path=_path(job))))

    def spectrogram(self, job: str | Job) -> Steps[bytes]:
        """A job's picture."""
        answer = yield from self._asked(Send(Request(method="GET", path=f"{_path(job)}/spectrogram.png")))
        return answer.body

    def models(self) -> Steps[list[Json]]:
        """The models there are."""
        answer = yield from self._asked(Send(Request(method="GET", path="/models")))
        return self._read(answer, _models)

    def model(self, name: str) -> Steps[Json]:
        """One model."""
        _check_text("name", name)
        answer = yield from self._asked(Send(Request(method="GET", path=f"/models/{quote(name, safe='')}")))
        return self._read(answer, _object)

    def _job(self, request: Request) -> Steps[Job]:
        answer = yield from self._asked(Send(request))
        return self._read(answer, Job.of)

    def _asked(
        self, effect: Send | Open, *, end: float | None = None, seen: Job | None = None
    ) -> Generator[Send | Open | Sleep, Any, Answer]:
        """A good answer, after as many attempts as patience allows; Problem, Unreachable.

        end: by the clock; then it is TimedOut.
        """
        attempt, paused_seconds = 0, 0.0
        while True:
            outcome: Answer | Broken = yield effect if end is None else self._hurried(effect, end)
            if isinstance(outcome, Answer) and HTTPStatus(200) <= outcome.status < HTTPStatus(300):
                return outcome
            attempt += 1
            error = self._error(outcome)
            error.__cause__ = outcome.cause if isinstance(outcome, Broken) else None
            if end is not None and may_heal(outcome) and self._left(end) <= 0:
                raise TimedOut(
                    f"The time is up, and the last that was heard is: {error}", job=seen
                ) from error
            pause = pause_seconds(
                outcome,
                attempt=attempt,
                paused_seconds=paused_seconds,
                patience=self.patience,
                now=self.now(),
                dice=self.dice(),
            )
            if pause is None or not effect.request.can_be_repeated:
                raise error
            paused_seconds += pause
            yield Sleep(min(pause, self._left(end)), because=error)

    def _hurried(self, effect: Send | Open, end: float) -> Send | Open:
        return replace(effect, request=replace(effect.request, left_seconds=self._left(end)))

    def _left(self, end: float | None) -> float:
        return float("inf") if end is None else max(0.0, end - self.clock())

    def _error(self, outcome: Answer | Broken) -> ClientError:
        if isinstance(outcome, Broken):
            return Unreachable(f"{self.server} cannot be reached: {outcome.reason}")
        return problem_of(outcome, now=self.now())

    def _read(self, answer: Answer, parse: Callable[[Any], T]) -> T:
        try:
            return parse(json.loads(answer.body))
        except ValueError as error:
            raise self._unexpected(f"{answer.status} with a body that it cannot have made") from error

    def _event(self, frame: Frame, last_event_id: str | None) -> Event:
        try:
            return Event.of(frame.name, json.loads(frame.data), last_event_id)
        except ValueError as error:
            raise self._unexpected("an event that it cannot have sent") from error

    def _unexpected(self, what: str) -> UnexpectedAnswer:
        return UnexpectedAnswer(f"{self.server} answers as no GenreWiz server does: {what}.")


def problem_of(answer: Answer, *, now: float) -> Problem:
    """What an answer that is none of the good ones says, as far as it can be read."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        body = None
    said: Json = body if isinstance(body, dict) else {}
    phrase = _phrase(answer.status)
    elsewhere = answer.headers.get("location")
    told = retry_after_seconds(answer, now=now)
    errors = said.get("errors")
    return Problem(
        status=answer.status,
        code=str(said.get("code") or f"http_{answer.status}"),
        title=str(said.get("title") or phrase),
        detail=str(
            said.get("detail")
            or (f"The server is at {elsewhere}" if elsewhere else "The server says no more.")
        ),
        retryable=bool(said.get("retryable", may_heal(answer))),
        retry_after_seconds=_number(said.get("retry_after_seconds")) if told is None else told,
        request_id=said.get("request_id") or answer.headers.get("x-request-id"),
        errors=tuple(
            (_where(each), str(each.get("detail", "")))
            for each in (errors if isinstance(errors, list) else ())
            if isinstance(each, dict)
        ),
    )


def _where(error: Json) -> str:
    """What of a request is wrong, in one word."""
    for name, sign in (("pointer", ""), ("parameter", "?"), ("header", "")):
        if error.get(name) is not None:
            return f"{sign}{error[name]}"
    return ""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _reconnect_seconds(frame: Frame, before: float) -> float:
    """After how long to come again, as the stream says it, within reason."""
    told = frame.retry_milliseconds
    return before if told is None or told < 0 else min(told / 1_000, MAX_RECONNECT_SECONDS)


def _id(job: str | Job) -> str:
    if isinstance(job, Job):
        return job.id
    job_id = _check_text("job", job, kind="a Job or its id")
    if job_id in (".", ".."):
        raise ValueError("job is no id, but a way to another path.")
    return job_id


def _check_text(name: str, value: object, *, kind: str = "text") -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} is {kind}, and not of the type {type(value).__name__}.")
    if not value:
        raise ValueError(f"{name} is empty.")
    return value


def _check_header(name: str, value: object) -> None:
    text = _check_text(name, value)
    if not (text.isascii() and text.isprintable()):
        raise ValueError(f"{name} holds characters that no header can.")


def _check_least(least: int, **values: float | None) -> None:
    for name, value in values.items():
        if value is not None and value < least:
            raise ValueError(f"{name} must be {least} or more.")


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
