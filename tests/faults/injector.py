"""Does to a fleet what a schedule says, one step at a time; what lasts goes on beside the next steps.

It never takes all workers away at once: a fleet of none recovers from nothing.
"""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager

from faults.crash import API_POINTS, WORKER_POINTS
from faults.doorbells import doorbells_deleted, doorbells_doubled
from faults.fleet import REDIS, Fleet
from faults.load import Load, Song
from faults.schedule import Step
from faults.songs import song

ZOMBIE_SECONDS = (16.0, 22.0)  # over a lease of 15 s
HOLE_SECONDS = (18.0, 35.0)
LATENCY_SECONDS = (0.05, 0.4)
DOORBELL_SECONDS = 3.0
REDIS_DOWN_SECONDS = 4.0  # at most
HELD_SECONDS = 25.0  # by a song whose worker is to be hit
PATIENCE_SECONDS = 90.0  # for a recovery; the oracle says how long it was
MOST_AWAY = 2  # workers that are frozen or cut off at one time
POLL_SECONDS = 0.2

Lasting = Callable[[str], AbstractContextManager[None]]


class Injector:
    """The hand that does it."""

    def __init__(self, fleet: Fleet, load: Load, stop: threading.Event) -> None:
        """stop: whatever lasts or waits ends at once when it is set."""
        self._fleet = fleet
        self._load = load
        self._stop = stop
        self._away: set[str] = set()
        self._beside = ThreadPoolExecutor(8, thread_name_prefix="fault")
        self._lasting: list[Future[None]] = []
        self._ways: dict[str, Callable[[random.Random], None]] = {
            "worker_kill": lambda chance: fleet.kill(self._busy(chance)),
            "redis_kill": lambda chance: fleet.kill(REDIS, down_seconds=chance.random() * REDIS_DOWN_SECONDS),
            "api_kill": lambda chance: fleet.kill(chance.choice(fleet.apis)),
            "zombie": lambda chance: self._beset(chance, fleet.frozen, ZOMBIE_SECONDS),
            "black_hole": self._black_hole,
            "half_open": lambda chance: fleet.strand(self._busy(chance)),
            "reset": lambda chance: fleet.reset(chance.choice(fleet.workers + fleet.apis)),
            "latency": self._latency,
            "refuse": lambda chance: self._beset(chance, fleet.refused, (5.0, 20.0)),
            "sigterm": lambda chance: fleet.terminate(self._busy(chance)),
            "doorbells_deleted": lambda _: self._last(
                "", lambda _: doorbells_deleted(fleet), DOORBELL_SECONDS
            ),
            "doorbells_doubled": lambda _: self._last(
                "", lambda _: doorbells_doubled(fleet), DOORBELL_SECONDS
            ),
            "crash": lambda chance: self._arm(chance.choice(WORKER_POINTS)),
            "api_crash": lambda chance: self._arm(chance.choice(API_POINTS)),
        }
        self._quiet_ways = {
            "worker_kill": self._quiet_worker_kill,
            "redis_kill": self._quiet_redis_kill,
            "black_hole": self._quiet_black_hole,
        }

    def do(self, step: Step) -> None:
        """The fault itself; with nothing beside it, and until it is over, where the step is a quiet one."""
        if step.is_quiet:
            self.calm()
            self._quiet_ways[step.kind]()
        else:
            self._ways[step.kind](random.Random(step.chance))

    def calm(self) -> None:
        """Until nothing lasts any more and everything is ready."""
        for lasting in self._lasting:
            lasting.result()
        self._lasting.clear()
        self._fleet.disarm()
        self._until(lambda: all(map(self._fleet.is_ready, (*self._fleet.workers, *self._fleet.apis))))

    def close(self) -> None:
        """End what lasts."""
        self._beside.shutdown()

    def _quiet_worker_kill(self) -> None:
        if held := self._held():
            _, name = held
            jobs, pid = self._fleet.in_hand(name), self._fleet.pid(name)
            self._fleet.kill(name)
            self._until(lambda: self._fleet.pid(name) != pid)
            self._until(lambda: all(self._load.has_ended(job) or self._holders(job) for job in jobs))

    def _quiet_redis_kill(self) -> None:
        self._fleet.kill(REDIS)
        probe = self._load.submit()
        self._until(lambda: self._load.has_ended(probe))

    def _quiet_black_hole(self) -> None:
        if held := self._held():
            job, name = held
            with self._fleet.cut_off(name):
                self._until(lambda: self._holders(job) - {name})
            self._until(lambda: self._fleet.in_hand(name) not in ([], [job]))

    def _held(self) -> tuple[str, str] | None:
        """A job that will be in hand for long, and the worker that has it."""
        job = self._load.submit(Song(audio=song(slow_seconds=HELD_SECONDS)))
        self._until(lambda: self._holders(job))
        return next(((job, name) for name in self._holders(job)), None)

    def _holders(self, job: str) -> set[str]:
        return {name for name in self._fleet.workers if job in self._fleet.in_hand(name)}

    def _busy(self, chance: random.Random) -> str:
        """A worker with a job in hand where there is one, else any; none that is away already."""
        here = [name for name in self._fleet.workers if name not in self._away]
        return chance.choice([name for name in here if self._fleet.in_hand(name)] or here)

    def _beset(self, chance: random.Random, fault: Lasting, seconds: tuple[float, float]) -> None:
        self._last(self._busy(chance), fault, chance.uniform(*seconds))

    def _black_hole(self, chance: random.Random) -> None:
        if chance.random() < 0.2:
            self._last(chance.choice(self._fleet.apis), self._fleet.cut_off, chance.uniform(*HOLE_SECONDS))
        else:
            self._beset(chance, self._fleet.cut_off, HOLE_SECONDS)

    def _latency(self, chance: random.Random) -> None:
        latency = chance.uniform(*LATENCY_SECONDS)
        self._beset(chance, lambda name: self._fleet.slowed(name, latency), (10.0, 20.0))

    def _arm(self, point: str) -> None:
        self._fleet.arm(point)

    def _last(self, name: str, fault: Lasting, seconds: float) -> None:
        """Let a fault last beside what comes next."""
        self._until(lambda: len(self._away) < MOST_AWAY and name not in self._away)
        if name:
            self._away.add(name)

        def last() -> None:
            try:
                with fault(name):
                    self._stop.wait(seconds)
            finally:
                self._away.discard(name)

        self._lasting.append(self._beside.submit(last))

    def _until(self, condition: Callable[[], object]) -> bool:
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > end or self._stop.wait(POLL_SECONDS):
                return False
        return True
