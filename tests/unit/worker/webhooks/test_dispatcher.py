"""The dispatcher's loop beside an outbox and receivers that do as a test likes."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import structlog.testing
from prometheus_client import generate_latest
from redis.exceptions import ResponseError

import worker.webhooks.dispatcher
from shared.errors import StoreUnavailable
from shared.redis_outbox import LEASE_MARGIN_SECONDS, Claimed, Depth, Recorded
from shared.webhooks import Attempt, AttemptError, DueDelivery
from support.waiting import eventually
from support.webhooks import JOB, due_delivery
from worker.webhooks.dispatcher import Dispatcher
from worker.webhooks.metrics import DispatcherMetrics

LEASE_SECONDS = 30.0


@dataclass
class FakeOutbox:
    """Gives what a test puts into it, and keeps what was recorded."""

    waiting: deque[DueDelivery] = field(default_factory=deque)
    recorded: list[tuple[DueDelivery, Attempt, float | None]] = field(default_factory=list)
    claims: list[tuple[int, int]] = field(default_factory=list)
    is_away: bool = False
    is_busy: bool = False
    refused: int = 0
    deaf: int = 0
    says: Recorded | None = None
    waits: int = 0
    bell: threading.Event = field(default_factory=threading.Event)

    def put(self, *due: DueDelivery) -> None:
        self.waiting.extend(due)
        self.bell.set()

    def claim(self, *, limit: int, suspects: int) -> Claimed:
        self._check()
        self.claims.append((limit, suspects))
        assert limit > 0
        assert suspects >= 0
        given: list[DueDelivery] = []
        for due in list(self.waiting):
            if len(given) < limit and (not due.is_suspect or suspects > 0):
                suspects -= due.is_suspect
                given.append(due)
                self.waiting.remove(due)
        return Claimed(deliveries=tuple(given), next_due_seconds=None)

    def record(self, due: DueDelivery, attempt: Attempt, *, retry_seconds: float | None) -> Recorded:
        self._check()
        self.recorded.append((due, attempt, retry_seconds))
        if self.says:
            return self.says
        if attempt.is_success:
            return Recorded.DELIVERED
        return Recorded.FAILED if retry_seconds is None else Recorded.RETRIED

    def wait(self, seconds: float) -> None:
        self.deaf += self.is_busy
        self._check()
        self.waits += 1
        self.bell.wait(seconds)
        self.bell.clear()

    def _check(self) -> None:
        if self.is_away:
            self.refused += 1
            raise StoreUnavailable("Redis does not answer.")
        if self.is_busy:
            self.refused += 1
            raise ResponseError("BUSY Redis is busy running a script.")


def many(count: int, **fields: Any) -> list[DueDelivery]:
    return [due_delivery(id=f"msg_{number}", **fields) for number in range(count)]


def answered(due: DueDelivery, status: int = 200) -> Attempt:
    return Attempt(number=due.number, at=due.claimed_at, duration_seconds=0.25, status_code=status, reply="")


class Receivers:
    """Holds every request until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked: list[DueDelivery] = []
        self.at_once = self._now = 0
        self._lock = threading.Lock()

    def send(self, due: DueDelivery) -> Attempt:
        with self._lock:
            self.asked.append(due)
            self._now += 1
            self.at_once = max(self.at_once, self._now)
        self.go.wait()
        with self._lock:
            self._now -= 1
        return answered(due)


