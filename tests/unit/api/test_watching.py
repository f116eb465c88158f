"""Waiting for a job's end: whatever ends it, nobody listens for a hang-up any more, and nobody watches."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from api.hub import Hub
from api.watching import Watching
from shared.errors import GenreWizError, ResultGone, StoreUnavailable, UnknownJob
from shared.job import Job, JobId, JobOptions, JobStatus, Progress
from support.jobs import SOURCE


def job(status: JobStatus = JobStatus.RUNNING) -> Job:
    return Job(
        id=JobId("job_1"),
        status=status,
        queue="standard",
        attempt=1,
        max_attempts=3,
        options=JobOptions(),
        source=SOURCE,
        metadata={},
        progress=Progress(),
        accepted_at=1.0,
    )


class Deaf:
    """A channel on which nothing is ever heard."""

    def connect(self) -> None:
        threading.Event().wait()


class World:
    """Jobs that are as they are told to be, and who listens for a hang-up."""

    def __init__(self, *answers: Job | GenreWizError) -> None:
        self._answers = list(answers)
        self.asked = 0
        self.listening = 0
        self.watchers = 0
        self.hangs_up = False
        hub = Hub(Deaf(), on_change=self._changed)  # type: ignore[arg-type]  # no more of it is used
        self.watching = Watching(
            events=None,  # type: ignore[arg-type]  # a wait reads none
            jobs=self,  # type: ignore[arg-type]
            hub=hub,
            on_hang_up=self.on_hang_up,
            heartbeat_seconds=0.01,
        )

    def get(self, _: JobId) -> Job:
        self.asked += 1
        answer = self._answers.pop(0) if self._answers else job()
        if isinstance(answer, GenreWizError):
            raise answer
        return answer

    def on_hang_up(self, _: Mapping[str, Any], call: Callable[[], None]) -> Callable[[], None]:
        self.listening += 1
        if self.hangs_up:
            call()

        def cancel() -> None:
            self.listening -= 1

        return cancel

    def _changed(self, by: int) -> None:
        self.watchers += by


ENDED = job(JobStatus.SUCCEEDED)


def test_who_waits_gets_the_job_as_it_ended():
    world = World(job(), ENDED)

    assert world.watching.until_finished(job(), 60, {}) is ENDED
    assert (world.listening, world.watchers) == (0, 0)


def test_who_has_waited_long_enough_gets_the_job_as_it_is():
    world = World()

    assert world.watching.until_finished(job(), 0.05, {}).status is JobStatus.RUNNING
    assert (world.listening, world.watchers) == (0, 0)


@pytest.mark.parametrize("error", [UnknownJob(), ResultGone()], ids=["unknown", "gone"])
def test_who_waits_for_a_job_that_is_there_no_more_is_told_so(error):
    world = World(job(), error)

    with pytest.raises(type(error)):
        world.watching.until_finished(job(), 60, {})
    assert (world.listening, world.watchers) == (0, 0)


def test_who_waits_while_the_store_is_away_waits_on():
    world = World(StoreUnavailable(), StoreUnavailable(), ENDED)

    assert world.watching.until_finished(job(), 60, {}) is ENDED


def test_for_who_has_hung_up_the_job_is_looked_at_once_more_at_most():
    world = World()
    world.hangs_up = True

    world.watching.until_finished(job(), 60, {})

    assert world.asked <= 1
    assert (world.listening, world.watchers) == (0, 0)


@pytest.mark.parametrize(("of", "seconds"), [(ENDED, 60), (job(), 0)], ids=["it has ended", "no time"])
def test_where_there_is_nothing_to_wait_for_nobody_is_asked(of, seconds):
    world = World()

    assert world.watching.until_finished(of, seconds, {}) is of
    assert (world.asked, world.listening, world.watchers) == (0, 0, 0)
