"""`genrewiz webhooks …`: what it asks for, what it prints where, and how it ends. With a server on paper."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner, Result

from genrewiz import cli
from support.client_webhooks import DELIVERY, ENDPOINT, JOB, SECRET, TIME, attempt, delivery, endpoint
from support.paper_api import PaperApi, paper_api

URL = "https://radio.example/hook"
OTHER = "whe_" + "f" * 24
AT_ENDPOINT = f"/webhook-endpoints/{ENDPOINT}"
AT_DELIVERY = f"/webhook-deliveries/{DELIVERY}"
Genrewiz = Callable[..., Result]


@pytest.fixture
def server() -> Iterator[PaperApi]:
    with paper_api() as server:
        yield server


@pytest.fixture
def genrewiz(server: PaperApi, monkeypatch: pytest.MonkeyPatch) -> Genrewiz:
    monkeypatch.setenv("GENREWIZ_URL", server.url)
    app = cli.build()
    return lambda *arguments, stdin="": CliRunner().invoke(app, ["webhooks", *arguments], input=stdin)


def lines(result: Result) -> list[dict]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_an_endpoint_is_added_and_its_id_and_secret_alone_are_printed(server, genrewiz):
    server.says("POST /webhook-endpoints", endpoint(secret=SECRET), 201)

    done = genrewiz("add", URL, "--event", "job.failed", "--event", "job.started", "--description", "fm4")

    assert (done.exit_code, done.stdout) == (0, f"{ENDPOINT}  {SECRET}\n")
    assert "not shown again" in done.stderr
    assert SECRET not in done.stderr
    assert server.asked == [
        (
            "POST",
            "/webhook-endpoints",
            {"url": URL, "events": ["job.failed", "job.started"], "description": "fm4"},
        )
    ]


def test_secrets_come_from_standard_input_line_by_line(server, genrewiz):
    server.says("POST /webhook-endpoints", endpoint(secret=SECRET), 201)

    done = genrewiz("add", URL, "--basic-auth", "-", "--secret", "-", stdin=f"radio:a:b\n{SECRET}\n")

    assert done.exit_code == 0
    assert server.asked[0][2] == {
        "url": URL, "secret": SECRET, "basic_auth": {"username": "radio", "password": "a:b"}
    }  # fmt: skip


def test_the_variable_of_a_receiver_makes_no_secret_of_an_endpoint(server, genrewiz, monkeypatch):
    monkeypatch.setenv("GENREWIZ_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("GENREWIZ_WEBHOOK_BASIC_AUTH", "a:b")
    server.says("POST /webhook-endpoints", endpoint(secret="whsec_new"), 201)
    server.says(f"POST {AT_ENDPOINT}/rotate-secret", endpoint(secret="whsec_new"))

    genrewiz("add", URL)
    genrewiz("rotate", ENDPOINT)

    assert [body for _, _, body in server.asked] == [{"url": URL}, None]


def test_endpoints_are_listed_in_columns_and_as_json(server, genrewiz):
    bodies = [
        endpoint(),
        endpoint(id=OTHER, enabled=False, disabled_because="on_request", description=""),
        endpoint(id="whe_" + "1" * 24, failing_since=TIME, description="a\x08b"),
    ]
    server.says("GET /webhook-endpoints", {"endpoints": bodies})

    for_people, as_json = genrewiz("list"), genrewiz("list", "--json")

    rows = for_people.stdout.splitlines()
    assert len({row.index("2026-01-02T03:04:05Z") for row in rows}) == 1, "the columns stand below each other"
    assert rows[0] == f"{ENDPOINT}  enabled                2026-01-02T03:04:05Z  {URL}  (fm4)"
    assert "disabled (on request)" in rows[1]
    assert "failing" in rows[2]
    assert all(row.isprintable() for row in rows)
    assert lines(as_json) == bodies


def test_each_endpoint_is_shown_and_one_that_is_not_there_fails_alone(server, genrewiz):
    server.says(f"GET {AT_ENDPOINT}", endpoint(basic_auth={"username": "radio"}))

    done = genrewiz("show", ENDPOINT, OTHER)
    as_json = genrewiz("show", OTHER, "--json")

    assert done.exit_code == 3
    assert done.stdout.splitlines()[0] == ENDPOINT
    assert "job.succeeded job.failed" in done.stdout
    assert "radio" in done.stdout
    assert OTHER in done.stderr
    assert as_json.exit_code == 4
    assert lines(as_json)[0]["id"] == OTHER
    assert lines(as_json)[0]["error"]["code"] == "unknown"


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (["--disable"], {"enabled": False}),
        (["--enable"], {"enabled": True}),
        (["--no-basic-auth"], {"basic_auth": None}),
        (["--basic-auth", "a:b"], {"basic_auth": {"username": "a", "password": "b"}}),
        (["--url", URL, "--event", "job.failed"], {"url": URL, "events": ["job.failed"]}),
        (["--description", ""], {"description": ""}),
    ],
)
def test_what_is_named_of_an_endpoint_is_changed_and_nothing_else(server, genrewiz, options, sent):
    server.says(f"PATCH {AT_ENDPOINT}", endpoint())

    assert genrewiz("set", ENDPOINT, *options).exit_code == 0
    assert server.asked == [("PATCH", AT_ENDPOINT, sent)]


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", ENDPOINT),
        ("set", ENDPOINT, "--basic-auth", "a:b", "--no-basic-auth"),
        ("add", URL, "--basic-auth", "nobody"),
        ("add", URL, "--secret", "-"),
        ("recover", ENDPOINT),
        ("recover", ENDPOINT, "--since", "yesterday"),
        ("recover", ENDPOINT, "--since", "3"),
        ("deliveries", "--since", "0000-01-01"),
        ("deliveries", "--status", "lost"),
        ("deliveries", "--limit", "0"),
        ("show",),
    ],
)
def test_wrong_usage_is_said_and_nothing_is_asked(server, genrewiz, arguments):
    done = genrewiz(*arguments)

    assert (done.exit_code, done.stdout, server.asked) == (2, "", [])


def test_endpoints_are_removed_one_by_one(server, genrewiz):
    server.says(f"DELETE {AT_ENDPOINT}", None, 204)

    done = genrewiz("remove", OTHER, ENDPOINT)

    assert (done.exit_code, done.stdout) == (3, f"{ENDPOINT}\n")
    assert OTHER in done.stderr


def test_a_new_secret_alone_is_printed_and_until_when_the_old_one_signs_is_said(server, genrewiz):
    server.says(f"POST {AT_ENDPOINT}/rotate-secret", endpoint(secret=SECRET, previous_secret_expires_at=TIME))

    done = genrewiz("rotate", ENDPOINT, "--secret", "-", stdin=f"{SECRET}\n")

    assert (done.exit_code, done.stdout) == (0, f"{SECRET}\n")
    assert "until 2026-01-02T03:04:05Z" in done.stderr
    assert server.asked[0][2] == {"secret": SECRET}


def test_a_test_is_sent_and_waited_for_where_that_is_asked_for(server, genrewiz):
    sent = delivery("pending", event="webhook.test", job=None)
    failed = delivery("pending", attempts_made=1, attempts=[attempt(status_code=500, reply="a\nb\x08")])
    server.says(f"POST {AT_ENDPOINT}/test", sent, 202)
    server.says(f"GET {AT_DELIVERY}", [sent, failed, delivery()])

    at_once = genrewiz("test", ENDPOINT)
    waited = genrewiz("test", ENDPOINT, "--wait")
    server.says(f"GET {AT_DELIVERY}", delivery(attempts=[attempt()]))
    good = genrewiz("test", ENDPOINT, "--wait", "--json")

    assert (at_once.exit_code, at_once.stdout) == (0, f"{DELIVERY}\n")
    assert waited.exit_code == 4
    assert "attempt 1" in waited.stdout
    assert "0.250 s  500  a" in waited.stdout
    assert all(line.isprintable() for line in waited.stdout.splitlines())
    assert good.exit_code == 0
    assert lines(good)[0]["attempts"][0]["status_code"] == 204


def test_what_failed_is_recovered_since_a_time_or_an_age(server, genrewiz):
    server.says(f"POST {AT_ENDPOINT}/recover", {"recovered": 12}, 202)

    by_age = genrewiz("recover", ENDPOINT, "--since", "2h")
    by_time = genrewiz("recover", ENDPOINT, "--since", "2026-01-02T04:04:05.678+01:00", "--json")

    assert (by_age.exit_code, by_age.stdout) == (0, "12\n")
    assert lines(by_time) == [{"recovered": 12}]
    since = [datetime.fromisoformat(body["since"]) for _, _, body in server.asked]
    assert timedelta(0) <= datetime.now(UTC) - timedelta(hours=2) - since[0] < timedelta(minutes=10)
    assert server.asked[1][2] == {"since": TIME}


def test_deliveries_are_listed_in_columns_and_as_json(server, genrewiz):
    bodies = [
        delivery("pending", id=f"{DELIVERY}2", endpoint=None, attempts_made=12),
        delivery("failed", id="msg_" + "0" * 24, job=None, event="webhook.test"),
        delivery(),
    ]
    server.says("GET /webhook-deliveries", {"deliveries": bodies, "next_cursor": None})

    people = genrewiz("deliveries", "--endpoint", ENDPOINT, "--status", "failed", "--since", TIME)
    as_json = genrewiz("deliveries", "--limit", "2", "--json")

    rows = people.stdout.splitlines()
    assert len({row.index("2026-01-02T03:04:05Z") for row in rows}) == 1, "the columns stand below each other"
    assert rows[0].endswith(f"{URL}  next 2026-01-02T03:04:05Z")
    assert rows[1].endswith(f"{ENDPOINT}  attempts_exhausted")
    assert rows[2].split()[:3] == [DELIVERY, "delivered", "job.succeeded"]
    assert lines(as_json)[:2] == bodies[:2]
    assert (
        server.asked[0][1]
        == f"/webhook-deliveries?endpoint={ENDPOINT}&status=failed&since={TIME.replace(':', '%3A')}&limit=20"
    )
    assert server.asked[1][1] == "/webhook-deliveries?limit=2"


def test_a_delivery_is_shown_with_every_attempt(server, genrewiz):
    refused = attempt(status_code=None, error={"code": "timeout", "detail": "No answer in 15 s."}, reply=None)
    whole = delivery("failed", attempts_made=2, attempts=[refused, attempt(2, status_code=500, reply="oh")])
    server.says(f"GET {AT_DELIVERY}", whole)

    done, as_json = genrewiz("delivery", DELIVERY), genrewiz("delivery", DELIVERY, "msg_x", "--json")

    assert done.exit_code == 0, "it is shown: that it failed is no failure of ours"
    assert "failed (attempts_exhausted)" in done.stdout
    assert JOB in done.stdout
    assert "no answer  timeout: No answer in 15 s." in done.stdout
    assert done.stdout.splitlines()[-1].endswith("500  oh")
    assert as_json.exit_code == 3
    assert lines(as_json)[0] == whole


def test_deliveries_are_sent_again_one_by_one(server, genrewiz):
    server.says(f"POST {AT_DELIVERY}/redeliver", delivery("pending"), 202)

    done = genrewiz("redeliver", DELIVERY, "msg_x")

    assert done.exit_code == 3
    assert done.stdout.startswith(f"{DELIVERY}    pending")
    assert "msg_x" in done.stderr


ALL = [
    ("add", URL),
    ("list",),
    ("show", ENDPOINT),
    ("set", ENDPOINT, "--enable"),
    ("remove", ENDPOINT),
    ("rotate", ENDPOINT),
    ("test", ENDPOINT),
    ("recover", ENDPOINT, "--since", "1d"),
    ("deliveries",),
    ("delivery", DELIVERY),
    ("redeliver", DELIVERY),
]


@pytest.mark.parametrize("arguments", ALL)
def test_a_server_that_says_no_ends_every_command_with_4(genrewiz, arguments):
    refused = genrewiz(*arguments)

    assert (refused.exit_code, refused.stdout) == (4, "")
    assert "Nothing is here." in refused.stderr


@pytest.mark.parametrize("arguments", [("add", URL), ("show", ENDPOINT, OTHER), ("deliveries",)])
def test_a_server_that_is_not_there_ends_a_command_with_5(genrewiz, arguments):
    away = genrewiz(*arguments, "--server", "http://127.0.0.1:1")

    assert (away.exit_code, away.stdout) == (5, "")
    assert "GENREWIZ_URL" in away.stderr


@pytest.mark.parametrize("command", [arguments[0] for arguments in ALL])
def test_help_shows_a_newcomer_how_each_is_used(genrewiz, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")

    text = genrewiz(command, "--help").stdout

    assert f"genrewiz webhooks {command}" in text
    assert "Example" in text
    assert "GENREWIZ_API_KEY" in text
