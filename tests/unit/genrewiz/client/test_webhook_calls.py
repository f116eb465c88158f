"""Both clients about webhooks: what goes out, what comes back, and what is never sent twice."""

import inspect
import itertools
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest

from genrewiz.client import Client, Endpoint, Problem, Webhook, WebhookEvent
from genrewiz.client.conversation import Wanted
from genrewiz.client.effects import Broken
from genrewiz.client.transport import broken
from support.client_jobs import body
from support.client_webhooks import DELIVERY, ENDPOINT, JOB, SECRET, TIME, attempt, delivery, endpoint
from support.clients import KINDS, Making, Recorder, clients
from support.paper_talk import BROKEN, World, problem, said

CHECKOUT = Path(__file__).parents[4]
AT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
UNSENT = Broken(reason="refused", is_unsent=True)
URL = "https://radio.example/hook"


@pytest.fixture(params=KINDS)
def make(request) -> Iterator[Making]:
    with clients(request.param) as make:
        yield make


def answers(*bodies: object, status: int = 200) -> Recorder:
    return Recorder(*(httpx.Response(status, json=each) for each in bodies))


def asked(server: Recorder) -> tuple[str, str, object]:
    """Method, path and body of the one request."""
    (request,), (content,) = server.requests, server.bodies
    return request.method, request.url.path, json.loads(content) if content else None


def test_an_endpoint_is_made_and_its_secret_is_there_but_not_shown(make):
    server = answers(endpoint(secret=SECRET, basic_auth={"username": "radio"}), status=201)

    made = make(handler=server).create_endpoint(
        URL, events=["job.failed"], description="fm4", basic_auth=("radio", "word"), secret=SECRET
    )

    assert asked(server) == (
        "POST",
        "/webhook-endpoints",
        {
            "url": URL,
            "events": ["job.failed"],
            "description": "fm4",
            "basic_auth": {"username": "radio", "password": "word"},
            "secret": SECRET,
        },
    )
    assert (made.id, made.secret, made.username, made.created_at) == (ENDPOINT, SECRET, "radio", AT)
    assert made.events == ("job.succeeded", "job.failed")
    assert made.enabled
    assert SECRET not in repr(made)


def test_who_says_nothing_of_an_endpoint_but_its_url_sends_no_more(make):
    server = answers(endpoint(), status=201)

    make(handler=server).create_endpoint(URL)

    assert asked(server)[2] == {"url": URL}


def test_endpoints_are_listed_and_shown(make):
    off = endpoint(enabled=False, disabled_because="gone", failing_since=TIME)
    listed = make(handler=answers({"endpoints": [endpoint(), off]})).endpoints()
    server = answers(endpoint())
    one = make(handler=server).endpoint(listed[0])

    assert [each.disabled_because for each in listed] == [None, "gone"]
    assert listed[1].failing_since == AT
    assert one == listed[0]
    assert asked(server) == ("GET", f"/webhook-endpoints/{ENDPOINT}", None)


@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        ({}, {}),
        ({"enabled": False}, {"enabled": False}),
        ({"description": ""}, {"description": ""}),
        ({"basic_auth": None}, {"basic_auth": None}),
        ({"basic_auth": ("a", "b")}, {"basic_auth": {"username": "a", "password": "b"}}),
        ({"url": URL, "events": ["job.failed"]}, {"url": URL, "events": ["job.failed"]}),
    ],
)
def test_of_an_endpoint_that_alone_is_changed_which_is_given(make, changes, sent):
    server = answers(endpoint())

    make(handler=server).change_endpoint(ENDPOINT, **changes)

    assert asked(server) == ("PATCH", f"/webhook-endpoints/{ENDPOINT}", sent)


def test_secrets_are_rotated_to_a_new_one_or_to_ours(make):
    rotated = endpoint(secret=SECRET, previous_secret_expires_at=TIME)
    server, other = answers(rotated), answers(rotated)

    answer = make(handler=server).rotate_secret(ENDPOINT)
    make(handler=other).rotate_secret(ENDPOINT, secret=SECRET)

    assert (answer.secret, answer.previous_secret_expires_at) == (SECRET, AT)
    assert asked(server) == ("POST", f"/webhook-endpoints/{ENDPOINT}/rotate-secret", None)
    assert asked(other)[2] == {"secret": SECRET}


