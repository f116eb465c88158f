"""The worker's heartbeat: keeps the leases of its jobs alive, from a thread of its own.

A job whose lease was lost is somebody else's: its run is told to stop, and its result is refused anyway.
"""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from shared.errors import StoreUnavailable
from shared.job import Lease
from shared.redis_jobs import RedisJobStore
from shared.settings import Settings

log = structlog.get_logger(__name__)


class LeaseLost(Exception):
    """The lease lapsed while the job ran: another worker has the job by now, or will have."""


class KeptLease:
    """A lease that is being renewed for as long as its job runs."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self._lost = threading.Event()

    def lose(self) -> None:
        """The job is no longer ours."""
        self._lost.set()

    def check(self) -> None:
        """LeaseLost once the lease is gone: called between the steps of a run."""
        if self._lost.is_set():
            raise LeaseLost(self.lease.job_id)


class LeaseKeeper:
    """Renews every kept lease once a heartbeat, and says that the worker is there."""

    def __init__(self, *, jobs: RedisJobStore, settings: Settings) -> None:
        self._jobs = jobs
        self._worker = uuid.uuid4().hex
        self._lease_seconds = settings.lease_seconds
        self._heartbeat_seconds = settings.heartbeat_seconds
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
    def keep(self, lease: Lease) -> Iterator[KeptLease]:
        """Renew a lease for as long as the block runs."""
        kept = KeptLease(lease)
        with self._lock:
            self._kept.add(kept)
        try:
            yield kept
        finally:
            with self._lock:
                self._kept.discard(kept)

    def renew_all(self) -> None:
        """One heartbeat for every kept lease."""
        with self._lock:
            all_kept = list(self._kept)
        for kept in all_kept:
            try:
                still_ours = self._jobs.renew(kept.lease, lease_seconds=self._lease_seconds)
            except StoreUnavailable as error:
                log.warning("lease not renewed", job_id=kept.lease.job_id, error=error.detail)
                continue
            if not still_ours:
                kept.lose()

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                self.renew_all()
                self._jobs.worker_alive(self._worker, seconds=self._lease_seconds)
            except StoreUnavailable as error:
                log.warning("heartbeat cannot reach redis", error=error.detail)
            except Exception:
                # Without heartbeats every running job is taken away: the loop outlives what one beat meets.
                log.exception("heartbeat failed")
            self._stop.wait(self._heartbeat_seconds)
