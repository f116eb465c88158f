"""Watching jobs: the stream of one job's events, and waiting for its end.

It changes no job. Whatever ends a request (its client hangs up, the process stops) leaves no watch behind.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from api.hub import Hub, Ring, Watch
from api.sse import HEARTBEAT, RETRY, frame
from shared.errors import ResultGone, StoreUnavailable, TooManyWatchers, UnknownJob
from shared.job import Job, JobId
from shared.job_events import JobEvent, Reading, WindowEvent, event_id
from shared.redis_events import RedisEvents
from shared.redis_jobs import RedisJobStore
from shared.wire import job_body, progress_event_body, window_event_body

HEARTBEAT_SECONDS = 15.0
"""Oftener a watcher is never told that there is nothing new; he looks whether that is so each time."""

OnHangUp = Callable[[Mapping[str, Any], Callable[[], None]], Callable[[], None]]
"""Calls once the client of a request has hung up; what it returns ends the waiting for that."""

MayWatch = Callable[[], bool]
"""Whether the one who watches still may; asked while there is nothing to tell. StoreUnavailable."""

log = structlog.get_logger(__name__)


def never(_environ: Mapping[str, Any], _call: Callable[[], None]) -> Callable[[], None]:
    """Where no client can be seen: an OnHangUp that never calls."""
    return lambda: None


def always() -> bool:
    """Where nobody is ever shut out: a MayWatch."""
    return True


class EventStream:
    """The events of one job as bytes, each as soon as it is there; closing it leaves nothing behind."""

    def __init__(
        self,
        *,
        events: RedisEvents,
        job_id: JobId,
        watch: Watch,
        heartbeat_seconds: float,
        may_watch: MayWatch,
        on_close: Callable[[], None],
    ) -> None:
        self._events = events
        self._job_id = job_id
        self._watch = watch
        self._heartbeat_seconds = heartbeat_seconds
        self._may_watch = may_watch
        self._on_close = on_close
        self._position: str | None = None
        self._is_done = False
        self._first: list[bytes] = []

    def begin(self) -> None:
        """The whole job, and what is known of the attempt that runs; UnknownJob, ResultGone."""
        opening = self._events.open(self._job_id)
        self._first.append(frame("snapshot", job_body(opening.job), opening.position))
        self._first += map(_frame, opening.windows)
        self._position = opening.last
        if opening.job.is_finished:
            self._is_done = True
            self._first.append(_finished(opening.job, self._position))

    def resume(self, last_event_id: str) -> bool:
        """Go on behind an event; False where it was the last of all. UnknownJob, ResultGone."""
        self._position = event_id(last_event_id)
        told = self._look(self._position)
        self._first += self._take(told)
        if told.reading.is_full:
            self._watch.wake()
        return not told.reading.is_over

    def __iter__(self) -> Iterator[bytes]:
        yield RETRY
        yield from self._first
        self._first.clear()
        while not self._is_done:
            woken = self._watch.wait(self._heartbeat_seconds)
            if self._watch.is_over:
                return
            if not woken:
                if self._is_shut_out():
                    return  # the watcher comes again, and is told why
                yield HEARTBEAT
            yield from self._news()

    def _is_shut_out(self) -> bool:
        try:
            return not self._may_watch()
        except StoreUnavailable:
            return False  # nobody knows

    def close(self) -> None:
        """Nobody is watched for any more; nothing happens the second time."""
        self._on_close()

    def _news(self) -> Iterator[bytes]:
        is_full, ring = True, self._watch.take_ring()
        while is_full and not self._is_done:
            try:
                told = self._read(ring)
            except StoreUnavailable as error:
                log.warning("events cannot be read", job_id=self._job_id, error=error.detail)
                return  # the hub wakes when Redis is back; so does the next heartbeat
            except (UnknownJob, ResultGone):
                self._is_done = True
                yield _reset()
                return
            yield from self._take(told)
            is_full = told.reading.is_full

    def _read(self, ring: Ring | None) -> "_Told":
        position = self._position

        def look() -> _Told:
            return self._look(position)

        return ring.shared(position, look) if ring else look()

    def _look(self, position: str | None) -> "_Told":
        return _Told.of(self._events.read(self._job_id, position))

    def _take(self, told: "_Told") -> tuple[bytes, ...]:
        self._position = told.position or self._position
        self._is_done = told.is_end
        return told.frames


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What was read, as every watcher at one position is told it."""

    reading: Reading
    frames: tuple[bytes, ...]
    position: str | None  # behind all of it; None where there was nothing
    is_end: bool

    @classmethod
    def of(cls, reading: Reading) -> "_Told":
        frames = [_frame(event) for event in reading.events]
        position = reading.events[-1].id if reading.events else None
        is_end = reading.job is not None or reading.is_lost
        if reading.job is not None:
            position = reading.last
            frames.append(_finished(reading.job, position))
        elif reading.is_lost:
            frames.append(_reset())
        return cls(reading=reading, frames=tuple(frames), position=position, is_end=is_end)


