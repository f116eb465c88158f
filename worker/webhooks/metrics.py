"""What Prometheus learns from a dispatcher. Names stay; labels are few and fixed, never an id or a host."""

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric
from prometheus_client.core import GaugeMetricFamily

from shared.errors import StoreUnavailable
from shared.redis_outbox import Depth
from shared.webhooks import Attempt

LAG_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1_800, 7_200, 43_200, 172_800)


class DispatcherMetrics:
    """The metrics of one dispatcher, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._attempts = Counter(
            "genrewiz_webhook_attempts",
            "Requests to receivers, by what came of them.",
            ["outcome"],
            registry=self.registry,
        )
        self._lost = Counter(
            "genrewiz_webhook_attempts_unrecorded",
            "Attempts whose outcome could not be written down in time: such an event is sent once more.",
            registry=self.registry,
        )
        self._disabled = Counter(
            "genrewiz_webhook_endpoints_disabled",
            "Endpoints that were disabled for what they answered.",
            ["because"],
            registry=self.registry,
        )
        self._lag = Histogram(
            "genrewiz_webhook_lag_seconds",
            "From an event to its delivery.",
            buckets=LAG_BUCKETS,
            registry=self.registry,
        )

    def watch(self, depth: Callable[[], Depth]) -> None:
        """Read at every scrape what waits."""
        self.registry.register(_Outbox(depth))

    def attempted(self, attempt: Attempt) -> None:
        """A receiver was asked."""
        self._attempts.labels(outcome_of(attempt)).inc()

    def delivered(self, lag_seconds: float) -> None:
        """An event has arrived, so long after it happened."""
        self._lag.observe(max(0.0, lag_seconds))

    def unrecorded(self) -> None:
        """What came of an attempt is known here alone."""
        self._lost.inc()

    def disabled(self, because: str) -> None:
        """An endpoint gets nothing any more."""
        self._disabled.labels(because).inc()


def outcome_of(attempt: Attempt) -> str:
    """`delivered`, the class of a status (`http_5xx`), or why there was none."""
    if attempt.is_success:
        return "delivered"
    return attempt.error.code if attempt.error else f"http_{(attempt.status_code or 0) // 100}xx"


class _Outbox:
    """Gauges of Redis: none at all while it is away, for a zero would be good news."""

    def __init__(self, depth: Callable[[], Depth]) -> None:
        self._depth = depth

    def describe(self) -> Iterable[Metric]:
        """Nothing: to be registered is no reason to ask Redis."""
        return ()

    def collect(self) -> Iterable[Metric]:
        try:
            depth = self._depth()
        except StoreUnavailable:
            return
        yield GaugeMetricFamily(
            "genrewiz_webhook_outbox", "Deliveries that wait or are being sent.", depth.pending
        )
        yield GaugeMetricFamily(
            "genrewiz_webhook_outbox_oldest_seconds",
            "For how long the longest overdue delivery has been due.",
            depth.oldest_seconds,
        )
