"""`genrewiz listen`: a receiver of webhooks to try with, on this machine.

It answers and prints each delivery; one that comes slowly keeps no other waiting. It is no part of a service.
"""

import base64
import hmac
import http
import http.server
import json
import queue
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Annotated, Any, Final, Self

import typer

from genrewiz.client import WebhookError, verify_webhook
from genrewiz.commands.exits import UNEXPECTED
from genrewiz.commands.inputs import shown
from genrewiz.commands.server import end
from genrewiz.commands.talk import say

MAX_BODY_BYTES: Final = 2**20
PATIENCE_SECONDS: Final = 10.0
"""A sender that is silent for so long is hung up on."""
REMEMBERED: Final = 10_000
"""So many deliveries are known again when they come again."""


def listen(
    *,
    host: Annotated[str, typer.Option(help="Where to listen. 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 is any free one.")] = 8900,
    secret: Annotated[
        list[str] | None,
        typer.Option(
            "--secret",
            metavar="whsec_…",
            envvar="GENREWIZ_WEBHOOK_SECRET",
            show_default=False,
            help="What deliveries are signed with; twice while it is being changed. Better put it into the "
            "variable: what stands on a command line can be read in the list of processes.",
        ),
    ] = None,
    basic_auth: Annotated[
        str | None,
        typer.Option(
            metavar="USER:PASSWORD",
            envvar="GENREWIZ_WEBHOOK_BASIC_AUTH",
            show_default=False,
            help="Refuse whoever does not send these.",
        ),
    ] = None,
    fail: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="Answer the first N deliveries with 500: see them retried."),
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line an event, as it was sent.")] = False,
) -> None:
    """Receive webhooks here and print each event, until Ctrl-C.

    With --secret a delivery that is not signed with it is refused. Without, all are believed. A line tells
    the event, the delivery's id and which attempt it is; `again` means that this id was taken before: a
    receiver must not act on it twice.

    Example: genrewiz listen --port 8900 --secret whsec_…
    """
    _check_secrets(secret or [])
    if basic_auth is not None and ":" not in basic_auth:
        raise typer.BadParameter("this is no USER:PASSWORD", param_hint="--basic-auth")
    try:
        receiver = Receiver((host, port), tuple(secret or ()), basic_auth=basic_auth, fail=fail)
    except OSError as error:
        end(f"{host}:{port} cannot be listened on: {error.strerror}. Choose another --port.", UNEXPECTED)
    with receiver:
        say(f"Listening at http://{host}:{receiver.server_port}/ - Ctrl-C ends it.")
        if not secret:
            say("Without --secret every delivery is believed.")
        while True:
            taken = receiver.next_taken()
            typer.echo(json.dumps(taken.event) if as_json else _line(taken))
            if as_json and taken.is_again:
                say(shown(f"{taken.id} has come again."))


def _check_secrets(secrets: list[str]) -> None:
    for each in secrets:
        try:
            verify_webhook({}, b"", each)
        except WebhookError:
            continue  # it is a secret; this was no delivery
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--secret") from None


@dataclass(frozen=True, kw_only=True)
class Taken:
    """An event, and what the headers of its delivery said."""

    event: Mapping[str, Any] = field(hash=False)
    id: str
    attempt: str
    is_again: bool


