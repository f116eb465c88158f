"""The pauses between attempts, and what a receiver may ask for."""

import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.settings import Settings
from shared.webhooks import Attempt, AttemptError
from support.webhooks import due_delivery
from worker.webhooks.retry import pause_seconds, retry_after_seconds

SCHEDULE = Settings().webhook_retry_seconds
NOW = 1_700_000_000.0
chances = some.floats(min_value=0, max_value=1)


def failed(status_code: int | None = 500, **fields) -> Attempt:
    error = None if status_code else AttemptError(code="timeout", detail="No answer.")
    return Attempt(number=1, at=NOW, duration_seconds=1, status_code=status_code, error=error, **fields)


def pause(attempt: Attempt, *, chance: float = 0.5, **fields) -> float | None:
    return pause_seconds(due_delivery(**fields), attempt, schedule=SCHEDULE, chance=chance)


def test_ten_attempts_are_made_with_the_pauses_of_the_schedule():
    pauses = [pause(failed(), tries=tries) for tries in range(10)]

    assert pauses == [*map(pytest.approx, SCHEDULE), None]
    assert SCHEDULE == (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)


@pytest.mark.parametrize("tries", [10, 50])
def test_behind_the_schedule_there_is_no_further_attempt(tries):
    assert pause(failed(), tries=tries) is None


@given(some.integers(min_value=0, max_value=8), chances)
def test_a_pause_is_off_by_a_tenth_at_most(tries, chance):
    got = pause(failed(), tries=tries, chance=chance)

    assert got == pytest.approx(SCHEDULE[tries], rel=0.1001)


def test_receivers_that_failed_together_are_not_asked_again_together():
    assert len({pause(failed(), chance=chance / 10) for chance in range(11)}) == 11


def test_how_often_it_was_tried_counts_and_not_the_number_of_the_attempt():
    assert pause(failed(), tries=0, number=17) == pytest.approx(5)


@pytest.mark.parametrize("status", [None, 301, 400, 401, 404, 429, 500, 503])
def test_whatever_else_fails_is_tried_again(status):
    assert pause(failed(status)) == pytest.approx(5)


@pytest.mark.parametrize("asked", [None, 3_600.0])
def test_after_410_there_is_no_further_attempt(asked):
    assert pause(failed(410, retry_after_seconds=asked)) is None


@pytest.mark.parametrize("asked", [None, 1.0])
def test_progress_is_not_sent_again(asked):
    assert pause(failed(503, retry_after_seconds=asked), event="job.progress") is None


@pytest.mark.parametrize("event", ["job.started", "job.failed", "webhook.test"])
def test_every_other_event_is(event):
    assert pause(failed(503), event=event) == pytest.approx(5)


@given(some.floats(min_value=0, max_value=86_400), chances)
def test_what_the_receiver_asks_for_is_the_least(asked, chance):
    got = pause(failed(503, retry_after_seconds=asked), chance=chance)

    assert got >= max(asked, 4.499)
    assert got <= max(asked * 1.1001, 5.501)


def test_asking_for_more_time_gives_no_more_attempts():
    assert pause(failed(503, retry_after_seconds=1.0), tries=len(SCHEDULE)) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("86401", 86_400.0),
        ("9" * 5_000, 86_400.0),
        (email.utils.formatdate(NOW + 90, usegmt=True), 90.0),
        (email.utils.formatdate(NOW + 90).replace("GMT", "-0000"), 90.0),
        (email.utils.formatdate(NOW - 90, usegmt=True), 0.0),
        (email.utils.formatdate(NOW + 10 * 86_400, usegmt=True), 86_400.0),
    ],
    ids=["none", "seconds", "blanks", "more than a day", "for ever", "date", "no zone", "past", "far"],
)
def test_retry_after_is_read_in_both_forms_and_is_a_day_at_most(header, seconds):
    assert retry_after_seconds(header, now=NOW) == seconds


@pytest.mark.parametrize(
    "header",
    [None, "", "-5", "1.5", "soon", "١٢", "1e9", "5, 10", "Sun, 99 Foo 2026 25:61:61 GMT", "Mon", "\x00"],
)
def test_retry_after_that_cannot_be_understood_says_nothing(header):
    assert retry_after_seconds(header, now=NOW) is None


@given(some.text())
def test_no_retry_after_does_any_harm(header):
    seconds = retry_after_seconds(header, now=NOW)

    assert seconds is None or 0 <= seconds <= 86_400
