"""A client of the HTTP contract: submit a song, wait for its end."""

import time
from typing import Any

import httpx

Job = dict[str, Any]
FINISHED = frozenset({"succeeded", "failed", "cancelled", "expired"})
TIMEOUT_SECONDS = 30.0


class Client:
    """Talks to one GenreWiz server. httpx.HTTPError where that cannot be reached or refuses."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=TIMEOUT_SECONDS)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def submit(self, name: str, audio: bytes) -> Job:
        """Upload a song; the job that was accepted."""
        return self._json(self._http.post("/jobs", files={"file": (name, audio)}))

    def get(self, job_id: str) -> Job:
        """The job as it is now."""
        return self._json(self._http.get(f"/jobs/{job_id}"))

    def wait(self, job: Job, *, seconds: float, period_seconds: float = 0.2) -> Job:
        """Poll until the job has finished; TimeoutError where it has not within so many seconds."""
        end = time.monotonic() + seconds
        while job["status"] not in FINISHED:
            if time.monotonic() > end:
                raise TimeoutError(f"the job has not finished within {seconds:g} s")
            time.sleep(period_seconds)
            job = self.get(job["id"])
        return job

    def download(self, path: str) -> bytes:
        """A file that the server serves."""
        return self._http.get(path).raise_for_status().content

    @staticmethod
    def _json(response: httpx.Response) -> Job:
        body: Job = response.raise_for_status().json()
        return body
