"""What the processes need of the world outside, in our own words.

Job transitions have no port: they have one implementation (`redis_jobs.py`), and a second one in memory would
be a second truth.
"""

from collections.abc import Iterable
from typing import BinaryIO, Protocol

from shared.job import JobId


class AudioSink(Protocol):
    """Audio on its way into the store: nothing of it can be seen before `commit`."""

    def write(self, data: bytes, /) -> int:
        """Append bytes."""
        ...

    def commit(self) -> None:
        """Make it durable under its job's id: on return it survives a power cut."""
        ...

    def discard(self) -> None:
        """Forget it; after a commit, nothing happens."""
        ...


class AudioStore(Protocol):
    """Where audio lives from the upload until its job has finished."""

    def create(self, job_id: JobId) -> AudioSink:
        """A sink for the audio of a job."""
        ...

    def open(self, job_id: JobId) -> BinaryIO:
        """The audio of a job; AudioMissing where there is none, StoreUnavailable where it cannot be read."""
        ...

    def scratch(self) -> BinaryIO:
        """A file without a name, gone when it is closed or its process ends; StoreUnavailable."""
        ...

    def delete(self, job_id: JobId) -> None:
        """Remove the audio of a job, if there is any; StoreUnavailable where that cannot be."""
        ...

    def abandoned(self, *, idle_seconds: float) -> Iterable[JobId]:
        """Jobs whose audio was stored so long ago; what was never committed is removed on the way."""
        ...


class PictureStore(Protocol):
    """Where the pictures of songs live for as long as their jobs' results."""

    def put(self, job_id: JobId, picture: bytes) -> None:
        """Keep the picture of a job: on return it survives a power cut. StoreUnavailable."""
        ...

    def get(self, job_id: JobId) -> bytes | None:
        """The picture of a job, if there is one; StoreUnavailable where it cannot be read."""
        ...

    def delete(self, job_id: JobId) -> None:
        """Remove the picture of a job, if there is one; StoreUnavailable where that cannot be."""
        ...

    def all(self, *, idle_seconds: float) -> Iterable[JobId]:
        """Jobs that have a picture; what broke off so long ago is removed on the way."""
        ...


class Doorbell(Protocol):
    """Tells the workers that a job may be claimed; a ring may be lost or come twice."""

    def ring(self, job_id: JobId, broker_queue: str) -> None:
        """Put the job's id on a Celery queue; StoreUnavailable where the broker is away."""
        ...
