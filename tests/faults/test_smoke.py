"""A minute of faults: what the soak does for long, once each, on a small fleet with short leases."""

from collections.abc import Iterator

import pytest

from faults.doorbells import doorbells_deleted, doorbells_doubled
from faults.fleet import REDIS, SHORT_LEASES, Fleet, fleet_running
from faults.load import Load, Song
from faults.oracle import judge
from faults.songs import song
from support.waiting import PATIENCE_SECONDS, eventually

SLOW_SECONDS = 2.5


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    with fleet_running(apis=1, workers=2, environment=SHORT_LEASES) as fleet:
        yield fleet


def slow() -> Song:
    return Song(audio=song(slow_seconds=SLOW_SECONDS))


def busy_worker(fleet: Fleet) -> str:
    """One that has a job in hand."""
    return eventually(lambda: next((name for name in fleet.workers if fleet.in_hand(name)), None))


def test_no_accepted_job_is_lost_nor_ends_twice_whatever_is_killed_cut_off_or_frozen(fleet):
    with Load(fleet.api_urls, fleet.journals) as load:

        def send(count: int) -> None:
            load.send(slow())
            for _ in range(count):
                load.send()

        send(8)
        fleet.kill(busy_worker(fleet))

        send(8)
        zombie = busy_worker(fleet)
        with fleet.frozen(zombie):
            [held, *_] = fleet.in_hand(zombie)
            eventually(lambda: is_taken_from(fleet, zombie, held))

        send(8)
        fleet.kill(REDIS)

        send(8)
        fleet.kill("api-1")

        send(8)
        cut = busy_worker(fleet)
        with fleet.cut_off(cut):
            for held in fleet.in_hand(cut):
                eventually(lambda held=held: is_taken_from(fleet, cut, held))

        with doorbells_deleted(fleet) as thief:
            send(6)
            eventually(lambda: thief.taken)
        with doorbells_doubled(fleet):
            send(6)
            fleet.reset(busy_worker(fleet))

        assert load.settle(seconds=PATIENCE_SECONDS), judge(fleet.records())
        load.look_again()

    verdict = judge(fleet.records())
    assert verdict.is_good, str(verdict)
    assert verdict.accepted == verdict.sent == verdict.ended["succeeded"]
    assert len(verdict.faults) == 8, verdict.faults
    assert fleet.audio_left() == []
    assert not any(fleet.leftovers().values())


def is_taken_from(fleet: Fleet, name: str, job: str) -> bool:
    """Whether the job is another worker's by now, or has ended."""
    about = [record for record in fleet.records() if record.get("job") == job]
    return any(record["event"] == "ended" for record in about) or (
        [record["who"] for record in about if record["event"] == "claimed"][-1] != name
    )


def test_a_worker_that_could_not_acknowledge_a_doorbell_hears_the_next_one():
    with (
        fleet_running(apis=1, workers=1, environment=SHORT_LEASES) as fleet,
        Load(fleet.api_urls, fleet.journals) as load,
    ):
        job = load.submit(slow())
        pid = fleet.pid(busy_worker(fleet))
        with fleet.refused("worker-1"):
            eventually(lambda: "Couldn't ack" in log_of(fleet) or "Restoring 1 unack" in log_of(fleet))

        load.send()

        assert load.settle(seconds=PATIENCE_SECONDS), judge(fleet.records())
        assert load.has_ended(job)
        assert fleet.pid("worker-1") == pid, "it needed no restart"


def log_of(fleet: Fleet) -> str:
    return (fleet.logs / "worker-1.log").read_text(errors="replace")
