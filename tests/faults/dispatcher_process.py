"""A dispatcher of the fleet: the real one, with a journal and crash points put around its outbox.

All of that is test code in this process alone; the dispatcher knows nothing of it.
"""

import os
import runpy
import threading
from pathlib import Path
from typing import Any

from faults.crash import CrashPoints
from faults.journal import Journal
from shared.redis_outbox import RedisOutbox


def wrap(journal: Journal, points: CrashPoints) -> None:
    """Put journal and crash points around the outbox."""
    claim, record = RedisOutbox.claim, RedisOutbox.record
    is_ready = threading.Event()

    def claim_and_tell(self: RedisOutbox, *args: Any, **kwargs: Any) -> Any:
        claimed = claim(self, *args, **kwargs)
        if not is_ready.is_set():
            is_ready.set()
            journal.write("ready")
        if claimed.deliveries:
            points.reach("after_deliveries_claimed")
        return claimed

    def record_and_tell(self: RedisOutbox, due: Any, attempt: Any, *args: Any, **kwargs: Any) -> Any:
        points.reach("before_attempt_recorded")
        recorded = record(self, due, attempt, *args, **kwargs)
        journal.write("recorded", id=due.id, token=due.token, number=attempt.number, verdict=recorded.value)
        points.reach("after_attempt_recorded")
        return recorded

    RedisOutbox.claim = claim_and_tell  # type: ignore[method-assign]
    RedisOutbox.record = record_and_tell  # type: ignore[method-assign]


def run() -> None:
    journal = Journal(Path(os.environ["FAULTS_JOURNAL"]), os.environ["FAULTS_NAME"])
    wrap(journal, CrashPoints(Path(os.environ["FAULTS_ARMED"]), journal))
    journal.write("started")
    runpy.run_module("worker.webhooks", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    run()
