"""F11: receivers are hostile, dispatchers and Redis die; whoever was to hear of an end hears of it.

Jobs here are stand-ins, which end by themselves; real ones have their turn in the soak.
"""

import random
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from faults.crash import DISPATCHER_POINTS
from faults.fleet import REDIS, WEBHOOKS, Fleet, fleet_running
from faults.journal import of_event
from faults.oracle import judge, spread
from faults.receivers import HOSTILE, Receivers
from faults.stand_ins import CALLER, StandIns
from faults.webhook_oracle import WebhookVerdict, judge_webhooks
from shared.job_webhook import ENDS, EVENTS, EventName
from support.waiting import eventually

KILLS = 50
GOOD = ("good-1", "good-2", "good-3", "good-4")
PER_SECOND = 12.0


@contextmanager
def jobs_ending(
    fleet: Fleet, receivers: Receivers, *, events: Sequence[Sequence[EventName]] = (ENDS, EVENTS)
) -> Iterator[StandIns]:
    """Stand-ins end for as long as the block runs; behind it every receiver has heard what it was to hear."""
    chance, stop = random.Random(7), threading.Event()

    def choose():
        return receivers.hook(chance.choice(receivers.names), chance.choice(events))

    with StandIns(fleet.redis_url, fleet.journals) as stand_ins:
        ending = threading.Thread(target=stand_ins.end_steadily, args=(PER_SECOND, choose, stop.is_set))
        ending.start()
        try:
            eventually(lambda: stand_ins.ended)
            yield stand_ins
        finally:
            stop.set()
            ending.join()
        receivers.heal()
        fleet.heal()
        fleet.disarm()
        stand_ins.settle()
        eventually(lambda: not judge_webhooks(fleet.records()).lost)


@contextmanager
def dispatching(
    names: Sequence[str], *, dispatchers: int = 2, environment: dict[str, str] | None = None
) -> Iterator[tuple[Fleet, Receivers]]:
    """An api to ask, dispatchers, and receivers of these names; the first one is an endpoint."""
    with (
        fleet_running(
            apis=1, workers=0, dispatchers=dispatchers, environment=WEBHOOKS | (environment or {})
        ) as fleet,
        Receivers(fleet.journals, fleet.api_urls, names) as receivers,
    ):
        receivers.make_endpoint(names[0], fleet.redis_url, CALLER)
        yield fleet, receivers


def kept(fleet: Fleet) -> WebhookVerdict:
    """The verdict, which is a good one."""
    records = fleet.records()
    of_jobs, verdict = judge(records), judge_webhooks(records)
    assert of_jobs.is_good, str(of_jobs)
    assert verdict.is_good, str(verdict)
    assert verdict.arrived == verdict.promised
    return verdict


def test_every_end_is_told_whatever_is_killed_and_however_a_receiver_answers():
    bad = {"bad-1": "http_500", "bad-2": "reset", "bad-3": "garbage"}
    with dispatching(["good-1", *bad]) as (fleet, receivers):
        with jobs_ending(fleet, receivers):
            for (name, mode), point in zip(bad.items(), DISPATCHER_POINTS, strict=True):
                armed = fleet.arm(point)
                eventually(lambda armed=armed: not armed.exists())
                receivers.turn(name, mode)
                eventually(lambda mode=mode: has_refused(fleet, mode))
                receivers.turn(name, "good")
            fleet.kill(REDIS)
            for name in fleet.dispatchers:
                fleet.kill(name)
                fleet.await_ready(name)
        verdict = kept(fleet)
        assert any(record["attempt"] == "2" for record in of_event(fleet.records(), "received"))

    assert verdict.promised


@pytest.mark.long_faults
def test_hostile_receivers_hold_up_no_good_one_and_hear_everything_once_they_are_good():
    """There are fewer slots than hostile receivers could hold, each of them for seconds."""
    bad = [f"bad-{mode}" for mode in HOSTILE]
    with dispatching([*GOOD, *bad], environment={"GENREWIZ_WEBHOOK_CONCURRENCY": "16"}) as (fleet, receivers):
        with jobs_ending(fleet, receivers) as stand_ins:
            for mode in HOSTILE:
                receivers.turn(f"bad-{mode}", mode)
            ended = stand_ins.ended
            eventually(lambda: stand_ins.ended > ended + 400)
        verdict = kept(fleet)

    lags = spread([lag for name in GOOD for lag in verdict.lags[name]])
    assert lags.p99 < float(WEBHOOKS["GENREWIZ_WEBHOOK_SECONDS"]), lags  # for so long a slot is held
    print(f"good receivers: {lags}")


@pytest.mark.long_faults
@pytest.mark.parametrize("dispatchers", [1, 2])
def test_a_dispatcher_that_is_killed_fifty_times_at_random_loses_nothing(dispatchers):
    chance = random.Random(dispatchers)
    with dispatching([*GOOD, "bad-1"], dispatchers=dispatchers) as (fleet, receivers):
        with jobs_ending(fleet, receivers) as stand_ins:
            for _ in range(KILLS):
                receivers.turn("bad-1", chance.choice(("good", *HOSTILE)))
                name = chance.choice(fleet.dispatchers)
                fleet.await_ready(name)
                told, more = has_told(fleet), chance.randrange(12)
                eventually(lambda told=told, more=more: has_told(fleet) > told + more)
                fleet.kill(name)
            assert stand_ins.ended > KILLS
        verdict = kept(fleet)
        kills = [fault for fault in of_event(fleet.records(), "fault") if fault["kind"] == "dispatcher_kill"]

    assert len(kills) == KILLS
    print(f"{dispatchers} dispatchers: {verdict}")


@pytest.mark.long_faults
def test_a_dispatcher_that_wakes_behind_its_lease_says_nothing_of_what_another_has_sent_since():
    with dispatching(["good-1", "good-2"]) as (fleet, receivers):
        # Progress that is not told in time is never told again: ends are.
        receivers["good-1"].endpoint = None
        with jobs_ending(fleet, receivers, events=[ENDS]):
            fleet.arm("before_attempt_recorded", signal.SIGSTOP)
            [frozen] = eventually(lambda: of_event(fleet.records(), "fault"))
            eventually(lambda: judge_webhooks(fleet.records()).duplicates)
            fleet.thaw(frozen["target"])
            eventually(lambda: verdicts(fleet, frozen["target"]).count("lost"))
        kept(fleet)


def verdicts(fleet: Fleet, dispatcher: str) -> list[str]:
    """What the outbox has answered to this one."""
    recorded = of_event(fleet.records(), "recorded")
    return [record["verdict"] for record in recorded if record["who"] == dispatcher]


def has_refused(fleet: Fleet, mode: str) -> bool:
    """Whether a receiver in this mode has had news of an end."""
    received = of_event(fleet.records(), "received")
    return any(record["mode"] == mode and record["type"] in ENDS for record in received)


def has_told(fleet: Fleet) -> int:
    """How many attempts were written down."""
    return sum(
        file.read_bytes().count(b'"recorded"') for file in Path(fleet.journals).glob("dispatcher-*.jsonl")
    )
