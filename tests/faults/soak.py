"""`make soak`: all faults at random, for each of some seeds; fails (1) where a promise was broken.

With --record the figures go to docs/faults.json and docs/faults.md; otherwise they are only printed. Journals
and logs of a run that went wrong are kept, and named.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from faults.fleet import WEBHOOKS, Fleet, fleet_running
from faults.injector import Injector
from faults.load import Load, Song
from faults.oracle import judge, recoveries
from faults.receivers import Receivers
from faults.report import RESULTS, machine, recovery_table, shown, write_results
from faults.schedule import pause_seconds, steps
from faults.songs import song
from faults.webhook_oracle import judge_webhooks
from genrewiz.serve.supervisor import signals_interrupt
from support.waiting import eventually

APIS, WORKERS, DISPATCHERS = 2, 4, 1
RECEIVERS = ("radio-1", "radio-2", "radio-3")
ENVIRONMENT = WEBHOOKS | {
    "GENREWIZ_CONCURRENCY": "2",
    "GENREWIZ_LOG_LEVEL": "info",
    # A job that this schedule hits time and again has not deserved to end for that.
    "GENREWIZ_MAX_ATTEMPTS": "20",
}
SONGS_PER_SECOND = 1.0
SLOW_SHARE, SLOW_SECONDS = 0.15, (3.0, 10.0)
END_PATIENCE_SECONDS = 300.0
SAY_SECONDS = 10.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=720.0, help="of each seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--record", action="store_true", help="write docs/faults.json and docs/faults.md")
    options = parser.parse_args()
    runs = []
    with signals_interrupt():
        for seed in options.seeds:
            runs.append(soak(seed, options.seconds))
            if options.record:
                write_results(machine=machine(), runs=runs)
    print("\n".join(recovery_table(runs)))
    if options.record:
        print(f"written: {RESULTS}")
    return 0 if all(run["is_good"] for run in runs) else 1


def soak(seed: int, seconds: float) -> dict[str, Any]:
    """One run; its figures."""
    directory = Path(tempfile.mkdtemp(prefix=f"soak-{seed}-"))
    chance = random.Random(seed)
    stop = threading.Event()
    busy_before = _busy_seconds()
    began = time.monotonic()
    with (
        fleet_running(
            directory, apis=APIS, workers=WORKERS, dispatchers=DISPATCHERS, environment=ENVIRONMENT
        ) as fleet,
        Receivers(fleet.journals, fleet.api_urls, RECEIVERS) as receivers,
    ):
        server = fleet.redis.info("server")
        with Load(fleet.api_urls, fleet.journals) as load:
            injector = Injector(fleet, load, stop)
            speaker = threading.Thread(target=_speak, args=(seed, fleet, load, stop), daemon=True)
            sender = threading.Thread(
                target=load.send_steadily,
                args=(SONGS_PER_SECOND, lambda: _any_song(chance, receivers), stop.is_set),
                daemon=True,
            )
            speaker.start()
            sender.start()
            try:
                _inject(injector, seed, seconds)
                busy = (_busy_seconds() - busy_before) / (time.monotonic() - began) / os.cpu_count()
                injector.calm()
            finally:
                stop.set()
                sender.join()
                injector.close()
            fleet.heal()
            fleet.disarm()
            fleet.await_ready()
            is_settled = load.settle(seconds=END_PATIENCE_SECONDS)
            load.look_again()
        is_settled = is_settled and is_told(fleet)
        verdict, news = judge(fleet.records()), judge_webhooks(fleet.records())
        left, leftovers = fleet.audio_left(), fleet.leftovers()
        found = recoveries(fleet.records())
    is_good = verdict.is_good and news.is_good and is_settled and not left and not any(leftovers.values())
    print(f"seed {seed}: {'good' if is_good else 'BAD'}: {verdict}\n{news}", file=sys.stderr)
    if is_good:
        shutil.rmtree(directory, ignore_errors=True)
    else:
        print(f"audio left: {left}; ids left: {leftovers}; all in {directory}", file=sys.stderr)
    return {
        "seed": seed,
        "seconds": round(seconds),
        "is_good": is_good,
        "cpu_busy": round(busy, 3),
        "verdict": shown(verdict),
        "webhooks": {name: value for name, value in shown(news).items() if name != "lags"},
        "audio_left": len(left),
        "ids_left": sum(leftovers.values()),
        "recoveries": [
            {"kind": back.kind, "seconds": round(back.seconds, 2), "undisturbed": back.is_undisturbed}
            for back in found
        ],
        "server": _version(server),
    }


def _inject(injector: Injector, seed: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    chance = random.Random(f"pauses of {seed}")
    left = steps(seed, seconds)
    while left:
        step = left.pop(0)
        pause = pause_seconds([step, *left], end - time.monotonic())
        if not step.is_quiet:
            time.sleep(pause * chance.uniform(0.3, 1.7))
        injector.do(step)


def is_told(fleet: Fleet) -> bool:
    """Whether every receiver has heard in time what it was to hear."""
    try:
        eventually(lambda: not judge_webhooks(fleet.records()).lost, seconds=END_PATIENCE_SECONDS)
    except AssertionError:
        return False
    return True


def _any_song(chance: random.Random, receivers: Receivers) -> Song:
    slow_seconds = chance.uniform(*SLOW_SECONDS) if chance.random() < SLOW_SHARE else 0.0
    queue = chance.choices(("high", "standard", "batch"), (1, 8, 1))[0]
    hook = receivers.hook(chance.choice(RECEIVERS))
    return Song(audio=song(slow_seconds=slow_seconds), queue=queue, hook=hook)


def _speak(seed: int, fleet: Fleet, load: Load, stop: threading.Event) -> None:
    began = time.monotonic()
    while not stop.wait(SAY_SECONDS):
        ready = sum(map(fleet.is_ready, fleet.workers))
        print(
            f"seed {seed}: {time.monotonic() - began:4.0f} s, {load.accepted} accepted, "
            f"{len(load.open_jobs())} open, {ready} workers ready, {fleet.faults} faults",
            file=sys.stderr,
            flush=True,
        )


def _version(server: dict[str, Any]) -> str:
    name = server.get("server_name", "redis")
    return f"{name} {server.get(f'{name}_version', '')}"


def _busy_seconds() -> float:
    """CPU seconds that this machine has worked, for whomever."""
    user, nice, system, *_ = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
