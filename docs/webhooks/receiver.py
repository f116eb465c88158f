"""Takes GenreWiz' webhooks and acts on each event once. Python's standard library alone.

    GENREWIZ_WEBHOOK_SECRET=whsec_… python3 receiver.py --port 8901

It speaks plain HTTP: put it behind your web server, which does TLS. `azuracast.py`, `playlists.py` and
`receiver_client.py` are built on it; keep it beside them.
"""

import argparse
import base64
import contextlib
import csv
import hashlib
import hmac
import http.server
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

TOLERANCE_SECONDS = 300  # how far a sender's clock may be from ours
MAX_BODY_BYTES = 65_536  # no event is larger than 20 KB
LOCK_SECONDS = 5  # so long an event waits for the one before it; GenreWiz gives us 15 s in all

ENDS = ("job.succeeded", "job.failed", "job.cancelled", "job.expired")
JOB = ("id", "status")  # what is said of every job

Event = dict[str, Any]
Act = Callable[[Event], None]


class Refused(Exception):
    """What we answer instead of 204. GenreWiz sends the event again for all that is not 2xx."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> Event:
    """The event, if one who knows a secret has sent it lately, and just so; else Refused."""
    webhook_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split()
    if not webhook_id or not re.fullmatch("[0-9]{1,12}", timestamp) or not given:
        raise Refused(400, "this is no signed webhook")
    signed = f"{webhook_id}.{timestamp}.".encode() + body  # the bytes as they came
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        right = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
        # While a secret is being changed there are two signatures; one of them must fit.
        if any(hmac.compare_digest(each.encode(), right) for each in given):
            break
    else:
        raise Refused(401, "no signature fits")
    if abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        raise Refused(401, "it is too old, or our clock is wrong")
    return parse(body)


def parse(body: bytes) -> Event:
    """The body as an event, or Refused."""
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    return checked(event)


def checked(event: Any) -> Event:
    """It, if it has what every event has; else Refused."""
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise Refused(400, "the body is no event")
    data = event.get("data")
    if not isinstance(data, dict):
        raise Refused(400, "the event has no data")
    if event["type"].startswith("job.") and not all(isinstance(data.get(each), str) for each in JOB):
        raise Refused(400, "the event is about no job")
    return event


class Receiver(http.server.ThreadingHTTPServer):
    """Answers 204 once an event was acted on, and at once if it was before."""

    def __init__(
        self, address: tuple[str, int], folder: Path, secrets: Sequence[str], act: Act, verify: Any = verify
    ) -> None:
        super().__init__(address, Delivery)
        self.seen = folder / "seen"  # a file for each webhook-id
        self.seen.mkdir(parents=True, exist_ok=True)
        self.secrets = secrets
        self.act, self.verify = act, verify
        self.lock = threading.Lock()

    def take(self, headers: Mapping[str, str], body: bytes) -> None:
        """Act on a delivery, or Refused."""
        event = self.verify(headers, body, self.secrets)
        webhook_id = headers["webhook-id"]
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", webhook_id):  # it becomes a file's name
            raise Refused(400, "the webhook-id is none of GenreWiz'")
        if not self.lock.acquire(timeout=LOCK_SECONDS):
            raise Refused(503, "the event before it still keeps us busy")
        try:
            if not (self.seen / webhook_id).exists():
                self.act(event)
                # Only now: if we die before, the event comes again, and nothing is lost.
                (self.seen / webhook_id).touch()
        finally:
            self.lock.release()


class Delivery(http.server.BaseHTTPRequestHandler):
    """One request."""

    server: Receiver
    timeout = 10  # seconds that a sender may stall

    def do_POST(self) -> None:
        """Answer 204, or what is wrong."""
        try:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.server.take(headers, self.body())
        except Refused as refused:
            self.answer(refused.status, str(refused))
        except Exception as error:  # whatever it was: GenreWiz shall come again
            self.answer(500, f"{type(error).__name__}: {error}")
        else:
            self.answer(204)

    def body(self) -> bytes:
        """The body as it came."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise Refused(411, "there is no Content-Length")
        if int(length) > MAX_BODY_BYTES:
            raise Refused(413, "no event is that large")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise Refused(400, "the body broke off")
        return body

    def answer(self, status: int, why: str = "") -> None:
        """Say it to GenreWiz, which keeps the start of it, and to our log."""
        if why:
            print(f"{status}: {why}", file=sys.stderr, flush=True)
        self.send_response(status)
        if status != http.HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(why.encode())))
        self.end_headers()
        if status != http.HTTPStatus.NO_CONTENT:
            self.wfile.write(why.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """What was refused is said above; the rest is of no interest."""


def is_secret(text: str) -> bool:
    """Whether it can sign. With an empty one, everybody could."""
    try:
        return len(base64.b64decode(text.removeprefix("whsec_"), validate=True)) >= 24
    except ValueError:
        return False


def options(description: str | None) -> argparse.ArgumentParser:
    """What all receivers here are told on the command line."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8901)
    parser.add_argument(
        "--folder", type=Path, default=Path("webhooks"), help="where it remembers what it saw"
    )
    return parser


def serve(chosen: argparse.Namespace, act: Act, verify: Any = verify) -> None:
    """Receive until Ctrl-C. Two secrets, with a space between, are believed while one is being changed."""
    secrets = os.environ.get("GENREWIZ_WEBHOOK_SECRET", "").split()
    if not secrets or not all(is_secret(each) for each in secrets):
        sys.exit("Set GENREWIZ_WEBHOOK_SECRET to the endpoint's secret, whsec_…")
    with Receiver((chosen.host, chosen.port), chosen.folder, secrets, act, verify) as receiver:
        print(f"Listening at http://{chosen.host}:{receiver.server_port}/", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            receiver.serve_forever()


def act_in(folder: Path) -> Act:
    """What this receiver does: a line in genres.csv. Put something as quick in its place."""

    def act(event: Event) -> None:
        if event["type"] not in ENDS:
            return  # webhook.test, or how far a job is
        job = event["data"]
        genre = (job.get("result") or {}).get("genre") or ""  # none: it was not sure enough, or failed
        with (folder / "genres.csv").open("a", newline="") as file:
            csv.writer(file).writerow([job["id"], job["status"], genre])

    return act


if __name__ == "__main__":
    chosen = options(__doc__).parse_args()
    serve(chosen, act_in(chosen.folder))