class Receiver(http.server.ThreadingHTTPServer):
    """Answers deliveries, each in a thread of its own, and keeps what they said until somebody asks."""

    def __init__(
        self, address: tuple[str, int], secrets: tuple[str, ...], *, basic_auth: str | None, fail: int
    ) -> None:
        """basic_auth: `user:password`. fail: so many deliveries are answered as if we were broken."""
        super().__init__(address, _Delivery)
        self.secrets = secrets
        self._authorization = None if basic_auth is None else _basic(basic_auth)
        self._fail, self._failed = fail, 0
        self._taken: queue.SimpleQueue[Taken] = queue.SimpleQueue()
        self._known: OrderedDict[str, None] = OrderedDict()
        self.one_at_a_time = threading.Lock()
        """Held while an event is answered and kept: events are told in the order of their answers."""

    def __enter__(self) -> Self:
        """Begin to answer."""
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Answer no more."""
        self.shutdown()
        super().__exit__(kind, error, trace)

    def next_taken(self) -> Taken:
        """The next event, once there is one."""
        return self._taken.get()

    def lets_in(self, authorization: str) -> bool:
        """Whether the header says the user and the password that are asked for, if any are."""
        return self._authorization is None or hmac.compare_digest(
            authorization.encode("latin-1", "replace"), self._authorization
        )

    def fails(self) -> str | None:
        """How the delivery is counted that is to be answered as if we were broken; None where it is not."""
        if self._failed >= self._fail:
            return None
        self._failed += 1
        return f"{self._failed} of {self._fail}"

    def take(self, event: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        """Keep an event; its id is remembered."""
        webhook_id = headers.get("webhook-id", "")
        is_again = bool(webhook_id) and webhook_id in self._known
        self._known[webhook_id] = None
        self._known.move_to_end(webhook_id)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        self._taken.put(
            Taken(event=event, id=webhook_id, attempt=headers.get("genrewiz-attempt", ""), is_again=is_again)
        )

    def handle_error(self, *_: object) -> None:
        """A sender that hangs up or stalls is no reason to end."""
        say("A sender has hung up.")


class _Delivery(http.server.BaseHTTPRequestHandler):
    """One request. A sender is told in the status alone what became of it."""

    server: Receiver
    timeout = PATIENCE_SECONDS
    server_version, sys_version = "genrewiz-listen", ""

    def do_POST(self) -> None:
        """Take an event, or say no."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self._answer(http.HTTPStatus.LENGTH_REQUIRED, "A request without Content-Length was refused.")
        elif int(length) > MAX_BODY_BYTES:
            self._answer(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "A body beyond any event's was refused.")
        else:
            body = self.rfile.read(int(length))
            if len(body) < int(length):
                raise ConnectionError  # half an event is none, though it may look like one
            self._take(body)

    def _take(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            if not self.server.lets_in(headers.get("authorization", "")):
                raise WebhookError("its user and password are not those of --basic-auth.")
            if self.server.secrets:
                event = verify_webhook(headers, body, list(self.server.secrets))
            else:
                event = json.loads(body)
            if not isinstance(event, dict):
                raise ValueError
        except WebhookError as error:
            self._answer(http.HTTPStatus.UNAUTHORIZED, f"A delivery was refused: {error}")
        except ValueError:
            self._answer(http.HTTPStatus.BAD_REQUEST, "A delivery was refused: it is no event.")
        else:
            with self.server.one_at_a_time:
                self._answer_event(event, headers)

    def _answer_event(self, event: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        count = self.server.fails()
        if count:
            about = f"{headers.get('webhook-id', '')}  {_attempt(headers.get('genrewiz-attempt'))}".strip()
            self._answer(
                http.HTTPStatus.INTERNAL_SERVER_ERROR, f"A delivery was answered with 500 ({count}): {about}"
            )
        else:
            self._answer(http.HTTPStatus.NO_CONTENT)
            self.server.take(event, headers)

    def _answer(self, status: http.HTTPStatus, said: str | None = None) -> None:
        self.send_response(status)
        if status != http.HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", "0")
        self.end_headers()
        if said:
            say(shown(said))

    def log_message(self, format: str, *args: Any) -> None:
        """Events are said, requests are not."""


def _basic(user_and_password: str) -> bytes:
    return b"Basic " + base64.b64encode(user_and_password.encode())


def _attempt(number: str | None) -> str:
    return f"attempt {number}" if number else ""


def _line(taken: Taken) -> str:
    event = taken.event
    data = event.get("data")
    about = data if isinstance(data, dict) else {}
    result, error = about.get("result") or {}, about.get("error") or {}
    parts = (
        event.get("timestamp"),
        event.get("type"),
        about.get("id"),
        result.get("genre") if isinstance(result, dict) else None,
        error.get("code") if isinstance(error, dict) else None,
        taken.id,
        _attempt(taken.attempt),
        "again" if taken.is_again else None,
    )
    return "  ".join(shown(str(part)) for part in parts if part)