def test_an_endpoint_is_tested_and_removed(make):
    test, gone = answers(delivery("pending", job=None, event="webhook.test"), status=202), Recorder()
    gone.answers = iter([httpx.Response(204)])

    sent = make(handler=test).test_endpoint(ENDPOINT)
    make(handler=gone).delete_endpoint(ENDPOINT)

    assert (sent.event, sent.job, sent.status) == ("webhook.test", None, "pending")
    assert asked(test) == ("POST", f"/webhook-endpoints/{ENDPOINT}/test", None)
    assert asked(gone) == ("DELETE", f"/webhook-endpoints/{ENDPOINT}", None)


@pytest.mark.parametrize(
    "since", [AT, AT.astimezone(timezone(timedelta(hours=-5))), AT + timedelta(microseconds=999), TIME]
)
def test_what_failed_is_recovered_since_a_time_however_it_is_said(make, since):
    server = answers({"recovered": 3}, status=202)

    assert make(handler=server).recover(ENDPOINT, since=since) == 3
    assert asked(server) == ("POST", f"/webhook-endpoints/{ENDPOINT}/recover", {"since": TIME})


def test_deliveries_are_listed_over_all_pages(make):
    def page(start: int, cursor: str | None) -> dict:
        many = [delivery(id=f"msg_{number}") for number in range(start, start + 100)]
        return {"deliveries": many, "next_cursor": cursor}

    server = answers(page(0, "c1"), page(100, "c2"))

    found = list(make(handler=server).deliveries(endpoint=ENDPOINT, status="delivered", since=AT, limit=150))

    assert [each.id for each in found[:150]] == [f"msg_{number}" for number in range(150)]
    first, second = (dict(request.url.params) for request in server.requests)
    same = {"endpoint": ENDPOINT, "status": "delivered", "since": TIME}
    assert first == {**same, "limit": "100"}
    assert second == {**same, "limit": "50", "cursor": "c1"}


def test_a_page_without_deliveries_is_not_the_last_one(make):
    server = answers(
        {"deliveries": [], "next_cursor": "c1"}, {"deliveries": [delivery()], "next_cursor": None}
    )

    assert [each.id for each in make(handler=server).deliveries(status="delivered")] == [DELIVERY]


def test_a_delivery_is_shown_with_its_attempts_and_sent_again(make):
    refused = attempt(1, status_code=None, error={"code": "timeout", "detail": "15 s"}, reply=None)
    whole = delivery("failed", attempts_made=2, attempts=[refused, attempt(2, status_code=500, reply="oh")])
    client, server = make(handler=answers(whole)), answers(delivery("pending"), status=202)

    found = client.delivery(DELIVERY)
    again = make(handler=server).redeliver(found)

    assert [(each.number, each.status_code, each.reply) for each in found.attempts] == [
        (1, None, None), (2, 500, "oh")
    ]  # fmt: skip
    assert (found.attempts[0].error.code, found.attempts[0].at) == ("timeout", AT)
    assert (found.failed_because, found.finished_at) == ("attempts_exhausted", AT)
    assert (again.status, again.next_attempt_at) == ("pending", AT)
    assert asked(server) == ("POST", f"/webhook-deliveries/{DELIVERY}/redeliver", None)


def test_what_an_older_server_leaves_out_is_not_known():
    world = World(said({"id": "msg_1", "event": "job.failed", "status": "new"}))

    found = world.play(world.talk.delivery("msg_1")).value

    assert (found.url, found.attempts, found.created_at, found.job) == (None, (), None, None)


