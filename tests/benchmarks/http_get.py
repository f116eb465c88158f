"""What a GET of a job costs beside a bare Flask route with the same JSON: CPU of the api process.

Eight clients at once, on connections that are kept; rate limit and access lines as in production.
"""

import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path

from http_servers import Servers, ask, caller, median_ratio, milliseconds_each, servers
from record import record

from shared.classification import Classification, Prediction, TimelineEntry
from shared.job import JobId, JobOptions, Outcome, Source, StageSeconds
from support.jobs import MODEL, new_job

ROUNDS = 25
REQUESTS = 500  # a round
WINDOWS = 14  # of a song of three and a half minutes
GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")
SOURCE = Source(kind="upload", filename="Nocturne in Nine (live).mp3", sha256="a" * 64, bytes=8_000_000)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as name, servers(Path(name)) as both:
        figures: dict[str, float] = {}
        for kind, job_id in (("queued", a_queued_job(both)), ("finished", a_finished_job(both))):
            pairs = measure(both, job_id, rounds)
            figures |= {
                f"{kind}_cpu_milliseconds": statistics.median(ours for ours, _ in pairs),
                f"{kind}_bare_cpu_milliseconds": statistics.median(bare for _, bare in pairs),
                f"{kind}_to_bare_ratio": median_ratio(pairs),
            }
    record("http_get", figures)


def measure(both: Servers, job_id: JobId, rounds: int) -> list[tuple[float, float]]:
    """CPU milliseconds of a request, ours and the bare one's; the first round only warms."""
    answer = both.api.http.get(f"/jobs/{job_id}")
    answer.raise_for_status()
    with both.bare(answer.content) as bare:
        pairs = []
        for number in range(rounds + 1):
            request = (
                f"GET /jobs/{job_id} HTTP/1.1\r\nHost: api.example\r\nAccept: application/json\r\n"
                f"User-Agent: genrewiz/1\r\nX-Forwarded-For: {caller(number)}\r\n\r\n"
            ).encode()
            send = partial(ask, requests=[request] * REQUESTS, status=200)
            pairs.append(tuple(milliseconds_each(server, send, REQUESTS) for server in (both.api, bare)))
    return pairs[1:]


def a_queued_job(both: Servers) -> JobId:
    job = new_job(1, source=SOURCE)
    both.jobs.accept(job)
    return job.id


def a_finished_job(both: Servers) -> JobId:
    job = new_job(2, source=SOURCE, options=JobOptions())
    both.jobs.accept(job)
    lease = both.jobs.claim(job.id, owner="w", lease_seconds=60).lease
    assert both.jobs.finish(
        lease,
        Outcome(
            source=SOURCE,
            model=MODEL,
            stage_seconds=StageSeconds(fetch=0.0, decode=0.081, spectrogram=0.01, predict=0.1),
            result=a_result(),
        ),
    )
    return job.id


def a_result() -> Classification:
    probabilities = tuple(round(0.0123456 + number / 60, 9) for number in range(len(GENRES)))
    return Classification(
        predictions=tuple(
            Prediction(genre=genre, probability=probability)
            for probability, genre in sorted(zip(probabilities, GENRES, strict=True), reverse=True)
        ),
        timeline=tuple(
            TimelineEntry(
                start_seconds=14.86 * number,
                end_seconds=14.86 * number + 29.72,
                genre="rock",
                probabilities=probabilities,
            )
            for number in range(WINDOWS)
        ),
    )


if __name__ == "__main__":
    main()
