"""What may be asked of webhooks, and what is said where it may not."""

import base64
import json
import re

import pytest
from pydantic import ValidationError

from shared.job_webhook import ENDS, EVENTS, BasicAuth
from shared.webhook_requests import (
    EXAMPLE,
    MAX_CREDENTIAL_CHARACTERS,
    EndpointChange,
    EndpointRequest,
    Recovery,
    SecretRotation,
    parse_moment,
)
from shared.webhook_secrets import RULE, is_secret

URL = "https://radio.example/hook"


def wrong(kind, **asked) -> list[tuple[str, str]]:
    """Where and what."""
    with pytest.raises(ValidationError) as refused:
        kind.model_validate_json(json.dumps(asked))
    return [
        ("/".join(map(str, error["loc"])), error["msg"].removeprefix("Value error, "))
        for error in refused.value.errors()
    ]


def test_an_endpoint_that_asks_for_nothing_hears_of_ends():
    asked = EndpointRequest.model_validate_json(json.dumps({"url": URL}))

    assert (asked.events, asked.description, asked.basic_auth, asked.secret) == (ENDS, "", None, None)


def test_every_event_can_be_asked_for_in_any_order():
    asked = EndpointRequest.model_validate_json(json.dumps({"url": URL, "events": EVENTS[::-1]}))

    assert asked.events == EVENTS[::-1]


def test_a_list_of_events_names_one_at_least_none_twice_and_none_that_there_is_not():
    assert wrong(EndpointRequest, url=URL, events=[]) == [("events", "name one event at least")]
    assert wrong(EndpointRequest, url=URL, events=[ENDS[0]] * 2) == [("events", "an event is named twice")]
    for name in ("webhook.test", "job.ended", ""):
        [(where, said)] = wrong(EndpointRequest, url=URL, events=[ENDS[0], name])
        assert where == "events/1"
        assert all(event in said for event in EVENTS)


@pytest.mark.parametrize("kind", [EndpointRequest, SecretRotation])
@pytest.mark.parametrize(
    "secret",
    ["", "x", "whsec_", "whsec_c2hvcnQ=", EXAMPLE.removeprefix("whsec_"), EXAMPLE + "!", EXAMPLE[:-1] + "é"],
)
def test_a_secret_that_cannot_sign_is_refused_with_the_rule(kind, secret):
    assert ("secret", RULE) in wrong(kind, secret=secret, **({"url": URL} if kind is EndpointRequest else {}))


@pytest.mark.parametrize("size", range(20, 70))
def test_the_pattern_of_a_secret_says_the_same_as_the_rule(size):
    secret = "whsec_" + base64.b64encode(bytes(size)).decode()
    shown = SecretRotation.model_json_schema()["properties"]["secret"]["anyOf"][0]

    assert bool(re.search(shown["pattern"], secret)) is is_secret(secret) is (24 <= size <= 64)


def test_a_user_name_has_no_colon_and_neither_part_a_control_character():
    def said(**basic_auth):
        return [where for where, _ in wrong(EndpointRequest, url=URL, basic_auth=basic_auth)]

    assert said(username="a:b", password="x") == ["basic_auth/username"]
    assert said(username="", password="x") == ["basic_auth/username"]
    assert said(username="a\r\n", password="x\0") == ["basic_auth/username", "basic_auth/password"]
    assert said(username="a", password="x" * (MAX_CREDENTIAL_CHARACTERS + 1)) == ["basic_auth/password"]
    assert said(username="a") == ["basic_auth/password"]


def test_no_secret_and_no_url_is_shown_by_what_holds_it():
    asked = EndpointRequest.model_validate(
        {"url": URL, "secret": EXAMPLE, "basic_auth": {"username": "radio", "password": "tune-in"}}
    )

    shown = repr([asked, SecretRotation(secret=EXAMPLE), EndpointChange(url=URL)])

    assert not [each for each in (EXAMPLE, "tune-in", "radio.example") if each in shown]


def test_a_change_names_what_was_asked_for_and_nothing_else():
    def changes(**asked):
        return EndpointChange.model_validate_json(json.dumps(asked)).changes

    assert changes() == {}
    assert changes(description="", basic_auth=None) == {"description": "", "basic_auth": None}
    assert changes(events=["job.failed"], enabled=False) == {"events": ("job.failed",), "enabled": False}
    assert changes(basic_auth={"username": "a", "password": "b"}) == {
        "basic_auth": BasicAuth(username="a", password="b")
    }


@pytest.mark.parametrize("field", ["url", "events", "description", "enabled"])
def test_null_removes_the_basic_auth_of_an_endpoint_and_nothing_else(field):
    assert [where for where, _ in wrong(EndpointChange, **{field: None})] == [field]


@pytest.mark.parametrize("field", ["secret", "id", "disabled_because", "Url"])
def test_what_cannot_be_changed_is_refused_by_name(field):
    assert [where for where, _ in wrong(EndpointChange, **{field: "x"})] == [field]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-23T19:00:00Z", 1_795_460_400),
        ("2026-11-23t19:00:00z", 1_795_460_400),
        ("2026-11-23T20:00:00.250+01:00", 1_795_460_400.25),
        ("2026-11-23T19:00:00.123456789Z", 1_795_460_400.123456),
    ],
)
def test_a_time_is_read_as_the_standard_writes_it(text, seconds):
    assert parse_moment(text).timestamp() == seconds
    assert Recovery.model_validate_json(json.dumps({"since": text})).since.timestamp() == seconds


@pytest.mark.parametrize(
    "since",
    [
        "",
        "now",
        "2026-11-23",
        "2026-11-23T19:00:00",
        "2026-W48-1T19:00:00Z",
        "1795460400",
        "2026-02-30T00:00:00Z",
        1,
        "٢٠٢٦-11-23T19:00:00Z",
    ],
)
def test_any_other_time_is_refused(since):
    assert [where for where, _ in wrong(Recovery, since=since)] == ["since"]
