"""The loop of the dispatcher: claims what is due, has it sent in threads, writes down what came of it.

It never sends what it has no lease for, nor what its lease might lapse under. What it could not write down in
time is sent once more, by whoever claims it then: a receiver knows it by its id.
"""

import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol

import structlog

from shared.errors import StoreUnavailable
from shared.redis_outbox import LEASE_MARGIN_SECONDS, Claimed, Recorded
from shared.story import story_of
from shared.webhooks import Attempt, AttemptError, DueDelivery
from worker.webhooks.metrics import DispatcherMetrics
from worker.webhooks.retry import pause_seconds

LISTEN_SECONDS: Final = 1.0
"""Leases that lapse and slots that other dispatchers free ring no bell: they are looked for so often."""
LEAST_PAUSE_SECONDS: Final = 0.05
TOGETHER_SECONDS: Final = 0.002
"""Slots that are freed within it are filled by one claim: each is a write to disk."""
AWAY_SECONDS: Final = 0.5
"""Between two tries where Redis is away, or gives an answer that it should not."""

REDELIVERY: Final = "redelivery"
"""Why an event is sent that somebody asked for again: how old it is, is no fault of ours."""

log = structlog.get_logger(__name__)


class Outbox(Protocol):
    """What a dispatcher needs of the outbox; StoreUnavailable where Redis is away."""

    def claim(self, *, limit: int, suspects: int) -> Claimed:
        """Take what is due."""
        ...

    def record(self, due: DueDelivery, attempt: Attempt, *, retry_seconds: float | None) -> Recorded:
        """Write down what came of it."""
        ...

    def wait(self, seconds: float) -> None:
        """Until there may be something to send."""
        ...


class Dispatcher:
    """Sends from one thread that claims and `concurrency` threads that wait for receivers."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        send: Callable[[DueDelivery], Attempt],
        metrics: DispatcherMetrics,
        schedule: Sequence[float],
        concurrency: int,
        lease_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """schedule: the pauses between attempts.

        lease_seconds: how long what was claimed is ours: an attempt's time and LEASE_MARGIN_SECONDS.
        """
        self._outbox = outbox
        self._send = send
        self._metrics = metrics
        self._schedule = schedule
        self._concurrency = concurrency
        self._suspects = max(1, concurrency // 2)
        self._lease_seconds = lease_seconds
        self._attempt_seconds = lease_seconds - LEASE_MARGIN_SECONDS
        self._clock = clock
        self._slots = _Slots()
        # A queue and no event: a signal's handler may put, whatever this thread is doing.
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._stopping = False

    def run(self, *, on_reached: Callable[[], None]) -> None:
        """Send until `stop`; returns when nothing is in flight any more. on_reached: Redis has answered."""
        listener = threading.Thread(target=self._listen, name="outbox", daemon=True)
        listener.start()
        is_away, reached = False, False
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="webhook") as threads:
            while not self._stopping:
                begin, free = self._clock(), self._concurrency - self._slots.taken
                try:
                    claimed = self._claim(free)
                except StoreUnavailable as error:
                    if not is_away:
                        log.warning("webhooks wait: redis is away", error=error.detail)
                    is_away, pause = True, AWAY_SECONDS
                except Exception:
                    # Without claims nothing is sent: the loop outlives whatever one of them meets.
                    log.exception("webhooks cannot be claimed")
                    pause = AWAY_SECONDS
                else:
                    for due in claimed.deliveries:
                        self._slots.take(due)
                        threads.submit(self._deliver, due, begin + self._lease_seconds)
                    pause = _pause_after(claimed, free)
                    if not reached:
                        on_reached()
                        log.info("dispatcher ready", concurrency=self._concurrency)
                    elif is_away:
                        log.info("webhooks go on: redis is back")
                    is_away, reached = False, True
                self._sleep(pause)
            log.info("dispatcher stops", in_flight=self._slots.taken)

    def stop(self) -> None:
        """Claim no more. May be called by a signal's handler."""
        self._stopping = True
        self._wake.put(None)

    def _claim(self, free: int) -> Claimed:
        """As much as there are slots for."""
        if not free:
            return Claimed(deliveries=(), next_due_seconds=None)
        return self._outbox.claim(limit=free, suspects=max(0, self._suspects - self._slots.suspects))

    def _sleep(self, seconds: float) -> None:
        try:
            self._wake.get(timeout=seconds)
            if self._slots.taken:
                time.sleep(TOGETHER_SECONDS)
            while True:  # of several reasons to look again, one is enough
                self._wake.get_nowait()
        except queue.Empty:
            return

    def _listen(self) -> None:
        """Wakes the loop when a delivery was written; with no free slot it leaves the bell to others."""
        while not self._stopping:
            if self._slots.taken == self._concurrency:
                time.sleep(LEAST_PAUSE_SECONDS)
                continue
            try:
                self._outbox.wait(LISTEN_SECONDS)
            except StoreUnavailable:
                time.sleep(AWAY_SECONDS)
            except Exception:
                # Without a listener each event waits for the next look at the clock, and nobody knows why.
                log.exception("webhooks' bell cannot be heard")
                time.sleep(AWAY_SECONDS)
            else:
                self._wake.put(None)

    def _deliver(self, due: DueDelivery, lease_end: float) -> None:
        try:
            self._attempt(due, lease_end)
        except Exception:  # the thread's last line: the lease lapses, and another one sends it
            log.exception("webhook attempt broke off", **_story(due))
        finally:
            self._slots.give_back(due)
            self._wake.put(None)

    def _attempt(self, due: DueDelivery, lease_end: float) -> None:
        begin = self._clock()
        if lease_end - begin < self._attempt_seconds:
            # Its lease could lapse while it is sent, and another one would send it meanwhile.
            log.warning("webhook attempt comes too late: it is left to its lease's end", **_story(due))
            return
        try:
            attempt = self._send(due)
        except Exception as error:  # an event that makes us stumble must not be sent for ever
            log.exception("webhook attempt failed here", **_story(due))
            attempt = _stumbled(due, self._clock() - begin, error)
        self._metrics.attempted(attempt)
        retry_seconds = None
        if not attempt.is_success:
            retry_seconds = pause_seconds(
                due,
                attempt,
                schedule=self._schedule,
                chance=random.random(),  # noqa: S311  no secret
            )
        recorded = self._record(due, attempt, retry_seconds, lease_end)
        if recorded is Recorded.DELIVERED and due.retry_reason != REDELIVERY:
            self._metrics.delivered(attempt.at + attempt.duration_seconds - due.created_at)
        if recorded in (None, Recorded.LOST):
            self._metrics.unrecorded()
        _tell(due, attempt, retry_seconds, recorded)

    def _record(
        self, due: DueDelivery, attempt: Attempt, retry_seconds: float | None, lease_end: float
    ) -> Recorded | None:
        """Write it down, however often that takes while the lease holds; None where it could not be."""
        while True:
            try:
                return self._outbox.record(due, attempt, retry_seconds=retry_seconds)
            except StoreUnavailable:
                if self._clock() + AWAY_SECONDS > lease_end:
                    return None
                time.sleep(AWAY_SECONDS)


