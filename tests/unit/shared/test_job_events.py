"""Ids of events as clients send them."""

import pytest

from shared.job_events import event_id


@pytest.mark.parametrize(
    ("text", "found"), [("0-0", "0-0"), ("1700000000123-4", "1700000000123-4"), ("01-02", "1-2")]
)
def test_the_id_of_an_event_is_two_numbers(text, found):
    assert event_id(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1-",
        "-1",
        "1-2-3",
        "a-b",
        "+",
        "-",
        "$",
        "(1-1",
        "1-1 ",
        "１-1",
        f"{2**64}-0",
        "9" * 30 + "-0",
    ],
)
def test_anything_else_is_none(text):
    assert event_id(text) is None
