"""Clients: they send songs, keep what they were promised, and look until each promise is kept.

A client tries again, with the same idempotency key, for as long as nothing was promised. It judges nothing:
what it saw goes into its journal.
"""

import hashlib
import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from faults.journal import Journal
from faults.songs import song

FINISHED = frozenset({"succeeded", "failed", "cancelled", "expired"})
REQUEST_SECONDS = 15.0
RETRY_SECONDS = 0.3
POLL_SECONDS = 0.4
LOOK_AGAIN_SECONDS = 25.0  # after an end: longer than a zombie's lease
CLIENTS = 24


@dataclass(frozen=True, kw_only=True)
class Hook:
    """Who is to hear of a job's events, and how the job says so."""

    receiver: str
    events: tuple[str, ...]
    document: dict[str, Any]  # the job's `webhook`

    @property
    def shown(self) -> dict[str, Any]:
        """As journals keep it."""
        return {"receiver": self.receiver, "events": list(self.events)}


@dataclass(frozen=True, kw_only=True)
class Song:
    """What to send, and how it should end: the status, and the error's code (None is no error)."""

    audio: bytes
    expected: tuple[tuple[str, str | None], ...] = (("succeeded", None),)
    queue: str = "standard"
    hook: Hook | None = None


@dataclass
class _Promise:
    job_id: str
    ended_at: float | None = None
    looked_again: bool = False
    status: str | None = None


class Load:
    """Sends songs to any of the apis and watches every accepted job."""

    def __init__(self, urls: Sequence[str], journals: Path, *, patience_seconds: float = 300.0) -> None:
        """patience_seconds: for one song, until it is accepted."""
        self._urls = list(urls)
        self.began = time.monotonic()
        self._journal = Journal(journals, "client")
        self._patience_seconds = patience_seconds
        self._promises: dict[str, _Promise] = {}
        self._stop = threading.Event()
        self._clients = ThreadPoolExecutor(CLIENTS, thread_name_prefix="client")
        self._sendings: list[Future[str | None]] = []
        self._http = httpx.Client(
            timeout=REQUEST_SECONDS, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self._watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)
        self._watcher.start()

    def __enter__(self) -> "Load":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, what: Song | None = None) -> "Future[str | None]":
        """Send in the background; gives the job's id, or None where nothing was promised in time."""
        sending = self._clients.submit(self._send, what or Song(audio=song()), uuid.uuid4().hex)
        self._sendings.append(sending)
        return sending

    def submit(self, what: Song | None = None) -> str:
        """Send and wait for the promise."""
        job_id = self.send(what).result()
        assert job_id, "no api has promised anything"
        return job_id

    def send_again(self, what: Song, key: str) -> str | None:
        """Send with this idempotency key, and wait for the promise."""
        return self._send(what, key)

    def send_steadily(self, per_second: float, make: Callable[[], Song], until: Callable[[], bool]) -> None:
        """One after the other at this pace, until it is time."""
        due = time.monotonic()
        while not until():
            self.send(make())
            due += 1 / per_second
            time.sleep(max(0.0, due - time.monotonic()))

    def settle(self, *, seconds: float) -> bool:
        """Wait until every sending is answered and every promised job has ended. False where not in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if all(sending.done() for sending in self._sendings) and not self.open_jobs():
                return True
            time.sleep(0.1)
        return False

    def open_jobs(self) -> list[str]:
        """Accepted, and not known to have ended."""
        return [promise.job_id for promise in list(self._promises.values()) if promise.ended_at is None]

    def has_ended(self, job_id: str) -> bool:
        """Also where nobody here was promised that job."""
        promise = self._promises.get(job_id)
        return promise is None or promise.ended_at is not None

    @property
    def accepted(self) -> int:
        return len(self._promises)

    def look_again(self) -> None:
        """Read every job that has ended once more: an end that changes is no end."""
        for promise in list(self._promises.values()):
            if promise.ended_at is not None:
                for _ in range(20):
                    if self._look(promise, event="looked_again"):
                        break
                    time.sleep(RETRY_SECONDS)

    def close(self) -> None:
        """Send and watch no more."""
        self._stop.set()
        self._clients.shutdown(cancel_futures=True)
        self._watcher.join()
        self._http.close()

    def _send(self, what: Song, key: str) -> str | None:
        self._journal.write("sent", key=key, expected=what.expected)
        end = time.monotonic() + self._patience_seconds
        job = {"queue": what.queue} | ({"webhook": what.hook.document} if what.hook else {})
        while not self._stop.is_set() and time.monotonic() < end:
            try:
                response = self._http.post(
                    f"{random.choice(self._urls)}/jobs",
                    files={"file": ("song.wav", what.audio)},
                    data={"job": json.dumps(job)},
                    headers={"Idempotency-Key": key},
                )
            except httpx.HTTPError:
                time.sleep(RETRY_SECONDS)
                continue
            if response.status_code in (200, 202):  # finished already, or to come
                job_id: str = response.json()["id"]
                self._journal.write(
                    "accepted",
                    key=key,
                    job=job_id,
                    expected=what.expected,
                    webhook=what.hook.shown if what.hook else None,
                )
                self._promises.setdefault(job_id, _Promise(job_id))
                return job_id
            if response.status_code < 500 and response.status_code != 429:
                self._journal.write("refused", key=key, status=response.status_code, body=response.text[:300])
                return None
            time.sleep(RETRY_SECONDS)
        self._journal.write("gave_up", key=key)
        return None

    def _watch(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            for promise in list(self._promises.values()):
                if self._stop.is_set():
                    return
                if promise.ended_at is None:
                    self._look(promise, event="ended")
                elif not promise.looked_again and time.monotonic() - promise.ended_at > LOOK_AGAIN_SECONDS:
                    promise.looked_again = self._look(promise, event="looked_again")

    def _look(self, promise: _Promise, *, event: str) -> bool:
        """Whether an answer has come and is in the journal."""
        try:
            response = self._http.get(f"{random.choice(self._urls)}/jobs/{promise.job_id}")
        except httpx.HTTPError:
            return False
        if response.status_code >= 500:
            return False
        job = response.json() if response.status_code == 200 else {}
        status = job.get("status", f"http_{response.status_code}")
        if event == "ended" and status not in FINISHED:
            if status != promise.status:
                promise.status = status
                self._journal.write("seen", job=promise.job_id, status=status)
            return False
        self._journal.write(
            event,
            job=promise.job_id,
            status=status,
            code=(job.get("error") or {}).get("code"),
            attempt=job.get("attempt"),
            digest=hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()[:16],
        )
        promise.ended_at = promise.ended_at or time.monotonic()
        return True