class _Slots:
    """How many deliveries are in flight, and how many of these are of lanes that fail."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.taken = 0
        self.suspects = 0

    def take(self, due: DueDelivery) -> None:
        with self._lock:
            self.taken += 1
            self.suspects += due.is_suspect

    def give_back(self, due: DueDelivery) -> None:
        with self._lock:
            self.taken -= 1
            self.suspects -= due.is_suspect


def _pause_after(claimed: Claimed, free: int) -> float:
    """Seconds until it is worth while to claim again: a slot that is freed says so by itself."""
    if 0 < len(claimed.deliveries) < free and claimed.next_due_seconds == 0:
        return 0.0  # a claim takes a part of what is due
    if len(claimed.deliveries) == free or claimed.next_due_seconds is None:
        return LISTEN_SECONDS
    return min(max(claimed.next_due_seconds, LEAST_PAUSE_SECONDS), LISTEN_SECONDS)


def _stumbled(due: DueDelivery, seconds: float, error: Exception) -> Attempt:
    detail = f"GenreWiz itself failed to send it ({type(error).__name__}): its log says more."
    return Attempt(
        number=due.number,
        at=due.claimed_at,
        duration_seconds=seconds,
        error=AttemptError(code="connection_failed", detail=detail),
    )


def _story(due: DueDelivery) -> dict[str, Any]:
    """The fields of a line about a delivery: never where it goes, for that may be a secret."""
    its_job = story_of(due.job_id, due.origin) if due.job_id else {}
    return {
        **its_job,
        "delivery_id": due.id,
        "endpoint": due.endpoint,
        "webhook_event": due.event,
        "attempt": due.number,
    }


def _tell(due: DueDelivery, attempt: Attempt, retry_seconds: float | None, recorded: Recorded | None) -> None:
    """One line an attempt."""
    fields = {
        **_story(due),
        "status_code": attempt.status_code,
        "error": attempt.error.code if attempt.error else None,
        "duration_seconds": round(attempt.duration_seconds, 3),
    }
    if recorded is Recorded.DELIVERED:
        log.info("webhook delivered", **fields)
    elif recorded is Recorded.RETRIED:
        log.info("webhook attempt failed", **fields, retry_seconds=round(retry_seconds or 0.0, 3))
    elif recorded is Recorded.FAILED:
        log.warning("webhook failed", **fields)
    else:
        log.warning("webhook attempt not recorded: it will be sent once more", **fields)
