"""Whether a request is sent again, and when."""

import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrewiz.client.effects import Answer, Broken
from genrewiz.client.retry import Patience, pause_seconds, retry_after_seconds

NOW = 1_700_000_000
BROKEN = Broken(reason="refused")


def answer(status: int = 503, **headers: str) -> Answer:
    return Answer(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})


def pause(
    outcome: Answer | Broken, *, attempt: int = 1, paused: float = 0, dice: float = 0, **bounds
) -> float:
    return pause_seconds(
        outcome, attempt=attempt, paused_seconds=paused, patience=Patience(**bounds), now=NOW, dice=dice
    )


@pytest.mark.parametrize(
    "outcome", [BROKEN, answer(429), answer(502), answer(503), answer(504)], ids=lambda each: str(each)[:40]
)
def test_what_may_heal_is_tried_again(outcome):
    assert pause(outcome) is not None


@pytest.mark.parametrize(
    "outcome",
    [
        Broken(reason="bad certificate", is_final=True),
        *(
            answer(status)
            for status in (301, 400, 401, 403, 404, 406, 408, 409, 410, 413, 415, 422, 500, 501)
        ),
    ],
    ids=lambda each: str(each)[:40],
)
def test_what_would_be_the_same_once_more_is_not(outcome):
    assert pause(outcome) is None


def test_nothing_is_sent_oftener_than_so_many_times():
    assert pause(BROKEN, attempt=2, max_attempts=3) is not None
    assert pause(BROKEN, attempt=3, max_attempts=3) is None
    assert pause(BROKEN, attempt=1, max_attempts=1) is None
    with pytest.raises(ValueError, match="max_attempts"):
        Patience(max_attempts=0)


def test_all_pauses_together_are_bounded():
    assert pause(answer(retry_after="40"), paused=60, pauses_seconds=100) == 40
    assert pause(answer(retry_after="41"), paused=60, pauses_seconds=100) is None


def test_pauses_grow_up_to_a_bound_and_are_spread():
    longest = [pause(BROKEN, attempt=attempt, dice=1, max_attempts=99) for attempt in range(1, 8)]
    shortest = [pause(BROKEN, attempt=attempt, dice=0, max_attempts=99) for attempt in range(1, 8)]

    assert longest == [0.5, 1, 2, 4, 8, 8, 8]
    assert shortest == [each / 2 for each in longest]


def test_who_is_told_when_to_come_comes_no_sooner_and_hardly_later():
    assert pause(answer(429, retry_after="7"), attempt=4) == 7
    assert pause(answer(429, retry_after="7"), dice=1) == pytest.approx(7.7)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "0"}, 0),
        ({"retry_after": " 12 "}, 12),
        ({"retry_after": formatdate(NOW + 30, usegmt=True)}, 30),
        ({"retry_after": formatdate(NOW - 30, usegmt=True)}, 0),
        # The server's clock is what its date is by, not ours.
        ({"retry_after": formatdate(90, usegmt=True), "date": formatdate(50, usegmt=True)}, 40),
        ({"retry_after": formatdate(NOW + 5, usegmt=True), "date": "yesterday"}, 5),
        ({}, None),
        *(({"retry_after": text}, None) for text in ("", "-1", "1.5", "soon", "٣", "1e3", "9" * 400, "nan")),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_else_nothing(headers, seconds):
    assert retry_after_seconds(answer(**headers), now=NOW) == seconds


def test_a_date_without_a_zone_is_utcs_wherever_we_are(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert retry_after_seconds(answer(retry_after="Tue, 14 Nov 2023 22:13:30 -0000"), now=NOW) == 10
    finally:
        monkeypatch.undo()
        time.tzset()


@given(text=st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ ([+-]\d+|GMT)"))
def test_no_retry_after_is_an_error(text):
    seconds = retry_after_seconds(answer(retry_after=text, date=text), now=NOW)

    assert seconds is None or seconds >= 0
