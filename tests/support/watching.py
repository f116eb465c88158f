"""Watchers of jobs through a real api; the test itself is the worker."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from shared.job import JobId, Lease
from shared.job_events import Windows
from shared.redis_jobs import RedisJobStore
from support.api_server import ApiServer
from support.jobs import classification
from support.sse import Event, Watcher

LEASE_SECONDS = 600


def claim(jobs: RedisJobStore, job_id: str, owner: str = "worker-1") -> Lease:
    """The job runs from now on."""
    lease = jobs.claim(JobId(job_id), owner=owner, lease_seconds=LEASE_SECONDS).lease
    assert lease is not None
    return lease


def windows(first: int, count: int) -> Windows:
    """So many answers of a run."""
    return Windows(first=first, entries=classification().timeline * count)


def watch(api: ApiServer, job_id: str, last_event_id: str | None = None, query: str = "") -> Watcher:
    """A client that watches the job at this api."""
    return Watcher(f"http://127.0.0.1:{api.port}/jobs/{job_id}/events{query}", last_event_id=last_event_id)


def watchers(api: ApiServer) -> int:
    """How many an api has, by its metrics."""
    text = httpx.get(f"http://127.0.0.1:{api.metrics_port}/metrics", trust_env=False, verify=False).text
    found = re.findall(r"^genrewiz_watchers(?:\{.*\})? (\S+)$", text, re.MULTILINE)
    return int(sum(map(float, found)))


def names(events: list[Event]) -> list[str]:
    return [event.name for event in events]


@contextmanager
def meanwhile(call: Callable[[], httpx.Response]) -> Iterator["Future[httpx.Response]"]:
    """The answer to a request that is under way while the block runs."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(call)
