"""What Prometheus learns from the api. Names stay; labels are few and fixed, never an id.

Counters live in files shared by the gunicorn workers; gauges are read from Redis when Prometheus asks.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from shared.errors import StoreUnavailable
from shared.redis_jobs import RedisJobStore
from shared.transitions import End, Sweep

SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class ApiMetrics:
    """The metrics of one api process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = self._counter("http_requests", "Requests answered.", "route", "method", "code")
        self._seconds = Histogram(
            "genrewiz_http_request_duration_seconds",
            "From a request's arrival to its answer.",
            ["route", "method"],
            buckets=SECONDS_BUCKETS,
            registry=self.registry,
        )
        self._in_flight = Gauge(
            "genrewiz_http_requests_in_flight",
            "Requests that are being answered.",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self._watchers = Gauge(
            "genrewiz_watchers",
            "Requests that watch a job, or wait for its end.",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self._accepted = self._counter("jobs_accepted", "Jobs accepted.", "source", "queue")
        self._rejected = self._counter("jobs_rejected", "Jobs refused, by the problem's code.", "reason")
        self._ring_failures = self._counter(
            "ring_failures", "Doorbells that could not be rung at acceptance."
        )
        self._finished = self._counter("jobs_finished", "Jobs that ended here.", "status", "reason")
        self._lapsed = self._counter("lease_lapsed", "Leases that ran out, as seen by this reaper.")
        self._rerung = self._counter("jobs_rerung", "Doorbells that this reaper rang again.")

    def request_began(self) -> None:
        """A request has come."""
        self._in_flight.inc()

    def request_ended(self, *, route: str, method: str, code: int, seconds: float) -> None:
        """A request was answered; route is a pattern, never a path."""
        self._in_flight.dec()
        self._requests.labels(route, method, str(code)).inc()
        self._seconds.labels(route, method).observe(seconds)

    def watchers(self, change: int) -> None:
        """So many more or fewer watch a job."""
        self._watchers.inc(change)

    def accepted(self, *, source: str, queue: str) -> None:
        """A job was accepted."""
        self._accepted.labels(source, queue).inc()

    def rejected(self, reason: str) -> None:
        """A job was refused."""
        self._rejected.labels(reason).inc()

    def ring_failed(self) -> None:
        """A doorbell could not be rung."""
        self._ring_failures.inc()

    def swept(self, sweep: Sweep) -> None:
        """The reaper found something."""
        self._lapsed.inc(sweep.lapsed)
        self._rerung.inc(len(sweep.rings))
        for end, count in sweep.ends:
            self.ended(end, count)

    def ended(self, end: End, count: int = 1) -> None:
        """Jobs came to an end without a run."""
        self._finished.labels(end.status.value, end.reason).inc(count)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"genrewiz_{name}", text, labels, registry=self.registry)


class _RedisGauges(Collector):
    """How many jobs wait and run, asked of Redis at each scrape."""

    def __init__(self, jobs: RedisJobStore) -> None:
        self._jobs = jobs

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            depths = self._jobs.depths()
        except StoreUnavailable:
            return  # no figure is better than an old one; the alert on Redis says the rest
        jobs = GaugeMetricFamily("genrewiz_jobs", "Jobs that have not finished.", labels=["status"])
        jobs.add_metric(["queued"], depths.queued)
        jobs.add_metric(["running"], depths.running)
        yield jobs
        messages = GaugeMetricFamily(
            "genrewiz_broker_messages", "Doorbells that wait in Celery's queues.", labels=["queue"]
        )
        for queue, count in depths.broker_messages.items():
            messages.add_metric([queue], count)
        yield messages


def metrics_app(metrics: ApiMetrics, jobs: RedisJobStore) -> Callable[..., Iterable[bytes]]:
    """A WSGI application with the metrics of all gunicorn workers and of Redis."""

    def answer(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        processes = metrics.registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            processes = CollectorRegistry()
            multiprocess.MultiProcessCollector(processes)  # type: ignore[no-untyped-call]
        gauges = CollectorRegistry()
        gauges.register(_RedisGauges(jobs))
        body = generate_latest(processes) + generate_latest(gauges)
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST), ("Content-Length", str(len(body)))])
        return [body]

    return answer
