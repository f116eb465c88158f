"""What open event streams do to everybody else: the 99th percentile of a GET, with 500 of them and with none.

Two apis of one process each share a server: the one that holds the streams and one that holds none get the
same requests in turns.
"""

import selectors
import socket
import statistics
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from http_get import a_finished_job
from http_servers import PRODUCTION, Servers, ask, caller, servers
from record import record

from shared.job import JobId, Lease
from support.api_server import ApiServer, api_serving
from support.jobs import new_job

STREAMS = 500
ROUNDS = 9
REQUESTS = 400  # a round
LEASE_SECONDS = 3_600
EVENTS_PER_SECOND = 4  # of one job: a worker tells no more often
RUNNING = 8  # of 500 jobs, so many run at once, each with as many events


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    figures: dict[str, float] = {"streams": STREAMS}
    with tempfile.TemporaryDirectory() as name, servers(Path(name)) as both:
        directory = Path(name) / "other"
        directory.mkdir()
        with api_serving(directory, both.redis.url, **PRODUCTION) as other:
            shown = a_finished_job(both)
            one, many = [running_job(both, 1_000)], [running_job(both, 2_000 + n) for n in range(STREAMS)]
            for kind, watched, told in (
                ("one_job", one, []),
                ("many_jobs", many, []),
                ("one_job_telling", one, one),
                ("many_jobs_telling", many, many[:RUNNING]),
            ):
                leases = [lease for _, lease in told]
                with streams(both.api, [job_id for job_id, _ in watched]), telling(both, leases):
                    pairs = measure(both.api, other, shown, rounds)
                figures |= {
                    f"{kind}_p99_milliseconds": 1_000
                    * statistics.median(with_streams for with_streams, _ in pairs),
                    f"{kind}_p99_ratio": statistics.median(loaded / alone for loaded, alone in pairs),
                }
                figures["p99_milliseconds_without"] = 1_000 * statistics.median(alone for _, alone in pairs)
    record("http_streams", figures)


def measure(api: ApiServer, other: ApiServer, job_id: JobId, rounds: int) -> list[tuple[float, float]]:
    """Seconds that all but one GET of a hundred take at most, with the streams and without."""
    return [(p99(api, job_id, number), p99(other, job_id, number)) for number in range(rounds + 1)][1:]


def p99(api: ApiServer, job_id: JobId, number: int) -> float:
    request = (
        f"GET /jobs/{job_id} HTTP/1.1\r\nHost: api.example\r\nX-Forwarded-For: {caller(number)}\r\n\r\n"
    ).encode()
    seconds: list[float] = []
    ask(api.port, [request] * REQUESTS, status=200, seconds=seconds)
    return sorted(seconds)[len(seconds) * 99 // 100]


def running_job(both: Servers, number: int) -> tuple[JobId, Lease]:
    job = new_job(number)
    both.jobs.accept(job)
    return job.id, both.jobs.claim(job.id, owner="w", lease_seconds=LEASE_SECONDS).lease


@contextmanager
def streams(api: ApiServer, job_ids: Sequence[JobId]) -> Iterator[None]:
    """So many are open, and read as fast as they come."""
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for number in range(STREAMS):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", api.port)))
            address = caller(10_000 + number)
            path = f"/jobs/{job_ids[number % len(job_ids)]}/events"
            connection.sendall(
                f"GET {path} HTTP/1.1\r\nHost: api.example\r\nX-Forwarded-For: {address}\r\n\r\n".encode()
            )
            answer = connection.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 200 "), answer
            selector.register(connection, selectors.EVENT_READ)

        def read() -> None:
            for key, _ in selector.select(timeout=0.1):
                key.fileobj.recv(65_536)

        with repeating(read, pause_seconds=0):
            yield


@contextmanager
def telling(both: Servers, leases: Sequence[Lease]) -> Iterator[None]:
    """Workers tell how far these jobs are."""
    told = 0

    def tell() -> None:
        nonlocal told
        told += 1
        for lease in leases:
            both.jobs.progress(lease, stage="decode", fraction=told % 1_000 / 1_000)

    with repeating(tell, pause_seconds=1 / EVENTS_PER_SECOND):
        yield


@contextmanager
def repeating(call: Callable[[], None], *, pause_seconds: float) -> Iterator[None]:
    """In a thread, for as long as the block runs."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(pause_seconds):
            call()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    main()
