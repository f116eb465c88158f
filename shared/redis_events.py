"""Events of jobs in Redis: reading them, and the tokens that let somebody watch.

It writes none: the transitions do, in the same script as the change that they tell of (`lua/common.lua`).
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from redis import Redis

from shared import job_record
from shared.classification import TimelineEntry
from shared.errors import ResultGone, UnknownJob
from shared.job import JobId, JobStatus
from shared.job_events import JobEvent, Opening, ProgressEvent, Reading, WindowEvent
from shared.redis_keys import Keys
from shared.redis_scripts import away_is_ours, scripts
from shared.wire import load

SCRIPTS = ("open_events", "read_events", "issue_events_token")
EVENTS_AT_ONCE = 500
TOKEN_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class EventsToken:
    """Lets whoever holds it watch one job, until then (seconds since 1970 by Redis)."""

    token: str = field(repr=False)
    expires_at: float


class RedisEvents:
    """What happened to jobs. StoreUnavailable where Redis is away."""

    def __init__(self, redis: "Redis", keys: Keys, *, events_at_once: int = EVENTS_AT_ONCE) -> None:
        """events_at_once: of one reading."""
        self._redis = redis
        self._keys = keys
        self._events_at_once = events_at_once
        self._scripts = scripts(redis, keys, SCRIPTS)

    def open(self, job_id: JobId) -> Opening:
        """What a new watcher is told, all of one moment; UnknownJob, ResultGone."""
        (text, place, drained), was_there, position, last, windows = self._run("open_events", job_id)
        if not text:
            raise _absent(was_there)
        job = job_record.to_job(
            job_record.read_record(text),
            queue_position=None if place < 0 else place,
            drained_in_a_minute=drained,
        )
        events = (_event(*window) for window in windows)
        return Opening(
            job=job,
            position=position,
            windows=tuple(event for event in events if isinstance(event, WindowEvent)),
            last=last,
        )

    def read(self, job_id: JobId, after: str | None) -> Reading:
        """What happened since an event; None is one that there is not. UnknownJob, ResultGone."""
        verdict, was_there, text, entries = self._run(
            "read_events", job_id, after or "", self._events_at_once
        )
        if verdict == "unknown":
            raise _absent(was_there)
        record = job_record.read_record(text)
        events = (_event(*entry) for entry in entries)
        return Reading(
            events=tuple(event for event in events if event is not None),
            last=record.get("events_to") or (entries[-1][0] if entries else after or ""),
            job=job_record.to_job(record) if record else None,
            is_lost=verdict == "lost",
            is_over=verdict == "over",
            is_full=not record and len(entries) == self._events_at_once,
        )

    def issue_token(self, job_id: JobId, *, caller: str) -> EventsToken:
        """A token for the events of this job alone, of whoever asks for it; UnknownJob, ResultGone."""
        token = secrets.token_urlsafe(32)
        expires_at, was_there = self._run("issue_events_token", job_id, _digest(token), TOKEN_SECONDS, caller)
        if not expires_at:
            raise _absent(was_there)
        return EventsToken(token=token, expires_at=float(expires_at))

    def issued_to(self, token: str, job_id: JobId) -> str | None:
        """The caller that the token was issued to; None unless it is of this job, and not too old."""
        with away_is_ours():
            kept = self._redis.get(self._keys.events_token(_digest(token)))
        of_job, _, caller = str(kept or "").partition(" ")
        return caller if of_job == job_id and caller else None

    def _run(self, script: str, *args: str | float) -> Any:
        with away_is_ours():
            return self._scripts[script](args=args)


def _absent(was_there: int) -> UnknownJob | ResultGone:
    return (
        ResultGone("The job's result is kept no longer.")
        if was_there
        else UnknownJob("There is no job with this id.")
    )


def _digest(token: str) -> str:
    """What Redis keeps: whoever reads it there can watch nothing with it."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _event(event_id: str, flat: Sequence[str]) -> JobEvent | None:
    """None of the last one, which tells no more than the job itself."""
    fields = _pairs(flat)
    if fields["kind"] == "window":
        return WindowEvent(
            id=event_id, attempt=int(fields["attempt"]), entry=load(TimelineEntry, fields["entry"])
        )
    if fields["kind"] == "progress":
        return ProgressEvent(
            id=event_id,
            status=JobStatus(fields["status"]),
            attempt=int(fields["attempt"]),
            stage=fields["stage"] or None,
            fraction=float(fields["fraction"]),
            cancel_requested=bool(fields["cancel_requested"]),
        )
    return None


def _pairs(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