WEBHOOKS = [
    (URL, {"url": URL}),
    (ENDPOINT, {"endpoint": ENDPOINT}),
    (Endpoint.of(endpoint()), {"endpoint": ENDPOINT}),
    (Webhook(url=URL), {"url": URL}),
    (
        Webhook(url=URL, events=("job.failed",), secret=SECRET, basic_auth=("a", "b")),
        {"url": URL, "events": ["job.failed"], "secret": SECRET,
         "basic_auth": {"username": "a", "password": "b"}},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("webhook", "sent"), WEBHOOKS)
def test_a_job_says_who_is_to_hear_of_it(make, webhook, sent):
    server, of_url = answers(body("queued"), status=202), answers(body("queued"), status=202)

    make(handler=server).submit(b"x", webhook=webhook)
    make(handler=of_url).submit_url("https://x/a.mp3", webhook=webhook)

    [job] = [line for line in server.bodies[0].split(b"\r\n") if line.startswith(b"{")]
    assert json.loads(job) == {"webhook": sent}
    assert asked(of_url)[2] == {"url": "https://x/a.mp3", "webhook": sent}
    assert SECRET not in repr(webhook)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: client.submit(b"x", webhook=7), TypeError),
        (lambda client: client.submit(b"x", webhook=""), ValueError),
        (lambda client: client.submit(b"x", webhook=Webhook(url="")), ValueError),
        (lambda client: client.submit(b"x", webhook=Webhook(url=URL, events="job.failed")), TypeError),
        (
            lambda client: client.submit_url("https://x", webhook=Webhook(url=URL, basic_auth="a:b")),
            TypeError,
        ),
        (lambda client: client.create_endpoint(""), ValueError),
        (lambda client: client.create_endpoint(URL, events="job.failed"), TypeError),
        (lambda client: client.create_endpoint(URL, secret=""), ValueError),
        (lambda client: client.change_endpoint(ENDPOINT, basic_auth="a:b"), TypeError),
        (lambda client: client.endpoint(None), TypeError),
        (lambda client: client.endpoint(".."), ValueError),
        (lambda client: client.delete_endpoint(""), ValueError),
        (lambda client: client.rotate_secret(7), TypeError),
        (lambda client: client.recover(ENDPOINT, since=datetime(2026, 1, 1)), ValueError),
        (lambda client: client.recover(ENDPOINT, since=7), TypeError),
        (lambda client: list(client.deliveries(endpoint=7)), TypeError),
        (lambda client: list(client.deliveries(limit=0)), ValueError),
        (lambda client: client.deliveries_page(limit=0), ValueError),
        (lambda client: client.delivery("."), ValueError),
        (lambda client: client.redeliver(None), TypeError),
    ],
)
def test_what_no_server_need_be_asked_is_refused_before_anything_is_sent(make, call, error):
    server = Recorder()

    with pytest.raises(error, match=r"\.$"):
        call(make(handler=server))

    assert server.requests == []


NEW = {
    "create": lambda talk: talk.create_endpoint(
        URL, events=None, description=None, basic_auth=None, secret=None
    ),
    "rotate": lambda talk: talk.rotate_secret(ENDPOINT, secret=None),
    "test": lambda talk: talk.test_endpoint(ENDPOINT),
}


@pytest.mark.parametrize("call", NEW.values(), ids=NEW)
@pytest.mark.parametrize(
    "outcome", [BROKEN, problem(503, "store_unavailable"), problem(502, "bad_gateway"), problem(504, "slow")]
)
def test_what_makes_something_new_is_not_sent_again_where_it_may_have_been_done(call, outcome):
    world = World(outcome)

    played = world.play(call(world.talk))

    assert (len(played.requests), played.sleeps) == (1, [])
    assert ("may have been done" in str(played.error)) == (outcome is BROKEN)


@pytest.mark.parametrize("call", NEW.values(), ids=NEW)
def test_what_makes_something_new_is_sent_again_where_nothing_can_have_arrived(call):
    world = World(UNSENT, problem(429, "rate_limited", retry_after="2"), UNSENT, max_attempts=3)

    played = world.play(call(world.talk))

    assert len(played.requests) == 3
    assert "may have been done" not in str(played.error)


@pytest.mark.parametrize(
    ("error", "is_unsent"),
    [
        (httpx.ConnectError("refused"), True),
        (httpx.ConnectTimeout("slow"), True),
        (httpx.PoolTimeout("full"), True),
        (httpx.ReadTimeout("slow"), False),
        (httpx.WriteError("reset"), False),
        (httpx.RemoteProtocolError("hung up"), False),
    ],
)
def test_only_where_no_connection_was_made_nothing_can_have_arrived(error, is_unsent):
    assert broken(error).is_unsent == is_unsent


@pytest.mark.parametrize(
    "call",
    [
        lambda talk: talk.redeliver(DELIVERY),
        lambda talk: talk.recover(ENDPOINT, since=TIME),
        lambda talk: talk.endpoints(),
        lambda talk: talk.delivery(DELIVERY),
    ],
)
def test_what_comes_to_the_same_when_it_is_heard_twice_is_sent_again(call):
    world = World(BROKEN, BROKEN, max_attempts=2)

    assert len(world.play(call(world.talk)).requests) == 2


