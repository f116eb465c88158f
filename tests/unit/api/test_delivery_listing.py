"""The query of a list of deliveries, and its cursors."""

from base64 import urlsafe_b64encode
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.datastructures import MultiDict

from api.delivery_listing import WantedDeliveries, delivery_cursor, parse_wanted_deliveries
from api.pages import DEFAULT_LIMIT
from shared.errors import InvalidRequest
from shared.job_webhook import EndpointId
from shared.redis_webhooks import DeliveryPlace
from shared.webhook_requests import parse_moment
from shared.webhooks import DeliveryId, DeliveryStatus

ENDPOINT = EndpointId("whe_" + "0a" * 12)
OF_A_JOB, OF_A_TEST = (DeliveryId("msg_" + "0a" * 12 + tail) for tail in ("_12", ""))


def wanted(*pairs: tuple[str, str]) -> WantedDeliveries:
    return parse_wanted_deliveries(MultiDict(pairs))


def refused(*pairs: tuple[str, str]) -> list[str]:
    with pytest.raises(InvalidRequest) as error:
        wanted(*pairs)
    assert {each.where for each in error.value.errors} == {"parameter"}
    return [each.name for each in error.value.errors]


def encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_who_asks_for_nothing_gets_the_newest_of_all():
    nothing = WantedDeliveries(endpoint=None, status=None, since=None, limit=DEFAULT_LIMIT, after=None)

    assert wanted() == nothing


@pytest.mark.parametrize("delivery", [OF_A_JOB, OF_A_TEST])
def test_a_place_comes_back_from_its_cursor(delivery):
    place = DeliveryPlace(score="1.7954523546473491e+9", delivery_id=delivery)

    assert wanted(("cursor", delivery_cursor(place))).after == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        encoded("1.5"),
        encoded(f"1.5 {OF_A_JOB}_1"),
        encoded("1.5 msg_*"),
        encoded(f"1.5 job_{'0a' * 12}"),
        encoded(f"1.5 {OF_A_TEST}_0"),
        encoded(f"-inf {OF_A_TEST}"),
        encoded(f"1.5 {OF_A_TEST}\n"),
    ],
)
def test_what_no_cursor_of_ours_says_is_named(text):
    assert refused(("cursor", text)) == ["cursor"]


def test_everything_that_is_wrong_is_named_at_once():
    pairs = [
        ("endpoint", "whe_1"),
        ("status", "queued"),
        ("since", "now"),
        ("limit", "0"),
        ("cursor", "x"),
        ("to", ""),
    ]

    assert sorted(refused(*pairs)) == sorted(name for name, _ in pairs)


@pytest.mark.parametrize("name", ["endpoint", "status", "since", "limit", "cursor"])
def test_a_parameter_that_stands_twice_is_named(name):
    value = {
        "endpoint": ENDPOINT,
        "status": "failed",
        "since": "2026-11-23T19:00:00Z",
        "limit": "1",
        "cursor": delivery_cursor(DeliveryPlace(score="1", delivery_id=OF_A_JOB)),
    }[name]

    assert refused((name, value), (name, value)) == [name]


def test_the_link_to_the_next_page_asks_for_the_same_from_its_cursor_on():
    asked = WantedDeliveries(
        endpoint=ENDPOINT,
        status=DeliveryStatus.FAILED,
        since=parse_moment("2026-11-23T20:00:00.25+01:00"),
        limit=7,
        after=None,
    )
    place = DeliveryPlace(score="1795460400.25", delivery_id=OF_A_JOB)

    link = urlsplit(asked.link(delivery_cursor(place)))

    assert link.path == "/webhook-deliveries"
    pairs = [(name, value) for name, values in parse_qs(link.query).items() for value in values]
    assert wanted(*pairs) == WantedDeliveries(
        endpoint=ENDPOINT, status=DeliveryStatus.FAILED, since=asked.since, limit=7, after=place
    )
