"""A worker of the fleet: the real one, with a journal, crash points and obedience to songs put around it.

All of that is test code in this process alone; the worker knows nothing of it.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from faults.crash import CrashPoints
from faults.hooks import after
from faults.journal import Journal
from faults.songs import order_in
from shared.audio_store import DirectoryAudioStore
from shared.redis_jobs import RedisJobStore
from worker.health import HealthServer
from worker.main import main
from worker.pipeline import Pipeline

STEP_SECONDS = 0.1
MEMORY_BYTES = 400 * 2**20
PIECE_BYTES = 2**24
DURING_RUN_SECONDS = 0.3  # into the run: a heartbeat or a report may have been sent


def segfault() -> NoReturn:
    ctypes.string_at(0)
    raise AssertionError("still here")


def exhaust_memory() -> NoReturn:
    """Take memory as a song without bounds would, and end as the kernel ends that: by SIGKILL.

    A limit on this process would be met by its other threads as well, which the kernel's own way is not.
    """
    hoard = []
    while len(hoard) * PIECE_BYTES < MEMORY_BYTES:
        hoard.append(b"x" * PIECE_BYTES)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still here")


def hang() -> NoReturn:
    while True:
        time.sleep(STEP_SECONDS)


def blow_up() -> NoReturn:
    raise RuntimeError("a song that nobody expected")


POISONS: dict[str, Callable[[], NoReturn]] = {
    "segfault": segfault,
    "memory": exhaust_memory,
    "hang": hang,
    "raise": blow_up,
}


def wrap(journal: Journal, points: CrashPoints) -> None:
    """Put journal and crash points around the worker's classes."""
    _wrap_store(journal, points)
    _wrap_pipeline(points)
    after(DirectoryAudioStore, "delete", lambda *_: points.reach("after_audio_delete"))
    after(HealthServer, "ready", lambda *_: journal.write("ready"))


def _wrap_store(journal: Journal, points: CrashPoints) -> None:
    claim, finish = RedisJobStore.claim, RedisJobStore.finish

    def claim_and_tell(self: RedisJobStore, job_id: Any, *args: Any, **kwargs: Any) -> Any:
        points.reach("before_claim")
        claimed = claim(self, job_id, *args, **kwargs)
        if claimed.lease is not None:
            journal.write(
                "claimed", job=job_id, attempt=claimed.job and claimed.job.attempt, token=claimed.lease.token
            )
            points.reach("after_claim")
        elif claimed.verdict.value == "exhausted":
            journal.write("exhausted", job=job_id)
        return claimed

    def finish_and_tell(self: RedisJobStore, lease: Any, outcome: Any, *args: Any, **kwargs: Any) -> Any:
        points.reach("before_finish")
        accepted = finish(self, lease, outcome, *args, **kwargs)
        journal.write(
            "finished",
            job=lease.job_id,
            token=lease.token,
            status=outcome.status.value,
            code=outcome.error.code if outcome.error else None,
            accepted=bool(accepted),
        )
        points.reach("after_finish")
        return accepted

    RedisJobStore.claim = claim_and_tell  # type: ignore[method-assign]
    RedisJobStore.finish = finish_and_tell  # type: ignore[method-assign]
    if hasattr(RedisJobStore, "release"):
        after(
            RedisJobStore,
            "release",
            lambda released, _store, lease, *__: journal.write(
                "released",
                job=getattr(lease, "job_id", str(lease)),
                token=getattr(lease, "token", None),
                accepted=bool(released),
            ),
        )


def _wrap_pipeline(points: CrashPoints) -> None:
    run = Pipeline.run

    def run_as_ordered(self: Pipeline, audio: BinaryIO, **kwargs: Any) -> Any:
        report = kwargs.get("report", lambda *_: None)
        order = order_in(audio)
        if order and order[0] == "POISON":
            POISONS[order[1]]()
        took = float(order[1]) if order else 0.0
        start = time.monotonic()
        while (since := time.monotonic() - start) < took:
            report("decode", 0.5 * since / took)  # as the real one does between the pieces of a long song
            if since > DURING_RUN_SECONDS:
                points.reach("during_run")
            time.sleep(STEP_SECONDS)
        points.reach("during_run")
        return run(self, audio, **kwargs)

    Pipeline.run = run_as_ordered  # type: ignore[method-assign]


def run() -> int:
    journal = Journal(Path(os.environ["FAULTS_JOURNAL"]), os.environ["FAULTS_NAME"])
    wrap(journal, CrashPoints(Path(os.environ["FAULTS_ARMED"]), journal))
    journal.write("started")
    status = main()
    journal.write("returned", status=status)
    return status


if __name__ == "__main__":
    sys.exit(run())
