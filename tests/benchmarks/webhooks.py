"""Webhooks: how many a second, what a claim costs when very many wait, and what a black hole does to others.

Jobs are stand-ins that the store answers from its cache or that this process ends: no model takes part. What
is compared runs in turns, so that a busy machine slows both.
"""

import dataclasses
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import requests
from record import record
from webhook_sink import BLACK_HOLE, Arrival, Sink, sink_receiving

from faults.fleet import WEBHOOKS
from genrewiz.serve.ports import free_port
from shared.job import JobId, JobOptions, answer_key
from shared.job_webhook import InlineDestination, JobWebhook
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.redis_outbox import RedisOutbox, outbox_policy
from shared.settings import Settings
from shared.webhook_secrets import new_secret
from shared.webhooks import Attempt, DueDelivery
from support.jobs import MODEL, SOURCE, new_job, success
from support.redis_server import RedisServer, redis_serving
from support.waiting import eventually

CHECKOUT = Path(__file__).parents[2]
WAITING, FEW = 100_000, 100
LANES = 1_000
CLAIMS = 1_000
AT_ONCE = 16  # deliveries: as many as a claim takes at most
KINDS = {"claim": (1, "always"), "claim_unsynced": (1, "no"), f"claim_of_{AT_ONCE}_unsynced": (AT_ONCE, "no")}
ROUNDS = 5
SENT = 600  # a round
GOOD = [f"127.0.1.{number}" for number in range(1, 51)]
JOBS_PER_SECOND = 20.0
ONE_MORE = "127.0.1.51"  # a good one, where the others have a black hole
BESIDE_EVERY = 10  # jobs for the fifty there is one for the one beside them
RUN_SECONDS = 15.0
SECRET = new_secret()
BODY_BYTES = 1_200  # about what an end has


def main() -> None:
    wanted = sys.argv[1:] or ["throughput", "claims", "black_hole"]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if "claims" in wanted:
            record("webhook_claims", claims(directory))
        if "throughput" in wanted:
            with world(directory / "throughput", GOOD) as one:
                record("webhook_throughput", throughput(one))
        if "black_hole" in wanted:
            with (
                world(directory / "good", [*GOOD, ONE_MORE]) as alone,
                world(directory / "hole", [*GOOD, BLACK_HOLE]) as holed,
            ):
                record("webhook_black_hole", black_hole(alone, holed))


@dataclasses.dataclass(frozen=True)
class World:
    """A server, a dispatcher and receivers of their own."""

    jobs: "CachedJobs"
    sink: Sink
    dispatcher: "subprocess.Popen[bytes]"


@contextmanager
def world(directory: Path, addresses: Sequence[str]) -> Iterator[World]:
    directory.mkdir()
    with (
        redis_serving(directory / "redis") as server,
        sink_receiving(free_port(), addresses) as sink,
        dispatcher_running(server.url, directory / "dispatcher.log") as dispatcher,
    ):
        yield World(CachedJobs(server), sink, dispatcher)


class CachedJobs:
    """Jobs that end as soon as they are accepted: somebody has asked the same before."""

    def __init__(self, server: RedisServer) -> None:
        self._jobs = RedisJobStore(server.client(retries=3), Keys())
        first = new_job(answer=answer_key(SOURCE.sha256, JobOptions()))
        self._answer = first.answer
        self._jobs.worker_alive("w", model=MODEL.sha256, seconds=24 * 60 * 60)
        self._jobs.accept(first)
        lease = self._jobs.claim(first.id, owner="w", lease_seconds=60).lease
        self._jobs.finish(lease, dataclasses.replace(success(), answer=first.answer))

    def end(self, webhook: JobWebhook) -> None:
        """One more end, and the news of it."""
        job_id = JobId(f"job_{uuid.uuid4().hex[:24]}")
        change = self._jobs.accept(new_job(id=job_id, answer=self._answer, webhook=webhook))
        assert change.job.status == "succeeded", change


def hook(address: str, port: int, *, lane: str | None = None) -> JobWebhook:
    url = f"http://{address}:{port}/hook"
    return JobWebhook(
        destination=InlineDestination(url=url, secret=SECRET), shown_url=url, lane=lane or f"bench {address}"
    )


