"""One song -> one answer: sends it, remembers that, and waits for its end where that is asked for.

It prints nothing. What concerns one song becomes its answer; what concerns all of them is raised.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from genrewiz.client import Client, Job, Problem, Webhook
from genrewiz.commands.answers import Answer, is_about_webhook, of_problem, unreadable
from genrewiz.commands.batch_state import ACCEPTED, FINISHED, BatchState, JobBody
from genrewiz.commands.inputs import File, Input, Missing, Stdin, Url
from genrewiz.commands.server import is_away
from genrewiz.commands.song_file import OpenSong, opened
from genrewiz.commands.webhook_wish import known_again

LOST: Final = frozenset({"unknown_job", "result_gone"})
UNHEARD: Final = frozenset({"expired", "cancelled"})
CONCERNS_ALL: Final = frozenset({"unauthorized", "missing_right"})
NO_ROOM: Final = frozenset({"queue_full", "quota_exceeded", "rate_limited"})
FULL_SECONDS: Final = 5.0
MAX_FULL_SECONDS: Final = 60.0

Report = Callable[[int, int | None], None]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for of every song, as the client's arguments."""

    options: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    queue: str | None = None
    deadline_seconds: int | None = None
    webhook: str | Webhook | None = None

    def arguments(self) -> dict[str, Any]:
        """What was given alone: the rest is the server's choice."""
        return {name: value for name, value in vars(self).items() if value not in (None, {})}

    def identity(self) -> str:
        """The same text for the same wish, without any secret."""
        said = self.arguments()
        if self.webhook is not None:
            said["webhook"] = known_again(self.webhook)
        return json.dumps(said, sort_keys=True)


class Submission:
    """Sends songs to one server. Threads may share it."""

    def __init__(
        self,
        client: Client,
        wanted: Wanted,
        *,
        wait: bool,
        is_batch: bool = False,
        state: BatchState | None = None,
        on_job: Callable[[str, Job], None],
        on_pause: Callable[[Exception, float], None] = lambda _error, _seconds: None,
    ) -> None:
        """is_batch: a full server is waited for until it has room: it is full of our own songs, mostly.

        on_job: hears of each job as soon as it is promised, and again when it has ended. on_pause: hears why
        a full server is asked again, and in how many seconds."""
        self._client = client
        self._wanted = wanted.arguments()
        self._identity = wanted.identity()
        self._wait = wait
        self._is_batch = is_batch
        self._state = state
        self._on_job = on_job
        self._on_pause = on_pause

    def answer(self, source: Input, report: Report) -> Answer:
        """What becomes of the song; Unreachable, and a Problem that every song would meet."""
        try:
            body = self._body(source, report)
        except OSError as error:
            return _failed(source, unreadable(f"The file cannot be read: {error.strerror}."))
        except _Unsendable as error:
            return _failed(source, unreadable(str(error)))
        except Problem as problem:
            if _concerns_all(problem):
                raise
            return _failed(source, of_problem(problem))
        return Answer(name=source.name, file=source.name, job=body)

    def _body(self, source: Input, report: Report) -> Mapping[str, Any]:
        match source:
            case Missing(reason=reason):
                raise _Unsendable(reason)
            case Url(name=url):
                return self._once(source.name, (url,), lambda **more: self._client.submit_url(url, **more))
            case File() | Stdin():
                with opened(source) as song:
                    return self._once(
                        source.name, song.version, lambda **more: self._upload(song, report, **more)
                    )

    def _upload(self, song: OpenSong, report: Report, **more: Any) -> Job:
        song.file.seek(0)
        return self._client.submit(song.file, filename=song.filename, on_bytes=report, **more)

    def _once(
        self, name: str, version: tuple[str, ...] | None, send: Callable[..., Job]
    ) -> Mapping[str, Any]:
        """The job's body; with a state file, of the job that this very song has already, if it has one."""
        if self._state is None:
            return self._ended(name, self._accepted(send)).raw
        if version is None:
            raise _Unsendable(
                "With --state songs are files or URLs: what comes from a pipe cannot be known again."
            )
        key = self._key(self._state, *version)
        match self._state.known(key):
            case (step, dict() as body) if step == FINISHED or (step == ACCEPTED and not self._wait):
                return body
            case (step, dict() as body) if step == ACCEPTED:
                try:
                    job = self._client.get(str(body["id"]))
                except Problem as problem:
                    if problem.code not in LOST:
                        raise
                    job = self._sent(key, name, send)  # nobody knows it any more
                if _may_be_better((FINISHED, job.raw)):
                    # It has ended since the last run, and nobody was told.
                    self._state.finished(key, job.raw)
                    key = self._key(self._state, *version)
                    job = self._sent(key, name, send)
            case _:
                job = self._sent(key, name, send)
        job = self._ended(name, job)
        if job.is_finished:
            self._state.finished(key, job.raw)
        return job.raw

    def _key(self, state: BatchState, *version: str) -> str:
        """The key of the song's last attempt, or of a new one, where that has ended as none should."""
        identity = (*version, self._identity)
        key, attempt = state.key(*identity), 1
        while _may_be_better(state.known(key)):
            attempt += 1
            key = state.key(*identity, str(attempt))
        return key

    def _sent(self, key: str, name: str, send: Callable[..., Job]) -> Job:
        assert self._state is not None
        self._state.sending(key, name)
        job = self._accepted(send, idempotency_key=key)
        self._state.accepted(key, job.raw)
        return job

    def _accepted(self, send: Callable[..., Job], **more: Any) -> Job:
        while True:
            try:
                # Without `Prefer: wait`: whoever is interrupted can name what he has submitted.
                return send(**self._wanted, **more)
            except Problem as problem:
                if not self._is_batch or problem.code not in NO_ROOM:
                    raise
                seconds = min(problem.retry_after_seconds or FULL_SECONDS, MAX_FULL_SECONDS)
                self._on_pause(problem, seconds)
                time.sleep(seconds)

    def _ended(self, name: str, job: Job) -> Job:
        self._on_job(name, job)
        if self._wait and not job.is_finished:
            job = self._client.wait(job.id)
            self._on_job(name, job)
        return job


class _Unsendable(Exception):
    """There are no bytes to send; the message says why."""


def _may_be_better(known: tuple[str, JobBody | None] | None) -> bool:
    """Whether another attempt may end otherwise: nobody has heard the song, or what failed may heal."""
    match known:
        case (step, dict() as body) if step == FINISHED:
            error = body.get("error") or {}
            return body.get("status") in UNHEARD or error.get("retryable") is True
    return False


def _failed(source: Input, problem: Mapping[str, Any]) -> Answer:
    return Answer(name=source.name, file=source.name, problem=problem)


def _concerns_all(problem: Problem) -> bool:
    """Whether the next song would be refused for the same reason: what is asked for, or who asks."""
    if problem.code in CONCERNS_ALL or is_away(problem):
        return True
    if problem.code == "url_blocked":  # a song's own URL, or that of the webhook of all
        return is_about_webhook(problem)
    # An empty file is named as /file: that is this song's fault alone.
    return problem.code == "invalid_request" and all(pointer != "/file" for pointer, _ in problem.errors)
