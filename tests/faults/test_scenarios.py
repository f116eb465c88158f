"""One fault at a time, where it hurts most: what `make faults` runs beside the smoke.

Every scenario ends with the same question to the oracle: was a promise broken?
"""

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from faults.crash import API_POINTS, WORKER_POINTS
from faults.doorbells import doorbells_deleted, doorbells_doubled
from faults.fleet import REDIS, SHORT_LEASES, Fleet, fleet_running
from faults.journal import Record, of_event
from faults.load import Load, Song
from faults.oracle import Verdict, judge, recoveries
from faults.songs import song
from support.waiting import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.long_faults

LEASE_SECONDS = float(SHORT_LEASES["GENREWIZ_LEASE_SECONDS"])
INNOCENTS = 8


@pytest.fixture(scope="module")
def shared_fleet() -> Iterator[Fleet]:
    with fleet_running(apis=2, workers=2, environment=SHORT_LEASES) as fleet:
        yield fleet


@pytest.fixture
def fleet(shared_fleet: Fleet) -> Iterator[Fleet]:
    """The fleet of this module, with nothing left of the scenario before."""
    shared_fleet.await_ready()
    yield shared_fleet
    shared_fleet.disarm()
    shared_fleet.heal()


@pytest.fixture
def load(fleet: Fleet) -> Iterator[Load]:
    with Load(fleet.api_urls, fleet.journals) as load:
        yield load


def slow(seconds: float) -> Song:
    return Song(audio=song(slow_seconds=seconds))


def send_steadily(load: Load, per_second: float, stop: threading.Event) -> threading.Thread:
    thread = threading.Thread(
        target=load.send_steadily, args=(per_second, lambda: Song(audio=song()), stop.is_set)
    )
    thread.start()
    return thread


def records(fleet: Fleet, load: Load) -> list[Record]:
    """Of this scenario alone."""
    return [record for record in fleet.records() if record["t"] >= load.began]


def kept(fleet: Fleet, load: Load) -> Verdict:
    """The verdict at the end, which is a good one."""
    assert load.settle(seconds=PATIENCE_SECONDS), judge(records(fleet, load))
    load.look_again()
    verdict = judge(records(fleet, load))
    assert verdict.is_good, str(verdict)
    assert verdict.accepted == verdict.sent
    assert fleet.audio_left() == []
    assert not any(fleet.leftovers().values())
    return verdict


def holder(fleet: Fleet, job: str) -> str:
    """The worker that has this job in hand, once one has."""
    return eventually(lambda: next((name for name in fleet.workers if job in fleet.in_hand(name)), None))


def claims(fleet: Fleet, job: str) -> list[Record]:
    return [record for record in of_event(fleet.records(), "claimed") if record["job"] == job]


@pytest.mark.parametrize("point", WORKER_POINTS)
def test_a_worker_that_dies_at_any_step_loses_no_job(fleet, load, point):
    armed = fleet.arm(point)

    for _ in range(6):
        load.send(slow(0.5))

    eventually(lambda: not armed.exists())
    assert kept(fleet, load).faults == {"crash": 1}


@pytest.mark.parametrize("point", API_POINTS)
def test_an_api_that_dies_between_its_steps_leaves_one_job_to_a_client_that_tries_again(fleet, load, point):
    armed = fleet.arm(point)

    for _ in range(6):
        load.send()

    eventually(lambda: not armed.exists())
    verdict = kept(fleet, load)
    assert verdict.faults == {"crash": 1}
    ran = {record["job"] for record in of_event(records(fleet, load), "claimed")}
    promised = {record["job"] for record in of_event(records(fleet, load), "accepted")}
    assert ran == promised


def test_the_same_key_is_the_same_job_whoever_asks_at_once(fleet, load):
    what = slow(1)
    key = "the same for all"

    with ThreadPoolExecutor(8) as clients:
        list(clients.map(lambda _: load.send_again(what, key), range(8)))

    assert load.settle(seconds=PATIENCE_SECONDS)
    verdict = judge(records(fleet, load))
    assert verdict.is_good, str(verdict)
    assert verdict.accepted == 1


def test_a_redis_that_is_killed_under_load_forgets_nothing(fleet, load):
    stop = threading.Event()
    sender = send_steadily(load, 8, stop)
    for _ in range(5):
        accepted = load.accepted
        eventually(lambda accepted=accepted: load.accepted > accepted + 5)
        fleet.kill(REDIS)
    stop.set()
    sender.join()

    assert kept(fleet, load).faults == {"redis_kill": 5}


