"""The server that is meant: the options that every command has for it, and a client of it.

Errors that end a command end it here: with a sentence, and with an exit code.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn
from urllib.parse import urlsplit

import typer

from genrewiz.client import Client, ClientError, Problem, Unreachable
from genrewiz.commands.answers import of_problem
from genrewiz.commands.exits import ALL_FAILED, UNEXPECTED, UNREACHABLE
from genrewiz.commands.talk import say

DEFAULT_SERVER = "http://127.0.0.1:8000"
MAX_ATTEMPTS = 6
QUICK_ATTEMPTS = 3
"""For commands that somebody waits for: a server that is away is told after some seconds."""
AWAY_CODES = frozenset({"store_unavailable", "http_502", "http_503", "http_504"})
PORTS = {"http": 80, "https": 443}
WHERE = "Is the server running, and is --server (or GENREWIZ_URL) right?"

ServerOption = Annotated[
    str, typer.Option("--server", metavar="URL", envvar="GENREWIZ_URL", help="The server to talk to.")
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        metavar="KEY",
        envvar="GENREWIZ_API_KEY",
        show_default=False,
        help="The key that the server asks for, if it does. Better put it into the variable: "
        "what stands on a command line can be read in the list of processes.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON line each, for programs.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="A table for spreadsheets, with a header.")]


class Patience:
    """Says once why we wait and that we go on: who watches must not believe that we hang."""

    def __init__(self, server: str) -> None:
        self._server = identity(server)
        self._is_said = False
        self._lock = threading.Lock()  # songs are sent in threads

    def told(self, error: Exception, _seconds: float) -> None:
        """A request is to be repeated."""
        with self._lock:
            was_said, self._is_said = self._is_said, True
        if not was_said:
            say(f"{self._server} {_why(error)}: trying again …")


def _why(error: Exception) -> str:
    if isinstance(error, Problem):
        return "is not ready" if is_away(error) else f"asks us to wait ({error.code})"
    return "cannot be reached"


@contextmanager
def connected(
    server: str, api_key: str | None, *, max_attempts: int = MAX_ATTEMPTS, patience: Patience | None = None
) -> Iterator[Client]:
    """A client; whatever it raises in the block and nobody caught ends the command."""
    try:
        client = Client(
            server, api_key=api_key, max_attempts=max_attempts, on_pause=(patience or Patience(server)).told
        )
    except ValueError:
        raise _misnamed(server) from None
    try:
        with client:
            yield client
    except ClientError as error:
        end_of(error, ALL_FAILED)


def identity(server: str) -> str:
    """The server's URL, the same in whatever way it was written, without a name and a password in it."""
    parts = urlsplit(server)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def _misnamed(server: str) -> typer.BadParameter:
    """What is wrong with a server and a key of which no client can be made; shows no secret."""
    try:
        Client(server).close()
    except ValueError:
        return typer.BadParameter(
            f"this is no server's URL. One begins with http:// or https:// and has a host, as "
            f"{DEFAULT_SERVER}, and neither ? nor #. (It may come from GENREWIZ_URL.)",
            param_hint="--server",
        )
    if "@" in server:
        sentence = (
            "a key and the name that stands in the URL of --server cannot both be sent: leave one away."
        )
    else:
        sentence = (
            "this is no key: one is what `genrewiz keys add` prints. (It may come from GENREWIZ_API_KEY.)"
        )
    return typer.BadParameter(sentence, param_hint="--api-key")


def end_of(error: ClientError, refused: int) -> NoReturn:
    """End the command because of this; refused: the exit code where the server has said no."""
    match error:
        case Problem():
            problem = of_problem(error)
            end(f"{problem['detail']} ({problem['code']})", UNREACHABLE if is_away(error) else refused)
        case Unreachable():
            end(f"{str(error).rstrip('.')}. {WHERE}", UNREACHABLE)
        case _:
            end(f"{error} {WHERE}", UNEXPECTED)


def is_away(problem: Problem) -> bool:
    """Whether somebody says for the server that it, or what it needs, cannot be reached."""
    return problem.code in AWAY_CODES


def end(sentence: str, code: int) -> NoReturn:
    """Say why the command ends, and end it."""
    say(f"genrewiz: {sentence}")
    raise typer.Exit(code)
