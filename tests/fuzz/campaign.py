"""Many damaged files through the worker's pipeline, in processes that are watched for what they leave behind.

Each goes the whole way of a job's song: into a walled child of the sandbox, through spectrogram and model.
"""

import ctypes
import hashlib
import io
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path

from fuzz.mutator import mutated_file
from shared.settings import Settings
from support.attempts import OK, attempted
from support.waiting import eventually
from worker.build import open_pipeline
from worker.pipeline import Pipeline

SLOW_SECONDS = 10.0
FINDS = ("decode_crashed", "decode_timeout", "prediction_failed")
"""Typed, and no harm to the neighbours, but a defect that somebody should look at."""
SEEDS = Path(__file__).parent / "seeds"
_WARM_AFTER = 1_000  # files, of all workers together: by then every codec has been in use
_GROWTH = 1.1
_NOISE_BYTES = 2**20  # of a small process 10 % is less than one arena of malloc's
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: who loses their parent becomes ours, and is seen


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How one damaged file ended."""

    number: int
    name: str  # of the valid file that it came from
    outcome: str  # "ok", the code of a JobFailure, or words with a blank in them where neither came
    seconds: float

    @property
    def is_bad(self) -> bool:
        return " " in self.outcome or self.outcome in FINDS or self.seconds > SLOW_SECONDS


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """What a process and its children hold at one moment."""

    resident_bytes: int
    descriptors: int
    children: int


@dataclass(frozen=True, kw_only=True)
class WorkerReport:
    """A worker process when it was warm, and at its end."""

    warm: Footprint
    last: Footprint

    def complaints(self) -> list[str]:
        """What it must not have done."""
        found = []
        if self.last.resident_bytes > self.warm.resident_bytes * _GROWTH + _NOISE_BYTES:
            found.append(f"grew from {self.warm.resident_bytes:,} to {self.last.resident_bytes:,} bytes")
        if self.last.descriptors != self.warm.descriptors:
            found.append(f"had {self.warm.descriptors} descriptors open, then {self.last.descriptors}")
        if self.last.children:
            found.append(f"left {self.last.children} children")
        return found


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """Numbers 0 to count, shared out over workers."""

    count: int
    seed: int
    workers: int = 2

    def run(self, tell: Callable[[Ending], None]) -> tuple[list[WorkerReport], int]:
        """The workers' reports, and how many processes lost their parent; tell hears every ending."""
        _become_subreaper()
        resource_tracker.ensure_running()  # multiprocessing's own, which is to stay
        before = len(_children())
        spawn = multiprocessing.get_context("spawn")  # a fork would bring this process's memory along
        reports, readers = [], []
        for worker in range(self.workers):
            reader, writer = spawn.Pipe(duplex=False)
            spawn.Process(target=_work, args=(self, worker, writer)).start()
            writer.close()
            readers.append(reader)
        while readers:
            for reader in wait(readers):
                assert isinstance(reader, Connection)
                try:
                    said = reader.recv()
                except EOFError:
                    readers.remove(reader)
                    continue
                if isinstance(said, Ending):
                    tell(said)
                else:
                    reports.append(said)
        for process in multiprocessing.active_children():
            process.join()
        return reports, len(_children()) - before

    def numbers_of(self, worker: int) -> Iterator[int]:
        """Every worker has its share of every format."""
        yield from (number for number in range(self.count) if number // 64 % self.workers == worker)


def _work(campaign: Campaign, worker: int, writer: Connection) -> None:
    warm = None
    # As many pipelines as workers of the campaign: each gets its share of the cores.
    with open_pipeline(Settings(concurrency=campaign.workers, device="cpu")) as pipeline:
        for done, number in enumerate(campaign.numbers_of(worker), 1):
            name, data = mutated_file(number, seed=campaign.seed)
            since = time.monotonic()
            outcome = _outcome(pipeline, data)
            writer.send(Ending(number=number, name=name, outcome=outcome, seconds=time.monotonic() - since))
            if done * campaign.workers >= _WARM_AFTER and warm is None:
                warm = _footprint()
        last = _footprint()
    last = replace(last, children=len(_children()))  # what is left once the pipeline is closed
    writer.send(WorkerReport(warm=warm or last, last=last))


def _outcome(pipeline: Pipeline, data: bytes) -> str:
    try:
        analysis = pipeline.run(io.BytesIO(data))
    except Exception as error:  # noqa: BLE001  the find of all finds
        return f"untyped {type(error).__name__}: {error}"[:200]
    return analysis.error.code if analysis.error else OK


def _footprint() -> Footprint:
    """Of this process and its children: the zygote may grow as little as the worker."""
    children = _children()
    eventually(lambda: not any(_children(pid) for pid in children))  # the last decoder is gone
    processes = [Path("/proc/self"), *(Path(f"/proc/{pid}") for pid in children)]
    pages = sum(int((process / "statm").read_text().split()[1]) for process in processes)
    return Footprint(
        resident_bytes=pages * os.sysconf("SC_PAGE_SIZE"),
        descriptors=sum(len(list((process / "fd").iterdir())) for process in processes),
        children=len(children),
    )


def _children(of: str = "self") -> list[str]:
    tasks = Path(f"/proc/{of}/task").iterdir()
    return [pid for task in tasks for pid in (task / "children").read_text().split()]


def _become_subreaper() -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "cannot adopt orphans")


def keep(find: Ending, *, seed: int) -> Path:
    """Writes the file of a bad ending to SEEDS, as short as it still ends so."""
    _, data = mutated_file(find.number, seed=seed)
    step = len(data) // 2
    while step > len(data) // 64 + 16:
        shorter = data[: len(data) - step]
        if shorter and not attempted(shorter).is_good:  # a crash that shows in the bare decoder, too
            data = shorter
        step //= 2
    path = SEEDS / f"{hashlib.sha256(data).hexdigest()[:16]}.bin"
    path.write_bytes(data)
    return path