def test_the_jobs_of_a_worker_that_is_cut_off_go_to_others_and_it_works_again_when_it_is_back(fleet, load):
    job = load.submit(slow(4 * LEASE_SECONDS))
    name = holder(fleet, job)
    pid = fleet.pid(name)

    with fleet.cut_off(name):
        eventually(lambda: claims(fleet, job)[-1]["who"] != name)
    stop = threading.Event()
    sender = send_steadily(load, 4, stop)
    try:
        eventually(lambda: "black_hole_healed" in {back.kind for back in recoveries(records(fleet, load))})
    finally:
        stop.set()
        sender.join()

    kept(fleet, load)
    assert fleet.pid(name) == pid, "it needed no restart"


def test_an_api_that_is_cut_off_promises_nothing_that_it_does_not_keep(fleet, load):
    with fleet.cut_off("api-1"):
        sendings = [load.send() for _ in range(8)]
        eventually(lambda: any(sending.done() for sending in sendings))

    kept(fleet, load)


def test_a_fleet_without_its_redis_for_longer_than_a_lease_goes_on_when_that_is_back(fleet, load):
    for _ in range(4):
        load.send(slow(LEASE_SECONDS))
    eventually(lambda: all(fleet.in_hand(name) for name in fleet.workers))

    fleet.kill(REDIS, down_seconds=LEASE_SECONDS * 2)

    kept(fleet, load)


def test_resets_of_every_connection_again_and_again_lose_nothing(fleet, load):
    for _ in range(6):
        for _ in range(4):
            load.send(slow(0.3))
        for name in (*fleet.workers, *fleet.apis):
            fleet.reset(name)
        eventually(lambda: len(load.open_jobs()) < 8)

    kept(fleet, load)


def test_latency_on_every_way_delays_and_loses_nothing(fleet, load):
    with (
        fleet.slowed("worker-1", 0.2),
        fleet.slowed("worker-2", 0.3),
        fleet.slowed("api-1", 0.1),
        fleet.slowed("api-2", 0.2),
    ):
        for _ in range(8):
            load.send(slow(0.5))
        assert load.settle(seconds=PATIENCE_SECONDS)

    kept(fleet, load)


def test_a_worker_that_is_refused_for_long_works_again_when_it_is_let_in(fleet, load):
    name = holder(fleet, load.submit(slow(LEASE_SECONDS * 3)))
    with fleet.refused(name):
        eventually(lambda: load.settle(seconds=1))

    stop = threading.Event()
    sender = send_steadily(load, 4, stop)
    try:
        eventually(lambda: "refuse_healed" in {back.kind for back in recoveries(records(fleet, load))})
    finally:
        stop.set()
        sender.join()
    kept(fleet, load)


def test_the_only_worker_hears_again_after_its_connections_have_died_in_silence():
    with (
        fleet_running(apis=1, workers=1, environment=SHORT_LEASES) as fleet,
        Load(fleet.api_urls, fleet.journals) as load,
    ):
        load.submit()
        eventually(lambda: not load.open_jobs())

        fleet.strand("worker-1")
        for _ in range(4):
            load.send()

        kept(fleet, load)


@pytest.mark.parametrize("point", ["after_claim", "before_finish"])
def test_a_zombie_that_awakes_after_its_lease_ends_nothing(fleet, load, point):
    """Frozen between its steps: with the answer in hand, it is about to say it."""
    armed = fleet.arm(point, signal.SIGSTOP)
    job = load.submit()
    eventually(lambda: not armed.exists())
    [first] = claims(fleet, job)

    eventually(lambda: not load.open_jobs())
    fleet.thaw(first["who"])

    eventually(lambda: len(finishes(fleet, job)) == 2 or point == "after_claim")
    verdict = kept(fleet, load)
    assert verdict.refused_finishes == (point == "before_finish")
    assert len(claims(fleet, job)) == 2


def finishes(fleet: Fleet, job: str) -> list[Record]:
    return [record for record in of_event(fleet.records(), "finished") if record["job"] == job]


def test_frozen_workers_lose_their_jobs_to_others_and_nothing_ends_twice(fleet, load):
    for _ in range(3):
        job = load.submit(slow(LEASE_SECONDS * 2))
        name = holder(fleet, job)
        with fleet.frozen(name):
            eventually(lambda job=job, name=name: claims(fleet, job)[-1]["who"] != name)

    kept(fleet, load)


def test_deleted_doorbells_are_rung_again(fleet, load):
    with doorbells_deleted(fleet) as thief:
        sendings = [load.send() for _ in range(12)]
        eventually(lambda: thief.taken >= 3)
        for sending in sendings:
            sending.result()

    kept(fleet, load)


