"""`genrewiz submit --webhook …`: what the server is told, by a server on paper."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from genrewiz import cli
from support.client_jobs import body
from support.client_webhooks import ENDPOINT, SECRET
from support.paper_api import PaperApi, paper_api

URL = "https://radio.example/hook"
SONG = "https://cdn.example/a.mp3"
OTHER = "whsec_" + "A" * 32
Genrewiz = Callable[..., Result]


@pytest.fixture
def server() -> Iterator[PaperApi]:
    with paper_api() as server:
        server.says("POST /jobs", body("queued"), 202)
        yield server


@pytest.fixture
def genrewiz(server: PaperApi, monkeypatch: pytest.MonkeyPatch) -> Genrewiz:
    monkeypatch.setenv("GENREWIZ_URL", server.url)
    monkeypatch.delenv("GENREWIZ_WEBHOOK_SECRET", raising=False)
    app = cli.build()
    return lambda *arguments: CliRunner().invoke(app, ["submit", *arguments])


@pytest.mark.parametrize(
    ("options", "variable", "sent"),
    [
        (["--webhook", URL], None, {"url": URL}),
        (["--webhook", ENDPOINT], None, {"endpoint": ENDPOINT}),
        (["--webhook", ENDPOINT], SECRET, {"endpoint": ENDPOINT}),
        (["--webhook", URL], SECRET, {"url": URL, "secret": SECRET}),
        (["--webhook", URL], f"{SECRET} {OTHER}", {"url": URL, "secret": SECRET}),
        (["--webhook", URL, "--webhook-secret", OTHER], SECRET, {"url": URL, "secret": OTHER}),
        (
            ["--webhook", URL, "--webhook-event", "job.failed", "--webhook-event", "job.started"],
            None,
            {"url": URL, "events": ["job.failed", "job.started"]},
        ),
    ],
)
def test_a_song_says_who_is_to_hear_of_it(server, genrewiz, monkeypatch, options, variable, sent):
    if variable:
        monkeypatch.setenv("GENREWIZ_WEBHOOK_SECRET", variable)

    done = genrewiz(SONG, *options)

    assert done.exit_code == 0, done.stderr
    assert [asked[2] for asked in server.asked] == [{"url": SONG, "webhook": sent}]
    assert "whsec_" not in done.output


def test_a_secret_in_the_environment_makes_no_webhook(server, genrewiz, monkeypatch):
    monkeypatch.setenv("GENREWIZ_WEBHOOK_SECRET", SECRET)

    genrewiz(SONG)

    assert server.asked[0][2] == {"url": SONG}


@pytest.mark.parametrize(
    "options",
    [
        ["--webhook", ""],
        ["--webhook-event", "job.failed"],
        ["--webhook-secret", SECRET],
        ["--webhook", ENDPOINT, "--webhook-event", "job.failed"],
        ["--webhook", ENDPOINT, "--webhook-secret", SECRET],
    ],
)
def test_what_goes_with_no_webhook_or_with_a_url_alone_is_refused(server, genrewiz, options):
    done = genrewiz(SONG, *options)

    assert (done.exit_code, server.asked) == (2, [])
    assert SECRET not in done.output


def test_another_wish_is_another_job_of_a_batch_and_no_secret_is_written(server, genrewiz, tmp_path: Path):
    state = tmp_path / "state"
    wishes = [
        [],
        ["--webhook", URL],
        ["--webhook", URL, "--webhook-secret", SECRET],
        ["--webhook", URL, "--webhook-secret", OTHER],
        ["--webhook", URL, "--webhook-event", "job.failed"],
        ["--webhook", URL, "--webhook-event", "job.started"],
        ["--webhook", ENDPOINT],
    ]

    for _ in range(2):
        for wish in wishes:
            assert genrewiz(SONG, "--state", str(state), *wish).exit_code == 0

    assert len(server.asked) == len(wishes), "each was sent once"
    keys = {json.loads(line)["key"] for line in state.read_text().splitlines()[1:]}
    assert len(keys) == len(wishes)
    assert "whsec_" not in state.read_text()
    assert SECRET.removeprefix("whsec_") not in state.read_text()


@pytest.mark.parametrize(
    ("status", "code", "pointer", "times"),
    [
        (422, "invalid_request", "/webhook/endpoint", 1),
        (422, "url_blocked", "/webhook/url", 1),
        (422, "invalid_request", "/webhook/secret", 1),
        (422, "url_blocked", "/url", 3),
    ],
)
def test_a_webhook_that_is_refused_ends_a_batch_at_its_first_song(
    server, genrewiz, status, code, pointer, times
):
    errors = [{"pointer": pointer, "detail": "No."}]
    server.says("POST /jobs", {"code": code, "title": "No", "detail": "No.", "errors": errors}, status)

    done = genrewiz(*(f"{SONG}?{number}" for number in range(3)), "--webhook", URL, "--concurrency", "1")

    assert done.exit_code == 4
    assert done.stderr.count(code) == times
    assert ("The webhook cannot be called" in done.stderr) == (pointer == "/webhook/url")
