"""`genrewiz listen`: a receiver of webhooks to try with, on this machine.

It answers and prints, one delivery after another. It is no part of a service.
"""

import http
import http.server
import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from genrewiz.client import WebhookError, verify_webhook
from genrewiz.commands.exits import UNEXPECTED
from genrewiz.commands.inputs import shown
from genrewiz.commands.server import end
from genrewiz.commands.talk import say

MAX_BODY_BYTES: Final = 2**20
PATIENCE_SECONDS: Final = 10.0
"""For so long a sender may keep the next one waiting."""


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
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line an event, as it was sent.")] = False,
) -> None:
    """Receive webhooks here and print each event, until Ctrl-C.

    With --secret a delivery that is not signed with it is refused. Without, all are believed.

    Example: genrewiz listen --port 8900 --secret whsec_…
    """
    _check_secrets(secret or [])
    try:
        receiver = Receiver((host, port), tuple(secret or ()))
    except OSError as error:
        end(f"{host}:{port} cannot be listened on: {error.strerror}. Choose another --port.", UNEXPECTED)
    with receiver:
        say(f"Listening at http://{host}:{receiver.server_port}/ - Ctrl-C ends it.")
        if not secret:
            say("Without --secret every delivery is believed.")
        while True:
            for event in receiver.next_events():
                typer.echo(json.dumps(event) if as_json else _line(event))


def _check_secrets(secrets: list[str]) -> None:
    for each in secrets:
        try:
            verify_webhook({}, b"", each)
        except WebhookError:
            continue  # it is a secret; this was no delivery
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--secret") from None


class Receiver(http.server.HTTPServer):
    """Answers deliveries, and keeps what they said until somebody asks."""

    def __init__(self, address: tuple[str, int], secrets: tuple[str, ...]) -> None:
        super().__init__(address, _Delivery)
        self.secrets = secrets
        self.events: list[Mapping[str, Any]] = []

    def next_events(self) -> list[Mapping[str, Any]]:
        """What the next request brings: an event, or nothing where it was refused."""
        self.events = []
        self.handle_request()
        return self.events

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
        try:
            if self.server.secrets:
                event = verify_webhook(dict(self.headers.items()), body, list(self.server.secrets))
            else:
                event = json.loads(body)
            if not isinstance(event, dict):
                raise ValueError
        except WebhookError as error:
            self._answer(http.HTTPStatus.UNAUTHORIZED, f"A delivery was refused: {error}")
        except ValueError:
            self._answer(http.HTTPStatus.BAD_REQUEST, "A delivery was refused: it is no event.")
        else:
            self._answer(http.HTTPStatus.NO_CONTENT)
            self.server.events.append(event)

    def _answer(self, status: http.HTTPStatus, said: str | None = None) -> None:
        self.send_response(status)
        if status != http.HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", "0")
        self.end_headers()
        if said:
            say(shown(said))

    def log_message(self, format: str, *args: Any) -> None:
        """Events are said, requests are not."""


def _line(event: Mapping[str, Any]) -> str:
    data = event.get("data")
    about = data if isinstance(data, dict) else {}
    result, error = about.get("result") or {}, about.get("error") or {}
    parts = (
        event.get("timestamp"),
        event.get("type"),
        about.get("id"),
        result.get("genre") if isinstance(result, dict) else None,
        error.get("code") if isinstance(error, dict) else None,
    )
    return "  ".join(shown(str(part)) for part in parts if part)
