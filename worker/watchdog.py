"""Ends the worker where nothing else can: a run that does not stop, a deaf connection, a stop too slow.

Threads cannot be killed, processes can: what else is in hand is given back first, its attempt not counted.
Whoever runs workers (`genrewiz serve`, Kubernetes) starts another one.
"""

import os
import sys
import threading
import time
from collections.abc import Callable

import structlog

from shared.classification import ModelIdentity
from shared.errors import DeadlineExceeded, StoreUnavailable
from shared.job import JobError, JobStatus, Outcome, StageSeconds
from shared.names import SOURCE_KINDS, SourceKind
from shared.ports import Doorbell
from shared.redis_jobs import RedisJobStore
from shared.settings import Settings
from worker.activity import Activity
from worker.lease import KeptLease, LeaseKeeper, give_back

LOOK_SECONDS = 1.0
OVERRUN_SECONDS = 5.0
"""A run behind its limit is told so at its next step; for so long it may take to come to one."""
DEAF_SECONDS = 30.0
"""Idle for so long while doorbells wait: the connection to the broker is half open."""
BROKEN = 70
"""The exit status of a worker that could not go on; EX_SOFTWARE of sysexits.h."""

log = structlog.get_logger(__name__)


class Watchdog:
    """Looks once a second, in a thread and with a Redis client of its own."""

    def __init__(
        self,
        *,
        jobs: RedisJobStore,
        doorbell: Doorbell,
        leases: LeaseKeeper,
        activity: Activity,
        model: ModelIdentity,
        settings: Settings,
        leave: Callable[[int], None] = os._exit,
    ) -> None:
        """leave ends the process with a status."""
        self._jobs = jobs
        self._doorbell = doorbell
        self._leases = leases
        self._activity = activity
        self._model = model
        self._stop_seconds = settings.worker_stop_seconds
        self._leave = leave
        self._stop_by: float | None = None
        self._heard_at = dict.fromkeys(SOURCE_KINDS, time.monotonic())
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._heard_at = dict.fromkeys(SOURCE_KINDS, time.monotonic())
        self._thread.start()

    def begin_stop(self) -> None:
        """The worker was told to stop: from now on its time runs. Safe in a signal's handler."""
        self._stop_by = time.monotonic() + self._stop_seconds

    def end(self) -> None:
        """The worker has come to its end by itself."""
        self._ended.set()

    def look(self) -> None:
        """One look; StoreUnavailable where Redis is away."""
        if self._stop_by is not None and time.monotonic() >= self._stop_by:
            self._exit("stopped before its jobs had ended", status=0)
        overrun = [kept for kept in self._leases.kept() if kept.overdue_seconds() > OVERRUN_SECONDS]
        for kept in overrun:
            self._fail(kept)
        if overrun:
            self._exit("a run did not stop at its limit", status=BROKEN)
        if self._stop_by is None:
            for kind in SOURCE_KINDS:
                if self._is_deaf(kind):
                    self._exit("doorbells wait and none is heard", status=BROKEN)

    def _fail(self, kept: KeptLease) -> None:
        ours = self._jobs.finish(
            kept.lease,
            Outcome(
                source=kept.job.source,
                model=self._model,
                stage_seconds=StageSeconds(),
                error=JobError.of(DeadlineExceeded()),
            ),
        )
        log.error("run ended by the watchdog", **kept.story, accepted=ours)
        if ours:
            log.info(
                "job finished", **kept.story, status=JobStatus.FAILED.value, reason=DeadlineExceeded.code
            )

    def _is_deaf(self, kind: SourceKind) -> bool:
        now, idle_since = time.monotonic(), self._activity.idle_since(kind)
        if idle_since is None:
            return False
        if not self._jobs.doorbells(kind):
            self._heard_at[kind] = now
        return now - max(idle_since, self._heard_at[kind]) >= DEAF_SECONDS

    def _exit(self, cause: str, *, status: int) -> None:
        log.error("worker exits", cause=cause, status=status)
        given: set[KeptLease] = set()
        while left := set(self._leases.kept()) - given:  # a claim may still be on its way
            kept = left.pop()
            given.add(kept)
            try:
                give_back(self._jobs, self._doorbell, kept)
            except StoreUnavailable as error:
                log.warning("job left to the reaper", **kept.story, error=error.detail)
        sys.stderr.flush()
        self._leave(status)

    def _loop(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            try:
                self.look()
            except StoreUnavailable as error:
                # Nobody is deaf where there is nothing to hear.
                self._heard_at = dict.fromkeys(SOURCE_KINDS, time.monotonic())
                log.warning("watchdog cannot reach redis", error=error.detail)
            except Exception:
                log.exception("watchdog failed")
