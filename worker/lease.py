"""The worker's heartbeat: keeps the leases of its jobs alive, from a thread of its own.

A job whose lease was lost is somebody else's: its run is told to stop, and its result is refused anyway.
"""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import structlog

from shared.classification import ModelIdentity
from shared.errors import DeadlineExceeded, StoreUnavailable
from shared.job import Job, Lease
from shared.job_events import NO_WINDOWS, Windows
from shared.ports import Doorbell
from shared.redis_jobs import RedisJobStore
from shared.settings import Settings
from shared.story import story_of
from shared.trace import Origin
from shared.transitions import Hold

log = structlog.get_logger(__name__)


class LeaseLost(Exception):
    """The job is no longer this worker's: another one has it by now, or will have."""


class CancelRequested(Exception):
    """Nobody wants the job any more."""


class KeptLease:
    """A lease that is being renewed for as long as its job runs, and the reasons for that run to stop."""

    def __init__(self, lease: Lease, job: Job, *, run_seconds: float) -> None:
        self.lease = lease
        self.job = job
        self.story = story_of(job.id, _run_of(job.origin))
        self._run_seconds = run_seconds
        self._run_until = time.monotonic() + run_seconds
        self._hold = Hold.KEPT

    def hear(self, hold: Hold) -> None:
        """What the store said of the lease."""
        if self._hold is not Hold.LOST:
            self._hold = hold

    def check(self) -> None:
        """LeaseLost, CancelRequested or DeadlineExceeded: called between the steps of a run."""
        if self._hold is Hold.LOST:
            raise LeaseLost(self.lease.job_id)
        if self._hold is Hold.CANCEL:
            raise CancelRequested(self.lease.job_id)
        if self.overdue_seconds() > 0:
            raise DeadlineExceeded(f"The run took longer than {self._run_seconds:g} s.")

    def overdue_seconds(self) -> float:
        """By how much the run is behind its limit; negative before it."""
        return time.monotonic() - self._run_until


def _run_of(origin: Origin | None) -> Origin | None:
    """The run is a span of its own, caused by the request."""
    return replace(origin, span=origin.span.child()) if origin else None


def give_back(jobs: RedisJobStore, doorbell: Doorbell, kept: KeptLease) -> None:
    """Release a job and ring for whoever takes it; StoreUnavailable leaves it to the reaper."""
    if ring := jobs.release(kept.lease):
        doorbell.ring(ring.job_id, ring.broker_queue)
        log.info("job given back", **kept.story)


class LeaseKeeper:
    """Renews every kept lease once a heartbeat, and says that the worker is there."""

    def __init__(self, *, jobs: RedisJobStore, model: ModelIdentity, settings: Settings) -> None:
        self._jobs = jobs
        self._model = model
        self._worker = uuid.uuid4().hex
        self._lease_seconds = settings.lease_seconds
        self._heartbeat_seconds = settings.heartbeat_seconds
        self._run_seconds = settings.run_seconds
        self._kept: set[KeptLease] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="lease-keeper", daemon=True)

    def start(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def stop(self) -> None:
        """End; leases that are still kept lapse."""
        self._stop.set()

    @contextmanager
    def keep(self, lease: Lease, job: Job) -> Iterator[KeptLease]:
        """Renew the lease of a job for as long as the block runs."""
        kept = KeptLease(lease, job, run_seconds=self._run_seconds)
        with self._lock:
            self._kept.add(kept)
        try:
            yield kept
        finally:
            with self._lock:
                self._kept.discard(kept)

    def report(self, kept: KeptLease, *, stage: str, fraction: float, windows: Windows = NO_WINDOWS) -> bool:
        """Show how far a job is; False where Redis is away: nobody sees it, and the run goes on."""
        try:
            kept.hear(self._jobs.progress(kept.lease, stage=stage, fraction=fraction, windows=windows))
        except StoreUnavailable as error:
            log.warning("progress not shown", **kept.story, error=error.detail)
            return False
        return True

    def kept(self) -> tuple[KeptLease, ...]:
        """The leases of all jobs in hand."""
        with self._lock:
            return tuple(self._kept)

    def renew_all(self) -> None:
        """One heartbeat for every kept lease."""
        for kept in self.kept():
            try:
                kept.hear(self._jobs.renew(kept.lease, lease_seconds=self._lease_seconds))
            except StoreUnavailable as error:
                log.warning("lease not renewed", **kept.story, error=error.detail)

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                self.renew_all()
                self._jobs.worker_alive(self._worker, model=self._model.sha256, seconds=self._lease_seconds)
            except StoreUnavailable as error:
                log.warning("heartbeat cannot reach redis", error=error.detail)
            except Exception:
                # Without heartbeats every running job is taken away: the loop outlives what one beat meets.
                log.exception("heartbeat failed")
            self._stop.wait(self._heartbeat_seconds)
