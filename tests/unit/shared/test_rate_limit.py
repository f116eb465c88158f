"""Limits of requests, as an operator writes them."""

import pytest

from shared.errors import SetupError
from shared.rate_limit import RateLimit, parse_rate_limits
from shared.settings import read_settings


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("", []),
        ("1200/minute", [(1_200, 60)]),
        ("20/second; 1200/minute", [(20, 1), (1_200, 60)]),
        (" 5 / hour,9/day ", [(5, 3_600), (9, 86_400)]),
    ],
)
def test_limits_are_read(text, limits):
    assert parse_rate_limits(text) == tuple(RateLimit(requests=n, seconds=s) for n, s in limits)


@pytest.mark.parametrize(
    "text", ["0/minute", "-1/minute", "10", "10/week", "ten/minute", "10/minute 5/hour", "9/day,8/day"]
)
def test_a_wrong_limit_stops_the_process_and_is_named(text, monkeypatch):
    monkeypatch.setenv("GENREWIZ_RATE_LIMIT", text)

    with pytest.raises(SetupError, match="GENREWIZ_RATE_LIMIT"):
        read_settings()


def test_an_empty_limit_is_none(monkeypatch):
    monkeypatch.setenv("GENREWIZ_RATE_LIMIT", "")

    assert read_settings().rate_limits == ()
