"""An api whose worker is the test itself: a job is as far as the test says, for as long as it likes."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image
from redis import Redis

from shared.api_keys import DEFAULT_RIGHTS
from shared.classification import Classification, Prediction, TimelineEntry
from shared.errors import AudioTooShort, GenreWizError
from shared.job import JobError, JobId, Lease, Outcome, StageSeconds
from shared.job_events import NO_WINDOWS, Windows
from shared.picture_store import DirectoryPictureStore
from shared.redis_api_keys import RedisApiKeys
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from support.api_server import ApiServer, api_serving
from support.jobs import MODEL
from support.redis_server import redis_serving
from support.waiting import eventually

GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")
LEASE_SECONDS = 600.0  # nobody hurries the test


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a worker would say of a song."""

    classification: Classification
    duration_seconds: float
    picture: bytes


def window(number: int, genre: str, share: float) -> TimelineEntry:
    """One of half-overlapping windows of 30 seconds; the other genres share what is left."""
    rest = (1 - share) / (len(GENRES) - 1)
    shares = tuple(share if each == genre else rest for each in GENRES)
    return TimelineEntry(
        start_seconds=15.0 * number, end_seconds=15.0 * number + 30, genre=genre, probabilities=shares
    )


def heard(genres: Sequence[str], share: float = 0.7) -> Heard:
    """A song with these genres one after another; the first one of them is the likeliest."""
    timeline = tuple(window(number, genre, share) for number, genre in enumerate(genres))
    order = [*dict.fromkeys(genres), *(each for each in GENRES if each not in genres)]
    shares = [share, *((1 - share) / 2**number for number in range(1, len(GENRES)))]
    ranked = tuple(Prediction(genre=each, probability=p) for each, p in zip(order, shares, strict=True))
    columns = 20 * (15 * len(genres) + 15)
    return Heard(
        classification=Classification(predictions=ranked, timeline=timeline),
        duration_seconds=timeline[-1].end_seconds,
        picture=_stripes(columns),
    )


class HandWorker:
    """Plays the worker."""

    def __init__(self, redis: Redis, audio: Path) -> None:
        self._jobs = RedisJobStore(redis, Keys())
        self._pictures = DirectoryPictureStore(audio)
        self._leases: dict[str, Lease] = {}

    def begin(self, job_id: str, *, stage: str = "decode") -> None:
        """Take a job; nothing is known of it yet."""
        claim = self._jobs.claim(JobId(job_id), owner=f"hand-{job_id}", lease_seconds=LEASE_SECONDS)
        assert claim.lease, claim
        self._leases[job_id] = claim.lease
        self._jobs.progress(claim.lease, stage=stage, fraction=0.0)

    def hear(self, job_id: str, song: Heard, *, windows: int) -> None:
        """So many of its windows, the first ones."""
        entries = song.classification.timeline
        self._jobs.progress(
            self._leases[job_id],
            stage="predict",
            fraction=windows / len(entries),
            windows=Windows(first=0, entries=entries[:windows]),
        )

    def answer(self, job_id: str, song: Heard, *, shown: int = 0) -> None:
        """The end. shown: windows that were heard before."""
        self._pictures.put(JobId(job_id), song.picture)
        entries = song.classification.timeline[shown:]
        outcome = replace(self._outcome(job_id, song.duration_seconds), result=song.classification)
        assert self._jobs.finish(self._leases[job_id], outcome, windows=Windows(first=shown, entries=entries))

    def fail(self, job_id: str, error: GenreWizError | None = None) -> None:
        """The other end."""
        fault = error or AudioTooShort("The song lasts 1.0 seconds. At least 3 seconds are needed.")
        outcome = replace(self._outcome(job_id, 1.0), error=JobError.of(fault))
        assert self._jobs.finish(self._leases[job_id], outcome, windows=NO_WINDOWS)

    def cancelled(self, job_id: str) -> None:
        """The third: somebody wanted it no more."""
        assert self._jobs.finish(self._leases[job_id], self._outcome(job_id, None))

    def expire(self, job_id: str) -> None:
        """No worker ever took it; waits until its deadline has passed."""
        eventually(self._jobs.expire)
        assert self._jobs.get(JobId(job_id)).status == "expired"

    def _outcome(self, job_id: str, duration_seconds: float | None) -> Outcome:
        source = replace(
            self._jobs.get(JobId(job_id)).source,
            duration_seconds=duration_seconds,
            sample_rate=44_100,
            channels=2,
            codec="mp3",
        )
        return Outcome(
            source=source, model=MODEL, stage_seconds=StageSeconds(decode=0.4, spectrogram=0.05, predict=0.3)
        )


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The api and the one who plays its worker."""

    api: ApiServer
    url: str
    worker: HandWorker
    key: str | None  # where the api asks for one


@contextmanager
def stage(directory: Path, *, locked: bool = False, **environment: str) -> Iterator[Stage]:
    """One that is up. locked: with an API key."""
    (directory / "redis").mkdir(parents=True)
    with (
        redis_serving(directory / "redis") as server,
        api_serving(directory, server.url, **environment) as api,
    ):
        redis = server.client()
        key = RedisApiKeys(redis, Keys()).add("page", DEFAULT_RIGHTS)[1] if locked else None
        worker = HandWorker(redis, api.audio)
        yield Stage(api=api, url=f"http://127.0.0.1:{api.port}", worker=worker, key=key)


def _stripes(columns: int) -> bytes:
    """A picture as a worker's: one pixel a mel band, by palette; brighter towards the low bands."""
    image = Image.new("P", (columns, 128))
    image.putdata(
        [min(255, 40 + row + 60 * (column // 10 % 2)) for row in range(128) for column in range(columns)]
    )
    image.putpalette([part for level in range(256) for part in (level, level // 2, 255 - level)])
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
