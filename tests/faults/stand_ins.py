"""Jobs that nobody runs: accepted, claimed and ended through the store as api and worker do, without a song.

Many a second of them cost little. What they were promised and how they ended goes into a journal, as clients'
views of real jobs do.
"""

import random
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from faults.journal import Journal
from faults.load import Hook
from shared.errors import StoreUnavailable
from shared.job import JobId
from shared.job_webhook import EndpointId, InlineDestination, JobWebhook
from shared.redis_client import connect
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.settings import Settings
from support.jobs import failure, new_job, success

T = TypeVar("T")

LEASE_SECONDS = 600.0
RETRY_SECONDS = 0.1
RUN_SECONDS = 0.15  # news of an end that comes before it would be caught
HANDS = 6
CALLER = "192.0.2.7"


class StandIns:
    """Ends jobs whose events these hooks are to hear of."""

    def __init__(self, redis_url: str, journals: Path) -> None:
        settings = Settings.model_validate({"redis_url": redis_url})
        self.ended = 0
        self._redis = connect(settings, retries=0)
        self._jobs = RedisJobStore(self._redis, Keys())
        self._journal = Journal(journals, "client")
        self._stop = threading.Event()
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="stand-in")
        self._running: list[Future[str]] = []

    def __enter__(self) -> "StandIns":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def end_one(self, hook: Hook, *, chance: random.Random) -> str:
        """A job from its acceptance to one end or another; its id."""
        job_id = JobId(f"job_{uuid.uuid4().hex[:24]}")
        expected = chance.choices(("succeeded", "failed", "cancelled"), (8, 1, 1))[0]
        new = new_job(id=job_id, caller=CALLER, webhook=_webhook(hook))
        self._again(lambda: self._jobs.accept(new))
        self._journal.write(
            "accepted",
            key=job_id,
            job=job_id,
            expected=[[expected, "corrupt_audio" if expected == "failed" else None]],
            webhook=hook.shown,
        )
        if expected == "cancelled":
            self._again(lambda: self._jobs.cancel(job_id))
        else:
            self._run(job_id, failed=expected == "failed")
        ended = self._again(lambda: self._jobs.get(job_id))
        self._journal.write(
            "ended",
            job=job_id,
            status=ended.status.value,
            code=ended.error.code if ended.error else None,
            attempt=ended.attempt,
            digest="",
        )
        self.ended += 1
        return job_id

    def end_steadily(
        self, per_second: float, choose: Callable[[], Hook], until: Callable[[], bool], *, seed: int = 1
    ) -> None:
        """At this pace, as far as the server keeps it, until it is time."""
        chance = random.Random(seed)
        due = time.monotonic()
        while not until():
            hook, luck = choose(), random.Random(chance.random())
            self._running.append(self._hands.submit(self.end_one, hook, chance=luck))
            due += 1 / per_second
            time.sleep(max(0.0, due - time.monotonic()))

    def settle(self) -> None:
        """Until all that were begun have ended."""
        for running in self._running:
            running.result()
        self._running.clear()

    def close(self) -> None:
        self._stop.set()
        self._hands.shutdown(cancel_futures=True)
        self._redis.close()

    def _run(self, job_id: JobId, *, failed: bool) -> None:
        owner = uuid.uuid4().hex
        claim = self._again(lambda: self._jobs.claim(job_id, owner=owner, lease_seconds=LEASE_SECONDS))
        lease = claim.lease
        assert lease is not None, claim
        self._again(lambda: self._jobs.progress(lease, stage="decode", fraction=0.5))
        self._stop.wait(RUN_SECONDS)
        self._again(lambda: self._jobs.finish(lease, failure() if failed else success()))

    def _again(self, call: Callable[[], T]) -> T:
        """What is not answered is asked again: every call of the store may be."""
        while True:
            try:
                return call()
            except StoreUnavailable:
                if self._stop.wait(RETRY_SECONDS):
                    raise


def _webhook(hook: Hook) -> JobWebhook:
    document: dict[str, Any] = hook.document
    if "endpoint" in document:
        return JobWebhook(endpoint=EndpointId(document["endpoint"]), lane=document["endpoint"])
    destination = InlineDestination(url=document["url"], secret=document["secret"])
    origin = document["url"].rpartition("/")[0]
    return JobWebhook(
        events=tuple(document["events"]),
        destination=destination,
        shown_url=document["url"],
        lane=f"{CALLER} {origin}",
    )