def _finished(job: Job, position: str | None) -> bytes:
    return frame("finished", job_body(job), position)


def _reset() -> bytes:
    return frame("reset", {})


def _frame(event: JobEvent) -> bytes:
    if isinstance(event, WindowEvent):
        return frame("window", window_event_body(event), event.id)
    return frame("progress", progress_event_body(event), event.id)


class Watching:
    """What an api process does for those who watch."""

    def __init__(
        self,
        *,
        events: RedisEvents,
        jobs: RedisJobStore,
        hub: Hub,
        on_hang_up: OnHangUp = never,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._events = events
        self._jobs = jobs
        self._hub = hub
        self._on_hang_up = on_hang_up
        self._heartbeat_seconds = heartbeat_seconds

    def stream(
        self,
        job_id: JobId,
        last_event_id: str | None,
        environ: Mapping[str, Any],
        *,
        may_watch: MayWatch = always,
    ) -> EventStream | None:
        """The events of a job, from the beginning or behind one; None behind the last of all.

        The caller closes it. TooManyWatchers, UnknownJob, ResultGone, StoreUnavailable.
        """
        watch = self._hub.watch(job_id)
        cancel = self._on_hang_up(environ, watch.end)

        def close() -> None:
            cancel()
            self._hub.forget(job_id, watch)

        stream = EventStream(
            events=self._events,
            job_id=job_id,
            watch=watch,
            heartbeat_seconds=self._heartbeat_seconds,
            may_watch=may_watch,
            on_close=close,
        )
        try:
            if last_event_id is None:
                stream.begin()
            elif not stream.resume(last_event_id):
                stream.close()
                return None
        except BaseException:
            stream.close()
            raise
        return stream

    def until_finished(self, job: Job, seconds: float, environ: Mapping[str, Any]) -> Job | None:
        """The job as soon as it has finished, or as it is after so many seconds.

        None where nobody more may wait: who prefers to is none the worse for an answer at once, least of all
        where his request has made the job. UnknownJob, ResultGone: somebody has deleted it meanwhile.
        """
        if job.is_finished or seconds <= 0:
            return job
        try:
            with self._hub.watching(job.id, kinds={"finished"}) as watch:
                return self._awaited(job, seconds, watch, environ)
        except TooManyWatchers:
            return None

    def _awaited(self, job: Job, seconds: float, watch: Watch, environ: Mapping[str, Any]) -> Job:
        end = time.monotonic() + seconds
        cancel = self._on_hang_up(environ, watch.end)
        try:
            while not job.is_finished and not watch.is_over and (left := end - time.monotonic()) > 0:
                watch.wait(min(left, self._heartbeat_seconds))
                job = self._again(job)
        finally:
            cancel()
        return job

    def _again(self, job: Job) -> Job:
        try:
            return self._jobs.get(job.id)
        except StoreUnavailable:
            return job  # what was promised is promised: the client asks again