@dataclass
class Running:
    dispatcher: Dispatcher
    metrics: DispatcherMetrics
    thread: threading.Thread
    reached: threading.Event

    def value(self, sample: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(sample, labels) or 0.0

    @property
    def is_over(self) -> bool:
        return not self.thread.is_alive()


@contextmanager
def dispatching(
    outbox: FakeOutbox,
    send: Callable[[DueDelivery], Attempt] = answered,
    *,
    concurrency: int = 4,
    lease_seconds: float = LEASE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Running]:
    metrics, reached = DispatcherMetrics(), threading.Event()
    dispatcher = Dispatcher(
        outbox=outbox,
        send=send,
        metrics=metrics,
        schedule=(5, 300),
        concurrency=concurrency,
        lease_seconds=lease_seconds,
        clock=clock,
    )
    thread = threading.Thread(target=lambda: dispatcher.run(on_reached=reached.set), daemon=True)
    thread.start()
    try:
        yield Running(dispatcher, metrics, thread, reached)
    finally:
        dispatcher.stop()
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(worker.webhooks.dispatcher, "AWAY_SECONDS", 0.02)


@pytest.fixture
def lines(monkeypatch):
    """What is logged, each line with its fields."""
    monkeypatch.setattr(worker.webhooks.dispatcher, "log", structlog.get_logger("test"))
    with structlog.testing.capture_logs() as caught:
        yield caught


def test_what_is_due_is_sent_and_written_down():
    outbox = FakeOutbox()
    with dispatching(outbox) as running:
        eventually(running.reached.is_set)
        outbox.put(*many(20))
        eventually(lambda: len(outbox.recorded) == 20)
        eventually(lambda: running.value("genrewiz_webhook_lag_seconds_count") == 20)

        assert running.value("genrewiz_webhook_attempts_total", outcome="delivered") == 20
        assert running.value("genrewiz_webhook_lag_seconds_sum") == pytest.approx(20 * 2.75)

    assert {due.id for due, _, _ in outbox.recorded} == {due.id for due in many(20)}
    assert all(retry is None for _, _, retry in outbox.recorded)


def test_no_more_is_claimed_than_there_are_slots_and_more_as_soon_as_one_is_free():
    outbox, receivers = FakeOutbox(), Receivers()
    outbox.put(*many(50))
    with dispatching(outbox, receivers.send, concurrency=4):
        eventually(lambda: len(receivers.asked) == 4)
        assert len(outbox.waiting) == 46
        receivers.go.set()
        eventually(lambda: len(outbox.recorded) == 50)

    assert receivers.at_once == 4
    assert all(limit <= 4 for limit, _ in outbox.claims)


def test_who_has_no_free_slot_leaves_the_bell_to_others(monkeypatch):
    monkeypatch.setattr(worker.webhooks.dispatcher, "LISTEN_SECONDS", 0.05)
    outbox, receivers = FakeOutbox(), Receivers()
    with dispatching(outbox, receivers.send, concurrency=2):
        eventually(lambda: outbox.waits > 2)
        outbox.put(*many(3))
        eventually(lambda: len(receivers.asked) == 2)
        eventually(lambda: _stays(lambda: outbox.waits))
        receivers.go.set()
        eventually(lambda: len(outbox.recorded) == 3)
        waits = outbox.waits
        eventually(lambda: outbox.waits > waits)


def _stays(count: Callable[[], int], seconds: float = 0.5) -> bool:
    before = count()
    threading.Event().wait(seconds)
    return count() == before


def test_receivers_that_fail_get_half_of_the_slots_and_the_others_go_on():
    outbox, held, good = FakeOutbox(), Receivers(), []

    def send(due: DueDelivery) -> Attempt:
        if due.is_suspect:
            return held.send(due)
        good.append(due)
        return answered(due)

    outbox.put(*many(20, is_suspect=True))
    with dispatching(outbox, send, concurrency=8):
        eventually(lambda: len(held.asked) == 4)
        outbox.put(*many(30))
        eventually(lambda: len(good) == 30)
        assert len(held.asked) == 4
        held.go.set()
        eventually(lambda: len(outbox.recorded) == 50)

    assert held.at_once == 4


def test_with_one_slot_receivers_that_fail_have_their_turn_too():
    outbox = FakeOutbox()
    with dispatching(outbox, concurrency=1):
        outbox.put(*many(3, is_suspect=True))
        eventually(lambda: len(outbox.recorded) == 3)


@pytest.mark.parametrize(
    ("status", "fields", "pause"),
    [
        (500, {}, 5),
        (500, {"tries": 1, "number": 2}, 300),
        (302, {}, 5),
        (500, {"tries": 2, "number": 3}, None),
        (410, {}, None),
        (500, {"event": "job.progress"}, None),
    ],
    ids=["first", "second", "redirect", "last", "gone", "progress"],
)
def test_a_failure_is_written_down_with_the_time_of_the_next_attempt(status, fields, pause):
    outbox = FakeOutbox()
    with dispatching(outbox, lambda due: answered(due, status)) as running:
        outbox.put(due_delivery(**fields))
        eventually(lambda: outbox.recorded)
        eventually(
            lambda: running.value("genrewiz_webhook_attempts_total", outcome=f"http_{status // 100}xx")
        )
        assert running.value("genrewiz_webhook_lag_seconds_count") == 0

    assert outbox.recorded[0][2] == (None if pause is None else pytest.approx(pause, rel=0.1001))


def test_what_was_sent_is_written_down_once_redis_is_back():
    outbox, receivers = FakeOutbox(), Receivers()
    outbox.put(*many(3))
    with dispatching(outbox, receivers.send) as running:
        eventually(lambda: len(receivers.asked) == 3)
        outbox.is_away = True
        receivers.go.set()
        eventually(lambda: outbox.refused > 10)
        assert outbox.recorded == []
        outbox.is_away = False
        eventually(lambda: len(outbox.recorded) == 3)
        outbox.put(*many(2))
        eventually(lambda: len(outbox.recorded) == 5)
        assert running.value("genrewiz_webhook_attempts_unrecorded_total") == 0

    assert len(receivers.asked) == 5


def test_behind_the_lease_nothing_is_written_down_any_more_for_others_may_have_it(lines):
    outbox, receivers = FakeOutbox(), Receivers()
    outbox.put(due_delivery())
    with dispatching(outbox, receivers.send, lease_seconds=0.3) as running:
        eventually(lambda: receivers.asked)
        outbox.is_away = True
        receivers.go.set()
        eventually(lambda: running.value("genrewiz_webhook_attempts_unrecorded_total") == 1)
        outbox.is_away = False

    assert outbox.recorded == []
    assert [line for line in lines if "not recorded" in line["event"]]


class Clock:
    """Stands still unless it is put forward."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class SlowOutbox(FakeOutbox):
    """A claim takes so long by this clock."""

    clock: Clock = field(default_factory=Clock)
    claim_seconds: float = 0.0

    def claim(self, *, limit: int, suspects: int) -> Claimed:
        claimed = super().claim(limit=limit, suspects=suspects)
        self.clock.now += self.claim_seconds
        return claimed


@pytest.mark.parametrize("concurrency", [1, 4])
def test_what_its_lease_could_lapse_under_is_not_sent_but_left_and_its_slot_is_free(lines, concurrency):
    outbox, sent = SlowOutbox(claim_seconds=LEASE_MARGIN_SECONDS + 0.01), []

    def send(due: DueDelivery) -> Attempt:
        sent.append(due.id)
        return answered(due)

    outbox.put(*many(3, is_suspect=True))
    with dispatching(outbox, send, concurrency=concurrency, clock=outbox.clock) as running:
        eventually(lambda: len([line for line in lines if "too late" in line["event"]]) == 3)
        assert outbox.recorded == sent == []
        assert running.value("genrewiz_webhook_attempts_unrecorded_total") == 0
        outbox.claim_seconds = 0.0
        outbox.put(*[due_delivery(id=f"next_{number}", is_suspect=True) for number in range(8)])
        eventually(lambda: len(outbox.recorded) == 8)

    left = [line for line in lines if "too late" in line["event"]]
    assert {line["delivery_id"] for line in left} == {"msg_0", "msg_1", "msg_2"}
    assert {line["log_level"] for line in left} == {"warning"}
    assert all(name.startswith("next_") for name in sent)


def test_what_has_as_much_of_its_lease_as_an_attempt_may_take_is_sent():
    outbox = SlowOutbox(claim_seconds=LEASE_MARGIN_SECONDS - 0.01)
    outbox.put(due_delivery())
    with dispatching(outbox, clock=outbox.clock, concurrency=1):
        eventually(lambda: outbox.recorded)


def test_an_attempt_that_another_dispatcher_has_by_now_is_no_delivery():
    outbox = FakeOutbox(says=Recorded.LOST)
    with dispatching(outbox) as running:
        outbox.put(due_delivery())
        eventually(lambda: running.value("genrewiz_webhook_attempts_unrecorded_total") == 1)
        assert running.value("genrewiz_webhook_lag_seconds_count") == 0


def test_who_starts_while_redis_is_away_is_ready_once_it_is_reached():
    outbox = FakeOutbox(is_away=True)
    outbox.put(due_delivery())
    with dispatching(outbox) as running:
        eventually(lambda: outbox.refused > 5)
        assert not running.reached.is_set()
        outbox.is_away = False
        eventually(running.reached.is_set)
        eventually(lambda: outbox.recorded)


def test_whatever_a_claim_meets_the_next_ones_go_on(lines):
    outbox = FakeOutbox()
    with dispatching(outbox) as running:
        eventually(running.reached.is_set)
        outbox.is_busy = True
        eventually(lambda: len([line for line in lines if "cannot be claimed" in line["event"]]) > 2)
        outbox.put(*many(2))
        assert not running.is_over
        outbox.is_busy = False
        eventually(lambda: len(outbox.recorded) == 2)

    assert {line["log_level"] for line in lines if "cannot be claimed" in line["event"]} == {"error"}


def test_whatever_the_bell_meets_it_is_listened_to_again(lines):
    outbox = FakeOutbox(is_busy=True)
    with dispatching(outbox):
        eventually(lambda: outbox.deaf > 2)
        assert outbox.waits == 0
        outbox.is_busy = False
        eventually(lambda: outbox.waits)

    assert {line["log_level"] for line in lines if "cannot be heard" in line["event"]} == {"error"}


def test_that_redis_is_away_and_back_is_said_once(lines):
    outbox = FakeOutbox()
    with dispatching(outbox) as running:
        eventually(running.reached.is_set)
        outbox.is_away = True
        eventually(lambda: outbox.refused > 20)
        outbox.is_away = False
        eventually(lambda: any("is back" in line["event"] for line in lines))

    assert len([line for line in lines if "is away" in line["event"]]) == 1


def test_stopping_claims_no_more_and_waits_for_what_is_in_flight():
    outbox, receivers = FakeOutbox(), Receivers()
    outbox.put(*many(6))
    with dispatching(outbox, receivers.send, concurrency=2) as running:
        eventually(lambda: len(receivers.asked) == 2)
        running.dispatcher.stop()
        claims = len(outbox.claims)
        assert not running.is_over
        receivers.go.set()
        eventually(lambda: running.is_over)

    assert len(outbox.claims) == claims
    assert len(outbox.recorded) == len(receivers.asked) == 2
    assert len(outbox.waiting) == 4


def test_an_idle_dispatcher_stops():
    outbox = FakeOutbox()
    with dispatching(outbox) as running:
        eventually(running.reached.is_set)
        running.dispatcher.stop()
        eventually(lambda: running.is_over)


def test_a_fault_of_ours_is_an_attempt_that_failed_and_no_end_of_the_process(lines):
    outbox = FakeOutbox()

    def send(due: DueDelivery) -> Attempt:
        if due.id == "msg_0":
            raise RuntimeError("https://hook.example/s3cret")
        return answered(due)

    with dispatching(outbox, send, concurrency=1):
        outbox.put(*many(3))
        eventually(lambda: len(outbox.recorded) == 3)

    due, attempt, retry_seconds = outbox.recorded[0]
    assert due.id == "msg_0"
    assert "RuntimeError" in attempt.error.detail
    assert "s3cret" not in attempt.error.detail
    assert retry_seconds is not None
    assert [line for line in lines if line["log_level"] == "error"]


def test_a_fault_while_it_is_written_down_frees_its_slot():
    outbox = FakeOutbox()
    record, broken = outbox.record, threading.Event()

    def breaks_once(*args: Any, **kwargs: Any) -> Recorded:
        if not broken.is_set():
            broken.set()
            raise RuntimeError("a bug")
        return record(*args, **kwargs)

    outbox.record = breaks_once
    with dispatching(outbox, concurrency=1):
        outbox.put(*many(3))
        eventually(lambda: len(outbox.recorded) == 2)


def test_an_attempt_is_one_line_with_its_story_and_without_its_url(lines):
    outbox = FakeOutbox()

    def send(due: DueDelivery) -> Attempt:
        if due.id == "msg_1":
            error = AttemptError(code="timeout", detail="No answer.")
            return replace(answered(due), status_code=None, reply=None, error=error)
        return answered(due, {"msg_0": 200, "msg_2": 410}[due.id])

    with dispatching(outbox, send):
        url = "https://hook.example/s3cret?token=s3cret"
        outbox.put(*[due_delivery(url, id=due.id, endpoint="whe_1") for due in many(3)])
        eventually(lambda: len([line for line in lines if "delivery_id" in line]) == 3)

    told = {line["delivery_id"]: line for line in lines if "delivery_id" in line}
    assert {name: (line["event"], line["log_level"]) for name, line in told.items()} == {
        "msg_0": ("webhook delivered", "info"),
        "msg_1": ("webhook attempt failed", "info"),
        "msg_2": ("webhook failed", "warning"),
    }
    assert (
        told["msg_0"].items()
        >= {
            "job_id": JOB,
            "endpoint": "whe_1",
            "webhook_event": "job.succeeded",
            "attempt": 1,
            "status_code": 200,
            "error": None,
            "duration_seconds": 0.25,
        }.items()
    )
    assert told["msg_1"]["error"] == "timeout"
    assert "s3cret" not in str(lines)


def test_an_event_that_somebody_asked_for_again_says_nothing_of_our_speed():
    outbox = FakeOutbox()
    with dispatching(outbox) as running:
        outbox.put(due_delivery(number=3, retry_reason="redelivery"))
        eventually(lambda: running.value("genrewiz_webhook_attempts_total", outcome="delivered"))
        assert running.value("genrewiz_webhook_lag_seconds_count") == 0


def test_what_waits_is_read_at_each_scrape_and_not_told_while_redis_is_away():
    metrics, depths = DispatcherMetrics(), iter([Depth(pending=7, oldest_seconds=3.5), StoreUnavailable()])

    def depth() -> Depth:
        said = next(depths)
        if isinstance(said, StoreUnavailable):
            raise said
        return said

    metrics.watch(depth)  # asks nobody yet

    first, second = generate_latest(metrics.registry).decode(), generate_latest(metrics.registry).decode()
    assert "\ngenrewiz_webhook_outbox 7.0\n" in first
    assert "\ngenrewiz_webhook_outbox_oldest_seconds 3.5\n" in first
    assert "genrewiz_webhook_outbox" not in second
    assert "genrewiz_webhook_lag_seconds" in second


def test_endpoints_that_were_disabled_are_counted_by_their_reason():
    metrics = DispatcherMetrics()
    metrics.disabled("gone")

    assert metrics.registry.get_sample_value("genrewiz_webhook_endpoints_disabled_total", {"because": "gone"})