@contextmanager
def dispatcher_running(redis_url: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The real one, as it is set by default but for where it may send to."""
    port = free_port()
    environment = {
        **os.environ,
        "GENREWIZ_REDIS_URL": redis_url,
        "GENREWIZ_DISPATCHER_METRICS_PORT": str(port),
        "GENREWIZ_LOG_FORMAT": "json",
        **{name: value for name, value in WEBHOOKS.items() if "EGRESS" in name},
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "worker.webhooks"], env=environment, stdout=output, stderr=output
        )
    try:
        eventually(
            lambda: (
                httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == httpx.codes.OK
            )
        )
        yield process
    except BaseException:
        print(log.read_text()[-5_000:])
        raise
    finally:
        process.kill()
        process.wait()


def throughput(one: World) -> dict[str, float]:
    """Requests a second: of the dispatcher, to one receiver and to fifty, and of loops over `requests`."""
    sink = one.sink
    url, body = f"http://{GOOD[0]}:{sink.port}/hook", b"x" * BODY_BYTES
    session = requests.Session()
    ways: dict[str, Callable[[], float]] = {
        "dispatcher_one_receiver": lambda: dispatched(one, GOOD[:1]),
        "dispatcher_fifty_receivers": lambda: dispatched(one, GOOD),
        "loop": lambda: looped(sink, lambda: requests.post(url, data=body, timeout=15)),
        "loop_with_session": lambda: looped(sink, lambda: session.post(url, data=body, timeout=15)),
    }
    rounds: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(ROUNDS + 1):
        for way, measure in ways.items():
            rate = measure()
            if number:  # the first one warms up
                rounds[way].append(rate)

    def ratio(ours: str, theirs: str) -> float:
        return statistics.median(a / b for a, b in zip(rounds[ours], rounds[theirs], strict=True))

    return {
        **{f"{way}_per_second": statistics.median(rates) for way, rates in rounds.items()},
        "one_receiver_ratio_to_loop": ratio("dispatcher_one_receiver", "loop"),
        "one_receiver_ratio_to_session": ratio("dispatcher_one_receiver", "loop_with_session"),
        "fifty_receivers_ratio_to_loop": ratio("dispatcher_fifty_receivers", "loop"),
        "fifty_receivers_ratio_to_session": ratio("dispatcher_fifty_receivers", "loop_with_session"),
    }


def dispatched(one: World, addresses: Sequence[str]) -> float:
    """All wait before the first is sent."""
    one.sink.empty()
    one.dispatcher.send_signal(signal.SIGSTOP)
    for number in range(SENT):
        one.jobs.end(hook(addresses[number % len(addresses)], one.sink.port))
    one.dispatcher.send_signal(signal.SIGCONT)
    eventually(lambda: one.sink.count() >= SENT)
    return _per_second([arrival.at for arrival in one.sink.empty()])


def looped(sink: Sink, post: Callable[[], requests.Response]) -> float:
    sink.empty()
    for _ in range(SENT):
        assert post().status_code == 200
    return _per_second([arrival.at for arrival in sink.empty()])


def _per_second(times: Sequence[float]) -> float:
    return (len(times) - 1) / (max(times) - min(times))


def claims(directory: Path) -> dict[str, float]:
    """What a claim takes with very many waiting, and with few, in turns."""
    figures: dict[str, float] = {"waiting": WAITING, "lanes": LANES}
    with redis_serving(directory / "few") as few:
        for kind, lanes in (("one_lane", 1), ("many_lanes", LANES)):
            with redis_serving(directory / kind) as many:
                fill(many, WAITING, lanes)
                with few.client() as redis:
                    redis.flushall()  # the scripts stay
                fill(few, FEW, min(lanes, FEW))
                for name, (limit, sync) in KINDS.items():
                    times = claim_seconds(many, few, limit=limit, sync=sync)
                    for size, seconds in times.items():
                        for percent in (50, 99):
                            figures[f"{name}_{kind}_{size}_p{percent}_milliseconds"] = 1_000 * _rank(
                                seconds, percent
                            )
    return figures


def fill(server: RedisServer, count: int, lanes: int) -> None:
    """Deliveries that wait; the server syncs nothing meanwhile."""
    jobs = CachedJobs(server)
    with server.client() as redis:
        redis.config_set("appendfsync", "no")
        for number in range(count):
            jobs.end(hook("192.0.2.1", 80, lane=f"bench {number % lanes}"))
        redis.config_set("appendfsync", "always")


def claim_seconds(many: RedisServer, few: RedisServer, *, limit: int, sync: str) -> dict[str, list[float]]:
    """Of so many claims each; what is claimed fails and waits again, as receivers that are away have it.

    sync: "always" is as in production, where a claim waits for the disk; "no" leaves what the server does.
    """
    seconds: dict[str, list[float]] = {"all": [], "few": []}
    with many.client() as of_many, few.client() as of_few:
        policy = outbox_policy(Settings())
        for redis in (of_many, of_few):
            redis.config_set("appendfsync", sync)
        outboxes = {
            size: RedisOutbox(redis, Keys(), policy) for size, redis in (("all", of_many), ("few", of_few))
        }
        for _ in range(CLAIMS):
            for size, outbox in outboxes.items():
                seconds[size].append(claim_once(outbox, limit))
    return seconds


def claim_once(outbox: RedisOutbox, limit: int) -> float:
    start = time.perf_counter()
    claimed = outbox.claim(limit=limit, suspects=limit)
    took = time.perf_counter() - start
    assert claimed.deliveries, claimed
    for due in claimed.deliveries:
        # "404": a failure that says nothing against the lane, so that the next claim finds as many due.
        outbox.record(due, _answered(due, 404), retry_seconds=1e-6)
    return took


def _answered(due: DueDelivery, status: int) -> Attempt:
    return Attempt(number=due.number, at=due.claimed_at, duration_seconds=0.01, status_code=status)


def black_hole(alone: World, holed: World) -> dict[str, float]:
    """How late news comes to fifty good receivers, beside a black hole and beside one good one more."""
    chance = random.Random(1)
    pairs = []
    for number in range(ROUNDS):
        order = [holed, alone] if number % 2 else [alone, holed]
        lags = {
            id(one): lag_seconds(one, chance, beside=BLACK_HOLE if one is holed else ONE_MORE)
            for one in order
        }
        pairs.append((lags[id(holed)], lags[id(alone)]))
    with_hole = [lag for beside, _ in pairs for lag in beside]
    without = [lag for _, by_themselves in pairs for lag in by_themselves]
    return {
        "lag_p50_milliseconds": 1_000 * _rank(without, 50),
        "lag_p99_milliseconds": 1_000 * _rank(without, 99),
        "lag_beside_black_hole_p50_milliseconds": 1_000 * _rank(with_hole, 50),
        "lag_beside_black_hole_p99_milliseconds": 1_000 * _rank(with_hole, 99),
        "black_hole_p99_ratio": _rank(with_hole, 99) / _rank(without, 99),
        "black_hole_p99_ratio_of_pairs": statistics.median(
            _rank(beside, 99) / _rank(by_themselves, 99) for beside, by_themselves in pairs
        ),
        "good_deliveries_each": len(without),
    }


def lag_seconds(one: World, chance: random.Random, *, beside: str) -> list[float]:
    """Of all good receivers' news in one run. The one beside them gets more than its share."""
    one.sink.empty()
    count = int(JOBS_PER_SECOND * RUN_SECONDS)
    began = time.monotonic()
    for number in range(count):
        one.jobs.end(hook(chance.choice(GOOD), one.sink.port))
        if number % BESIDE_EVERY == 0:
            one.jobs.end(hook(beside, one.sink.port))
        time.sleep(max(0.0, began + (number + 1) / JOBS_PER_SECOND - time.monotonic()))
    arrivals: list[Arrival] = []

    def of_good_ones() -> list[Arrival]:
        arrivals.extend(arrival for arrival in one.sink.empty() if arrival.address in GOOD)
        return arrivals

    eventually(lambda: len(of_good_ones()) >= count)
    return [arrival.lag_seconds for arrival in arrivals]


def _rank(values: Sequence[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


if __name__ == "__main__":
    main()
