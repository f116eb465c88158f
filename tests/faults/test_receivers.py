"""Receivers of webhooks, asked by a client that signs as the product does."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from faults.journal import Record, of_event, read_journals
from faults.receivers import HOSTILE, TAKING, Receivers
from shared.webhook_secrets import new_secret, signatures
from support.waiting import eventually

JOB = "job_" + "0" * 24
PATIENCE_SECONDS = 0.2  # for an answer that never comes: less than between two bytes of a drip


@pytest.fixture
def receivers(tmp_path) -> Iterator[Receivers]:
    with Receivers(tmp_path, (), ["good-1", "good-2"]) as receivers:
        yield receivers


def send(
    receivers: Receivers, name: str, *, secret: str | None = None, seconds: float = 10.0
) -> httpx.Response:
    news = {
        "type": "job.succeeded",
        "timestamp": datetime.now(UTC).isoformat(),
        "sequence": 1,
        "data": {"id": JOB, "status": "succeeded"},
    }
    body, at, webhook_id = json.dumps(news).encode(), int(time.time()), f"msg_{'0' * 24}_1"
    signed = signatures([secret or receivers[name].secret], webhook_id=webhook_id, timestamp=at, body=body)
    return httpx.post(
        receivers.url(name),
        content=body,
        timeout=seconds,
        trust_env=False,
        headers={
            "webhook-id": webhook_id,
            "webhook-timestamp": str(at),
            "webhook-signature": signed,
            "GenreWiz-Attempt": "1",
        },
    )


def told(tmp_path, event: str = "received") -> list[Record]:
    return of_event(read_journals(tmp_path), event)


def test_what_is_signed_by_its_secret_is_taken(receivers, tmp_path):
    assert send(receivers, "good-1").status_code == 204

    [record] = told(tmp_path)
    assert (record["receiver"], record["signature"], record["taken"]) == ("good-1", "good", True)
    assert (record["job"], record["type"], record["sequence"], record["attempt"]) == (
        JOB, "job.succeeded", 1, "1"
    )  # fmt: skip
    assert record["lag"] >= 0


def test_what_is_signed_by_another_secret_is_told_from_that(receivers, tmp_path):
    send(receivers, "good-1", secret=new_secret())

    assert told(tmp_path)[0]["signature"] != "good"


@pytest.mark.parametrize("mode", sorted(set(HOSTILE) - TAKING))
def test_a_hostile_receiver_gives_no_success_and_the_others_are_not_in_it(receivers, tmp_path, mode):
    receivers.turn("good-1", mode)

    with suppress(httpx.HTTPError):
        assert not send(receivers, "good-1", seconds=PATIENCE_SECONDS).is_success
    assert send(receivers, "good-2").is_success
    assert [record["receiver"] for record in told(tmp_path) if record["taken"]] == ["good-2"]


def test_an_endless_body_begins_with_a_success(receivers):
    receivers.turn("good-1", "endless")

    with httpx.stream("POST", receivers.url("good-1"), trust_env=False, content=b"{}") as response:
        assert response.status_code == 200
        assert sum(len(piece) for piece, _ in zip(response.iter_raw(), range(30), strict=False)) > 2**14


def test_a_redirect_that_is_followed_is_told(receivers, tmp_path):
    receivers.turn("good-1", "redirect")
    with suppress(httpx.TooManyRedirects):
        httpx.post(receivers.url("good-1"), content=b"{}", follow_redirects=True, trust_env=False)

    assert {record["path"] for record in told(tmp_path, "strayed")} == {"/strayed"}


@contextmanager
def api_answering(*answers: tuple[int, dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """An api that gives these answers one after the other; where it is, and what it was asked."""
    left, asked = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, job = left.pop(0)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(job).encode())

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()


@pytest.mark.parametrize(
    ("job", "readable"),
    [
        ({"status": "running"}, False),
        ({"status": "succeeded", "result": None}, False),
        ({"status": "succeeded", "result": {"predictions": []}}, True),
        ({"status": "failed"}, True),
    ],
)
def test_the_api_is_asked_once_when_news_of_an_end_comes_and_again_while_it_is_away(tmp_path, job, readable):
    with api_answering((503, {}), (200, job)) as (url, asked), Receivers(tmp_path, [url], ["a"]) as receivers:
        send(receivers, "a")
        send(receivers, "a")
        [record] = eventually(lambda: told(tmp_path, "asked"))

    assert (record["status"], record["readable"]) == (job["status"], readable)
    assert asked == [f"/jobs/{JOB}"] * 2
