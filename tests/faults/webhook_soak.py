"""`make soak-webhooks`: receivers change their ways and everything is killed at random; who was told of what.

Real jobs of real workers. Fails (1) where a job or the news of one was lost. With --record the figures go to
docs/faults.json and docs/faults.md; journals and logs of a run that went wrong are kept, and named.
"""

import argparse
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from faults.crash import DISPATCHER_POINTS
from faults.fleet import REDIS, WEBHOOKS, Fleet, fleet_running
from faults.journal import of_event
from faults.load import Load, Song
from faults.oracle import judge, spread
from faults.receivers import HOSTILE, Receivers
from faults.report import RESULTS, machine, shown, webhook_table, write_results
from faults.schedule import Step, pause_seconds, steps
from faults.soak import is_told
from faults.songs import song
from faults.webhook_oracle import WebhookVerdict, judge_webhooks
from genrewiz.serve.supervisor import signals_interrupt
from shared.job_webhook import ENDS, EVENTS

APIS, WORKERS, DISPATCHERS = 2, 2, 2
GOOD = [f"good-{number}" for number in range(1, 7)]
BAD = [f"bad-{number}" for number in range(1, 5)]
ENDPOINTS = (GOOD[0], GOOD[1], BAD[0], BAD[1])  # jobs name these; to the others they bring the way along
CALLER = "127.0.0.1"
ENVIRONMENT = WEBHOOKS | {"GENREWIZ_CONCURRENCY": "2", "GENREWIZ_MAX_ATTEMPTS": "20"}
SONGS_PER_SECOND = 1.5
SLOW_SHARE, SLOW_SECONDS = 0.1, (2.0, 7.0)
MODE_SECONDS = (2.0, 15.0)
GOOD_SHARE = 0.4  # of the time of a bad receiver
ZOMBIE_SECONDS = (9.0, 14.0)  # over a lease of 8 s
HOLE_SECONDS, LATENCY_SECONDS = (5.0, 15.0), (0.05, 0.3)
END_PATIENCE_SECONDS = 300.0
SAY_SECONDS = 10.0
FULL_SECONDS = 600.0
TIMES = {
    "dispatcher_kill": 50,
    "dispatcher_crash": 12,
    "dispatcher_zombie": 4,
    "dispatcher_black_hole": 4,
    "dispatcher_reset": 4,
    "dispatcher_latency": 3,
    "dispatcher_sigterm": 4,
    "worker_kill": 10,
    "api_kill": 8,
    "redis_kill": 10,
}
"""What a run of FULL_SECONDS does; a shorter one does its share of each."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=FULL_SECONDS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", action="store_true", help="write docs/faults.json and docs/faults.md")
    options = parser.parse_args()
    with signals_interrupt():
        figures = soak(options.seed, options.seconds)
    if options.record:
        write_results(webhooks=figures | {"machine": machine()})
        print(f"written: {RESULTS}")
    print("\n".join(webhook_table(figures)))
    return 0 if figures["is_good"] else 1


def soak(seed: int, seconds: float) -> dict[str, Any]:
    """One run; its figures."""
    directory = Path(tempfile.mkdtemp(prefix=f"soak-webhooks-{seed}-"))
    with (
        fleet_running(
            directory, apis=APIS, workers=WORKERS, dispatchers=DISPATCHERS, environment=ENVIRONMENT
        ) as fleet,
        Receivers(fleet.journals, fleet.api_urls, [*GOOD, *BAD]) as receivers,
        Load(fleet.api_urls, fleet.journals) as load,
    ):
        for name in ENDPOINTS:
            receivers.make_endpoint(name, fleet.redis_url, CALLER)
        _torment(fleet, receivers, load, seed, seconds)
        receivers.heal()
        fleet.heal()
        fleet.disarm()
        fleet.await_ready()
        is_settled = load.settle(seconds=END_PATIENCE_SECONDS) and is_told(fleet)
        load.look_again()
        records = fleet.records()
    of_jobs, verdict = judge(records), judge_webhooks(records)
    is_good = of_jobs.is_good and verdict.is_good and is_settled
    print(f"{'good' if is_good else 'BAD'}: {of_jobs}\n{verdict}", file=sys.stderr)
    if is_good:
        shutil.rmtree(directory, ignore_errors=True)
    else:
        print(f"all in {directory}", file=sys.stderr)
    return {
        "seed": seed,
        "seconds": round(seconds),
        "is_good": is_good,
        "jobs": {"accepted": of_jobs.accepted, "lost": len(of_jobs.lost), "twice": len(of_jobs.twice)},
        "faults": of_jobs.faults,
        "turns": dict(Counter(record["mode"] for record in of_event(records, "turned"))),
        "recorded": dict(Counter(record["verdict"] for record in of_event(records, "recorded"))),
        "verdict": {name: value for name, value in shown(verdict).items() if name != "lags"},
        "lags": {
            "good": _lags(verdict, GOOD),
            "bad": _lags(verdict, BAD),
        },
    }


def _torment(fleet: Fleet, receivers: Receivers, load: Load, seed: int, seconds: float) -> None:
    """For so long: songs come, bad receivers change their ways, and the schedule is done."""
    stop = threading.Event()
    chance = random.Random(seed)
    threads = [
        threading.Thread(target=target, args=args)
        for target, args in (
            (load.send_steadily, (SONGS_PER_SECOND, lambda: _any_song(chance, receivers), stop.is_set)),
            (_turn, (receivers, random.Random(f"modes of {seed}"), stop)),
            (_speak, (fleet, load, stop)),
        )
    ]
    for thread in threads:
        thread.start()
    beside = ThreadPoolExecutor(DISPATCHERS)
    try:
        _inject(fleet, beside, stop, seed, seconds)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        beside.shutdown()


def _any_song(chance: random.Random, receivers: Receivers) -> Song:
    slow_seconds = chance.uniform(*SLOW_SECONDS) if chance.random() < SLOW_SHARE else 0.0
    hook = receivers.hook(chance.choice(receivers.names), chance.choice((ENDS, ENDS, EVENTS)))
    return Song(audio=song(slow_seconds=slow_seconds), hook=hook)


def _turn(receivers: Receivers, chance: random.Random, stop: threading.Event) -> None:
    due = dict.fromkeys(BAD, 0.0)
    while not stop.wait(0.2):
        for name in BAD:
            if time.monotonic() >= due[name]:
                receivers.turn(name, "good" if chance.random() < GOOD_SHARE else chance.choice(HOSTILE))
                due[name] = time.monotonic() + chance.uniform(*MODE_SECONDS)


def _inject(
    fleet: Fleet, beside: ThreadPoolExecutor, stop: threading.Event, seed: int, seconds: float
) -> None:
    end = time.monotonic() + seconds
    pauses = random.Random(f"pauses of {seed}")
    left = steps(seed, seconds, times=TIMES, quiet_times={}, full_seconds=FULL_SECONDS)
    while left:
        step = left.pop(0)
        time.sleep(pause_seconds([step, *left], end - time.monotonic()) * pauses.uniform(0.3, 1.7))
        _do(step, fleet, beside, stop)
    time.sleep(max(0.0, end - time.monotonic()))


def _do(step: Step, fleet: Fleet, beside: ThreadPoolExecutor, stop: threading.Event) -> None:
    chance = random.Random(step.chance)
    one = chance.choice(fleet.dispatchers)

    def last(fault: Any, seconds: tuple[float, float]) -> None:
        length = chance.uniform(*seconds)

        def lasting() -> None:
            with fault():
                stop.wait(length)

        beside.submit(lasting)

    ways: dict[str, Callable[[], object]] = {
        "dispatcher_kill": lambda: fleet.kill(one),
        "dispatcher_crash": lambda: fleet.arm(chance.choice(DISPATCHER_POINTS)),
        "dispatcher_zombie": lambda: last(lambda: fleet.frozen(one), ZOMBIE_SECONDS),
        "dispatcher_black_hole": lambda: last(lambda: fleet.cut_off(one), HOLE_SECONDS),
        "dispatcher_reset": lambda: fleet.reset(one),
        "dispatcher_latency": lambda: last(
            lambda: fleet.slowed(one, chance.uniform(*LATENCY_SECONDS)), HOLE_SECONDS
        ),
        "dispatcher_sigterm": lambda: fleet.terminate(one),
        "worker_kill": lambda: fleet.kill(chance.choice(fleet.workers)),
        "api_kill": lambda: fleet.kill(chance.choice(fleet.apis)),
        "redis_kill": lambda: fleet.kill(REDIS, down_seconds=chance.random() * 3),
    }
    ways[step.kind]()


def _lags(verdict: WebhookVerdict, names: list[str]) -> dict[str, float] | None:
    figures = spread([lag for name in names for lag in verdict.lags.get(name, ())])
    return None if figures is None else {name: round(value, 3) for name, value in asdict(figures).items()}


def _speak(fleet: Fleet, load: Load, stop: threading.Event) -> None:
    began = time.monotonic()
    while not stop.wait(SAY_SECONDS):
        told = judge_webhooks(fleet.records())
        print(
            f"{time.monotonic() - began:4.0f} s, {load.accepted} accepted, {len(load.open_jobs())} open, "
            f"{told.promised} ended, {len(told.lost)} to be told, {told.duplicates} duplicates, "
            f"{fleet.faults} faults",
            file=sys.stderr,
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