def test_an_endpoint_that_is_gone_when_its_removal_is_repeated_was_removed():
    lost = World(BROKEN, problem(404, "unknown_endpoint"))
    never_heard = World(UNSENT, problem(404, "unknown_endpoint"))
    at_once = World(problem(404, "unknown_endpoint"))

    assert lost.play(lost.talk.delete_endpoint(ENDPOINT)).error is None
    for world in (never_heard, at_once):
        assert world.play(world.talk.delete_endpoint(ENDPOINT)).error.code == "unknown_endpoint"


def test_a_song_with_a_webhook_is_still_sent_again_under_its_key():
    world = World(BROKEN, said(body("queued"), 202))

    played = world.play(world.talk.submit_url("https://x/a.mp3", Wanted(webhook=URL)))

    assert len({request.headers["idempotency-key"] for request in played.requests}) == 1
    assert len(played.requests) == 2


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (lambda talk: talk.endpoint(ENDPOINT), []),
        (lambda talk: talk.endpoint(ENDPOINT), endpoint(id=7)),
        (lambda talk: talk.endpoint(ENDPOINT), endpoint(created_at="yesterday")),
        (lambda talk: talk.endpoints(), [endpoint()]),
        (lambda talk: talk.delivery(DELIVERY), delivery(status=None)),
        (lambda talk: talk.delivery(DELIVERY), delivery(attempts=[{}])),
        (lambda talk: talk.recover(ENDPOINT, since=TIME), {"recovered": "three"}),
    ],
)
def test_what_no_genrewiz_server_says_is_unexpected(call, answer):
    world = World(said(answer))

    assert "no GenreWiz server" in str(world.play(call(world.talk)).error)


def test_an_event_is_read_as_its_job():
    data = body("succeeded", id=JOB)
    del data["result"]["timeline"]

    event = WebhookEvent.of({"type": "job.succeeded", "timestamp": TIME, "sequence": 7, "data": data})
    test = WebhookEvent.of({"type": "webhook.test", "sequence": 1, "data": {"endpoint": ENDPOINT}})

    assert (event.type, event.timestamp, event.sequence) == ("job.succeeded", AT, 7)
    assert (event.job.id, event.job.result.genre, event.job.result.timeline) == (JOB, "rock", ())
    assert (test.job, test.data, test.timestamp) == (None, {"endpoint": ENDPOINT}, None)


@pytest.mark.parametrize("event", [[], {}, {"type": "job.failed", "data": {}}, {"type": "x", "data": 7}])
def test_what_is_no_event_is_refused(event):
    with pytest.raises(ValueError, match="this is no"):
        WebhookEvent.of(event)


def test_every_route_that_is_about_jobs_models_and_webhooks_has_a_call(make):
    server = Recorder()
    server.answers = itertools.repeat(httpx.Response(404, json={"code": "unknown"}))
    client = make(handler=server)
    calls = {
        "submit": (b"x",), "submit_url": ("u",), "get": ("ID",), "wait": ("ID",), "events": ("ID",),
        "jobs": (), "jobs_page": (), "cancel": ("ID",), "delete": ("ID",), "spectrogram": ("ID",),
        "models": (), "model": ("ID",), "create_endpoint": ("u",), "endpoints": (), "endpoint": ("ID",),
        "change_endpoint": ("ID",), "delete_endpoint": ("ID",), "rotate_secret": ("ID",),
        "test_endpoint": ("ID",), "deliveries": (), "deliveries_page": (), "delivery": ("ID",),
        "redeliver": ("ID",), "recover": ("ID",),
    }  # fmt: skip
    public = {name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")}
    assert set(calls) == public - {"close"}

    for name, arguments in calls.items():
        with pytest.raises(Problem):
            list(getattr(client, name)(*arguments, **({"since": TIME} if name == "recover" else {})))

    asked = {(request.method.lower(), request.url.path) for request in server.requests}
    document = json.loads((CHECKOUT / "docs" / "openapi.json").read_text())
    described = {
        (method, re.sub(r"\{\w+\}", "ID", path))
        for path, item in document["paths"].items()
        for method in item
    }
    assert asked - described == set()
    # Of no use to a program that has the client: pages for people, probes, and what a browser needs.
    assert described - asked == {
        ("get", "/problems/ID"),
        ("get", "/openapi.json"),
        ("get", "/livez"),
        ("get", "/readyz"),
        ("post", "/jobs/ID/events-token"),
    }