def test_doubled_doorbells_run_no_job_twice(fleet, load):
    with doorbells_doubled(fleet) as thief:
        for _ in range(12):
            load.send(slow(0.2))
        assert load.settle(seconds=PATIENCE_SECONDS)
        assert thief.taken

    verdict = kept(fleet, load)
    assert verdict.claims == verdict.accepted


def test_a_fleet_that_grows_from_one_worker_to_six_and_back_loses_nothing():
    with (
        fleet_running(apis=1, workers=1, environment=SHORT_LEASES) as fleet,
        Load(fleet.api_urls, fleet.journals) as load,
    ):
        stop = threading.Event()
        sender = threading.Thread(target=load.send_steadily, args=(4, lambda: slow(0.4), stop.is_set))
        sender.start()
        for count in (6, 1):
            fleet.scale_workers(count)
            eventually(fleet.are_as_many_as_wanted)
        stop.set()
        sender.join()

        verdict = kept(fleet, load)

    assert verdict.claims == verdict.accepted, "a worker that is told to stop in time loses no run"


def test_a_worker_that_is_told_to_stop_finishes_what_it_has(fleet, load):
    job = load.submit(slow(2))
    name = holder(fleet, job)
    pid = fleet.pid(name)

    fleet.terminate(name)

    verdict = kept(fleet, load)
    assert verdict.claims == 1
    assert exit_status(fleet, pid) == 0


def test_a_worker_whose_grace_ends_gives_its_jobs_back_and_their_attempt_does_not_count():
    environment = SHORT_LEASES | {"GENREWIZ_WORKER_STOP_SECONDS": "2"}
    with (
        fleet_running(apis=1, workers=2, environment=environment) as fleet,
        Load(fleet.api_urls, fleet.journals) as load,
    ):
        job = load.submit(slow(8))
        name = holder(fleet, job)
        pid = fleet.pid(name)

        fleet.terminate(name)

        kept(fleet, load)
        assert exit_status(fleet, pid) == 0
        assert [claim["attempt"] for claim in claims(fleet, job)] == [1, 1]
        [released] = of_event(fleet.records(), "released")
        [_, again] = claims(fleet, job)
        assert again["t"] - released["t"] < LEASE_SECONDS, "it was rung, and waited for no lease"


def test_telling_everything_to_stop_fails_nothing(fleet, load):
    stop = threading.Event()
    sender = send_steadily(load, 4, stop)
    try:
        for name in (*fleet.workers, *fleet.apis):
            fleet.terminate(name)
            accepted = load.accepted
            eventually(lambda accepted=accepted: load.accepted > accepted + 3)
    finally:
        stop.set()
        sender.join()

    kept(fleet, load)


def exit_status(fleet: Fleet, pid: int) -> int:
    return eventually(
        lambda: next((e for e in of_event(fleet.records(), "exited") if e["target_pid"] == pid), None)
    )["status"]


@pytest.mark.parametrize(
    ("poison", "code", "most_runs"),
    [
        ("segfault", "too_many_attempts", 3),
        ("memory", "too_many_attempts", 3),
        ("hang", "deadline_exceeded", 1),
        ("raise", "prediction_failed", 1),
    ],
)
def test_a_poison_song_ends_alone_and_all_innocents_beside_it_succeed(poison, code, most_runs):
    environment = SHORT_LEASES | {"GENREWIZ_CONCURRENCY": "4", "GENREWIZ_RUN_SECONDS": "12"}
    with (
        fleet_running(apis=1, workers=2, environment=environment) as fleet,
        Load(fleet.api_urls, fleet.journals) as load,
    ):
        for _ in range(INNOCENTS // 2):
            load.send(slow(4))
        poisoned = load.submit(Song(audio=song(poison=poison), expected=(("failed", code),)))
        for _ in range(INNOCENTS // 2):
            load.send(slow(4))

        verdict = kept(fleet, load)

        runs = claims(fleet, poisoned)
        assert len(runs) <= most_runs, runs
        assert verdict.ended == {"succeeded": INNOCENTS, "failed": 1}
        if most_runs > 1:
            assert fleet.in_hand(runs[-1]["who"], pid=runs[-1]["pid"]) == [poisoned]


def test_many_poison_songs_at_once_take_no_innocent_with_them():
    environment = SHORT_LEASES | {"GENREWIZ_CONCURRENCY": "4"}
    with (
        fleet_running(apis=1, workers=2, environment=environment) as fleet,
        Load(fleet.api_urls, fleet.journals) as load,
    ):
        for number in range(INNOCENTS):
            load.send(slow(2))
            if number % 2:
                load.send(Song(audio=song(poison="segfault"), expected=(("failed", "too_many_attempts"),)))

        verdict = kept(fleet, load)

    assert verdict.ended == {"succeeded": INNOCENTS, "failed": INNOCENTS // 2}
