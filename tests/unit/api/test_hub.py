"""Watchers of jobs, with a stand-in for the connection to Redis."""

import threading
from queue import SimpleQueue

import pytest

from api import hub as hub_module
from api.hub import Hub
from shared.errors import StoreUnavailable
from shared.job import JobId
from support.waiting import eventually

JOB, OTHER = JobId("job_1"), JobId("job_2")


class StubChannel:
    """Says what the test says; None breaks the connection."""

    def __init__(self) -> None:
        self.said: SimpleQueue = SimpleQueue()
        self.subscribed: set[JobId] = set()
        self.connects = 0
        self.is_away = False

    def connect(self) -> None:
        if self.is_away:
            raise StoreUnavailable
        self.connects += 1
        self.subscribed = set()

    def subscribe(self, job_ids) -> None:
        self.subscribed |= set(job_ids)
        for job_id in job_ids:
            self.said.put((job_id, ""))

    def unsubscribe(self, job_id) -> None:
        self.subscribed.discard(job_id)

    def hear(self):
        if (said := self.said.get()) is None:
            raise StoreUnavailable
        return said


@pytest.fixture
def channel() -> StubChannel:
    return StubChannel()


@pytest.fixture
def hub(channel, monkeypatch) -> Hub:
    monkeypatch.setattr(hub_module, "RETRY_SECONDS", 0.01)
    return Hub(channel)


def settled(hub: Hub, channel: StubChannel, job_id: JobId, kinds=None):
    """A watch whose subscription stands."""
    watch = hub.watch(job_id, kinds)
    assert watch.wait(60)
    eventually(lambda: job_id in channel.subscribed and channel.said.empty())
    while watch.wait(0.05):
        pass
    return watch


def test_a_watcher_looks_once_his_subscription_stands_and_at_each_event(hub, channel):
    watch = settled(hub, channel, JOB)

    channel.said.put((JOB, "window"))

    assert watch.wait(60)


def test_a_watcher_of_another_job_sleeps_on(hub, channel):
    first, second = settled(hub, channel, JOB), settled(hub, channel, OTHER)

    channel.said.put((JOB, "window"))

    assert first.wait(60)
    assert not second.wait(0.05)


def test_who_waits_for_the_end_is_woken_by_nothing_less(hub, channel):
    watch = settled(hub, channel, JOB, kinds={"finished"})

    channel.said.put((JOB, "progress"))
    assert not watch.wait(0.05)
    channel.said.put((JOB, "finished"))
    assert watch.wait(60)


def test_all_watchers_of_a_job_share_one_subscription_that_ends_with_the_last(hub, channel):
    first, second = settled(hub, channel, JOB), settled(hub, channel, JOB)

    hub.forget(JOB, first)
    hub.forget(JOB, first)
    assert channel.subscribed == {JOB}
    hub.forget(JOB, second)
    assert channel.subscribed == set()
    assert channel.connects == 1


def test_after_a_broken_connection_everybody_looks_again(hub, channel):
    watches = [settled(hub, channel, JOB), settled(hub, channel, OTHER)]

    channel.is_away = True
    channel.said.put(None)
    third = hub.watch(JobId("job_3"))
    channel.is_away = False

    assert all(watch.wait(60) for watch in [*watches, third])
    eventually(lambda: channel.subscribed == {JOB, OTHER, "job_3"})


def test_to_stop_ends_every_watch_also_those_to_come(hub, channel):
    watch = settled(hub, channel, JOB)

    hub.stop()

    assert watch.wait(60)
    assert watch.is_over
    late = hub.watch(OTHER)
    assert late.wait(60)
    assert late.is_over


def test_watchers_are_counted(channel):
    count = []
    hub = Hub(channel, on_change=count.append)

    with hub.watching(JOB):
        watch = hub.watch(OTHER)
        hub.forget(OTHER, watch)
        hub.forget(OTHER, watch)

    assert count == [1, 1, -1, -1]
    assert threading.active_count() < 50
