"""How many requests are counted ahead, and what of them is let through."""

from collections.abc import Callable

from api.request_counts import RequestCounts
from shared.rate_limit import RateLimit
from shared.redis_rate_limits import Standing

WINDOW_SECONDS = 60.0


class Limits:
    """One limit, counted in memory; `before_answer` is what happens while Redis is asked."""

    def __init__(self, requests: int, handful: int, clock: Callable[[], float]) -> None:
        self.limit = RateLimit(requests=requests, seconds=int(WINDOW_SECONDS))
        self.handful = handful
        self.counted = self.asked = 0
        self.before_answer: Callable[[], None] = lambda: None
        self._clock = clock
        self._ends_at = 0.0

    def take(self, caller: str, requests: int) -> Standing:
        self.asked += 1
        if self._clock() >= self._ends_at:
            self.counted, self._ends_at = 0, self._clock() + WINDOW_SECONDS
        room = self.limit.requests - self.counted
        granted = requests if room >= requests else min(room, 1)
        self.counted += granted
        ends_in = self._ends_at - self._clock()
        standing = Standing(
            granted=granted,
            limit=self.limit,
            remaining=self.limit.requests - self.counted,
            reset_seconds=ends_in,
            holds_seconds=ends_in,
        )
        happens, self.before_answer = self.before_answer, lambda: None
        happens()
        return standing


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def counts(requests: int, handful: int) -> tuple[RequestCounts, Limits, Clock]:
    clock = Clock()
    limits = Limits(requests, handful, clock)
    return RequestCounts(limits, clock=clock), limits, clock


def test_redis_is_asked_once_for_a_handful_and_no_more_is_let_through_than_the_limit():
    ours, limits, _ = counts(requests=25, handful=10)

    standings = [ours.hit("a") for _ in range(40)]

    assert [standing.is_allowed for standing in standings] == [True] * 25 + [False] * 15
    assert [standing.remaining for standing in standings[:25]] == list(range(24, -1, -1))
    assert {standing.remaining for standing in standings[25:]} == {0}
    # Two handfuls, then one by one, then each that is refused.
    assert limits.asked == 2 + 5 + 15


def test_a_handful_ends_with_its_window():
    ours, limits, clock = counts(requests=20, handful=10)
    ours.hit("a")

    clock.now += WINDOW_SECONDS - 0.5
    assert ours.hit("a").reset_seconds == 1
    assert limits.asked == 1
    clock.now += 0.5
    standing = ours.hit("a")

    assert limits.asked == 2
    assert (standing.remaining, standing.reset_seconds) == (19, 60)


def test_handfuls_of_requests_at_the_same_time_are_all_let_through():
    ours, limits, _ = counts(requests=20, handful=10)
    limits.before_answer = lambda: ours.hit("a")  # while the first one waits for Redis

    allowed = [ours.hit("a").is_allowed for _ in range(25)]

    assert allowed == [True] * 19 + [False] * 6


def test_callers_have_handfuls_of_their_own():
    ours, limits, _ = counts(requests=1, handful=1)

    assert ours.hit("a").is_allowed
    limits.counted = 0  # the other's count
    assert ours.hit("b").is_allowed
    assert not ours.hit("b").is_allowed
