"""The doorbells of URL jobs, on a real server."""

import threading
from collections.abc import Iterator

import pytest

from shared.celery_queue import CeleryDoorbell, make_celery
from support.waiting import eventually
from worker.fetch_queue import FetchQueue

CONCURRENCY = 2


class Runs:
    """Remembers which jobs began, and holds them until they may end."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.ended: list[str] = []
        self.may_end = threading.Event()

    def run(self, job_id) -> None:
        self.began.append(job_id)
        self.may_end.wait()
        if job_id == "job_bad":
            raise RuntimeError("boom")
        self.ended.append(job_id)


@pytest.fixture
def runs() -> Runs:
    return Runs()


@pytest.fixture
def doorbell(settings, redis) -> CeleryDoorbell:
    return CeleryDoorbell(make_celery(settings))


@pytest.fixture
def fetches(settings, redis, runs) -> Iterator[FetchQueue]:
    queue = FetchQueue(make_celery(settings), runs.run, concurrency=CONCURRENCY)
    yield queue
    runs.may_end.set()
    queue.join()


def test_doorbells_of_urls_are_taken_as_many_as_there_are_threads_and_the_rest_waits(
    fetches, doorbell, runs, redis
):
    for number in range(5):
        doorbell.ring(f"job_{number}", "gw.fetch.standard")
    doorbell.ring("job_upload", "gw.standard")

    fetches.start()

    eventually(lambda: len(runs.began) == CONCURRENCY)
    assert redis.llen("gw.fetch.standard") == 3
    runs.may_end.set()
    eventually(lambda: len(runs.ended) == 5)
    assert redis.llen("gw.standard") == 1
    eventually(lambda: not redis.exists("unacked", "unacked_index"))


def test_lost_jobs_come_first_and_batches_last(settings, redis, doorbell, runs):
    for queue in ("batch", "standard", "high", "recovered"):
        doorbell.ring(f"job_{queue}", f"gw.fetch.{queue}")
    fetches = FetchQueue(make_celery(settings), runs.run, concurrency=1)
    runs.may_end.set()

    fetches.start()

    eventually(lambda: len(runs.ended) == 4)
    fetches.join()
    assert runs.ended == ["job_recovered", "job_high", "job_standard", "job_batch"]


def test_to_stop_ends_what_runs_and_leaves_the_rest_queued(fetches, doorbell, runs, redis):
    for number in range(5):
        doorbell.ring(f"job_{number}", "gw.fetch.standard")
    fetches.start()
    eventually(lambda: len(runs.began) == CONCURRENCY)
    fetches.stop()
    joined = threading.Thread(target=fetches.join)
    joined.start()

    runs.may_end.set()

    eventually(lambda: not joined.is_alive())
    assert len(runs.ended) == len(runs.began) == CONCURRENCY
    assert redis.llen("gw.fetch.standard") == 3


def test_a_job_that_breaks_its_thread_and_a_message_that_cannot_be_read_stop_nothing(
    fetches, doorbell, runs, redis, settings
):
    runs.may_end.set()
    fetches.start()
    for _ in range(CONCURRENCY + 1):
        doorbell.ring("job_bad", "gw.fetch.standard")
        make_celery(settings).send_task("genrewiz.classify", args=[], queue="gw.fetch.standard")
        redis.lpush("gw.fetch.standard", "no message at all")

    doorbell.ring("job_good", "gw.fetch.standard")

    eventually(lambda: runs.ended == ["job_good"])


def test_a_connection_that_is_lost_is_made_anew(fetches, doorbell, runs, redis):
    runs.may_end.set()
    fetches.start()
    doorbell.ring("job_1", "gw.fetch.standard")
    eventually(lambda: runs.ended == ["job_1"])

    for client in redis.client_list():
        if client["cmd"] == "brpop":
            redis.client_kill(client["addr"])

    doorbell.ring("job_2", "gw.fetch.standard")
    eventually(lambda: "job_2" in runs.ended)


def test_what_was_never_started_can_be_joined(settings):
    FetchQueue(make_celery(settings), print, concurrency=1).join()
