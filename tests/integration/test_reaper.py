"""The reaper, on a real server."""

import pytest

from shared.errors import StoreUnavailable
from shared.names import RECOVERED_QUEUE
from shared.reaper import Reaper
from shared.redis_keys import Keys
from support.jobs import new_job
from support.waiting import eventually


class Doorbells:
    """Remembers who rang."""

    def __init__(self) -> None:
        self.rung: list[tuple[str, str]] = []

    def ring(self, job_id, broker_queue) -> None:
        self.rung.append((job_id, broker_queue))


@pytest.fixture
def doorbells() -> Doorbells:
    return Doorbells()


def make_reaper(jobs, doorbells, settings, on_sweep=lambda _: None, **changes) -> Reaper:
    settings = settings.model_copy(update=changes)
    return Reaper(jobs=jobs, doorbell=doorbells, settings=settings, on_sweep=on_sweep)


def lose(jobs, redis, new) -> None:
    """Claim a job and fall silent."""
    jobs.claim(new.id, owner=f"{redis.incr('owners')}", lease_seconds=60)
    redis.zadd(Keys().running, {new.id: 1})


def test_the_job_of_a_lost_worker_is_rung_on_the_queue_that_is_read_first(jobs, redis, doorbells, settings):
    new, sweeps = new_job(), []
    jobs.accept(new)
    lose(jobs, redis, new)

    make_reaper(jobs, doorbells, settings, sweeps.append).sweep()

    assert doorbells.rung == [(new.id, RECOVERED_QUEUE)]
    assert sweeps[0].lapsed == 1


def test_a_broker_that_is_away_keeps_no_failed_job_from_being_counted(jobs, redis, settings):
    class Broken:
        def ring(self, job_id, broker_queue):
            raise StoreUnavailable("away")

    failed, lapsed, sweeps = new_job(1, max_attempts=1), new_job(2), []
    for new in (failed, lapsed):
        jobs.accept(new)
        lose(jobs, redis, new)

    with pytest.raises(StoreUnavailable):
        make_reaper(jobs, Broken(), settings, sweeps.append).sweep()

    assert sweeps[0].failed == 1
    assert jobs.spent(older_seconds=0) == (failed.id,)


def test_the_reaper_sweeps_by_itself_until_it_is_stopped(jobs, redis, doorbells, settings):
    new = new_job()
    jobs.accept(new)
    lose(jobs, redis, new)
    reaper = make_reaper(jobs, doorbells, settings.model_copy(update={"reap_period_seconds": 0.01}))

    reaper.start()

    eventually(lambda: doorbells.rung)
    reaper.stop()
    eventually(lambda: not reaper._thread.is_alive())
