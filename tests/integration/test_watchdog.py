"""What ends a worker that cannot end by itself: on a real server, with an exit that only notes its status."""

import time

import pytest

from shared.errors import StoreUnavailable
from shared.job import JobId, JobStatus
from shared.names import broker_queue
from shared.redis_keys import Keys
from support.jobs import MODEL, new_job, success
from support.waiting import eventually
from worker import watchdog as watchdog_module
from worker.activity import Activity
from worker.lease import LeaseKeeper
from worker.watchdog import BROKEN, DEAF_SECONDS, OVERRUN_SECONDS, Watchdog

LEASE_SECONDS = 60


class Exited(Exception):
    """What stands for the end of the process."""


class Worker:
    """A worker's leases under a watchdog, on a clock that the test sets."""

    def __init__(self, jobs, settings) -> None:
        self.jobs = jobs
        self.rung: list[tuple[str, str]] = []
        self.leases = LeaseKeeper(jobs=jobs, model=MODEL, settings=settings)
        self.activity = Activity()
        self.watchdog = Watchdog(
            jobs=jobs,
            doorbell=self,
            leases=self.leases,
            activity=self.activity,
            model=MODEL,
            settings=settings,
            leave=self._leave,
        )

    def ring(self, job_id: JobId, broker_queue: str) -> None:
        self.rung.append((job_id, broker_queue))

    def _leave(self, status: int) -> None:
        raise Exited(status)

    def claim(self, number: int):
        """A kept lease of a job that runs."""
        new = new_job(number)
        self.jobs.accept(new)
        claim = self.jobs.claim(new.id, owner=f"w{number}", lease_seconds=LEASE_SECONDS)
        return self.leases.keep(claim.lease, claim.job)

    def exit_status(self) -> int:
        with pytest.raises(Exited) as exited:
            self.watchdog.look()
        return exited.value.args[0]


@pytest.fixture
def clock(monkeypatch):
    """Seconds that a test adds to the clock of the watchdog, its leases and its activity."""

    class Clock:
        ahead = 0.0

    real = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: real() + Clock.ahead)
    return Clock


@pytest.fixture
def worker(jobs, settings, clock) -> Worker:
    return Worker(jobs, settings)


def test_a_run_within_its_limit_is_left_alone(worker, clock, settings):
    with worker.claim(1) as kept:
        clock.ahead += settings.run_seconds + OVERRUN_SECONDS / 2

        worker.watchdog.look()

    assert worker.jobs.get(kept.lease.job_id).status is JobStatus.RUNNING


def test_a_run_that_does_not_stop_at_its_limit_fails_and_ends_the_worker_and_costs_its_neighbours_nothing(
    worker, clock, settings
):
    with worker.claim(1) as hanging:
        clock.ahead += settings.run_seconds + OVERRUN_SECONDS + 1
        with worker.claim(2) as neighbour:
            status = worker.exit_status()

    job = worker.jobs.get(hanging.lease.job_id)
    assert status == BROKEN
    assert (job.status, job.error.code) == (JobStatus.FAILED, "deadline_exceeded")
    given_back = worker.jobs.get(neighbour.lease.job_id)
    assert (given_back.status, given_back.attempt) == (JobStatus.QUEUED, 0)
    assert worker.rung == [(neighbour.lease.job_id, "gw.recovered")]


def test_a_worker_that_hears_nothing_while_doorbells_wait_ends(worker, clock, redis):
    redis.lpush(broker_queue("standard"), "a doorbell")
    worker.watchdog.look()
    clock.ahead += DEAF_SECONDS + 1

    assert worker.exit_status() == BROKEN


def test_a_deaf_ear_for_urls_ends_the_worker_too(worker, clock, redis):
    redis.lpush(broker_queue("batch", "url"), "a doorbell")
    worker.watchdog.look()
    clock.ahead += DEAF_SECONDS + 1

    assert worker.exit_status() == BROKEN


def test_a_worker_that_has_nothing_to_hear_is_not_deaf(worker, clock, redis):
    clock.ahead += DEAF_SECONDS + 1
    worker.watchdog.look()
    redis.lpush(broker_queue("standard"), "a doorbell")

    worker.watchdog.look()  # it has waited for no time yet


def test_a_worker_with_a_song_in_hand_is_not_deaf(worker, clock, redis):
    redis.lpush(broker_queue("standard"), "a doorbell")
    with worker.activity.doorbell("upload"):
        worker.watchdog.look()
        clock.ahead += DEAF_SECONDS + 1
        worker.watchdog.look()
    clock.ahead += DEAF_SECONDS / 2

    worker.watchdog.look()  # the last one was let go a moment ago


def test_a_stop_that_takes_too_long_gives_back_what_runs_and_is_no_failure(worker, clock, settings):
    with worker.claim(1) as kept:
        worker.watchdog.begin_stop()
        worker.watchdog.look()
        clock.ahead += settings.worker_stop_seconds + 1

        status = worker.exit_status()

    job = worker.jobs.get(kept.lease.job_id)
    assert status == 0
    assert (job.status, job.attempt) == (JobStatus.QUEUED, 0)
    assert worker.rung == [(kept.lease.job_id, "gw.recovered")]


def test_a_worker_that_stops_is_not_taken_for_deaf(worker, clock, redis, settings):
    redis.lpush(broker_queue("standard"), "a doorbell")
    settings = settings.model_copy(update={"worker_stop_seconds": 1_000})
    worker = Worker(worker.jobs, settings)
    worker.watchdog.look()
    worker.watchdog.begin_stop()
    clock.ahead += DEAF_SECONDS + 1

    worker.watchdog.look()


def test_a_job_that_ended_meanwhile_is_not_given_back(worker, clock, settings):
    with worker.claim(1) as kept:
        worker.jobs.finish(kept.lease, success())
        worker.watchdog.begin_stop()
        clock.ahead += settings.worker_stop_seconds + 1

        worker.exit_status()

    assert worker.jobs.get(kept.lease.job_id).status is JobStatus.SUCCEEDED
    assert worker.rung == []


def test_what_cannot_be_given_back_is_left_to_the_reaper_and_the_worker_ends_all_the_same(
    worker, clock, settings, redis, monkeypatch
):
    def away(_):
        raise StoreUnavailable

    monkeypatch.setattr(worker.jobs, "release", away)
    with worker.claim(1) as first, worker.claim(2):
        worker.watchdog.begin_stop()
        clock.ahead += settings.worker_stop_seconds + 1

        status = worker.exit_status()

    assert status == 0
    assert redis.zscore(Keys().running, first.lease.job_id)


def test_the_watchdog_looks_by_itself_until_it_is_told_that_all_is_over(jobs, settings, monkeypatch):
    monkeypatch.setattr(watchdog_module, "LOOK_SECONDS", 0.01)
    left: list[int] = []
    worker = Worker(jobs, settings.model_copy(update={"worker_stop_seconds": 0}))
    worker.watchdog._leave = left.append
    worker.watchdog.start()

    worker.watchdog.begin_stop()

    eventually(lambda: left)
    worker.watchdog.end()
    eventually(lambda: not worker.watchdog._thread.is_alive())
    assert left[0] == 0
