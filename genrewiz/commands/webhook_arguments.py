"""What the commands about webhooks share: options, how their texts are read, and the way through many ids.

It knows no route.
"""

import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, TypeVar

import typer

from genrewiz.client import Client, Delivery, Endpoint, Problem
from genrewiz.commands.answers import of_problem
from genrewiz.commands.exits import exit_code
from genrewiz.commands.inputs import STDIN
from genrewiz.commands.server import QUICK_ATTEMPTS, connected
from genrewiz.commands.talk import say
from genrewiz.commands.webhook_output import as_json_line

T = TypeVar("T", Endpoint, Delivery)

_AGE: Final = re.compile(r"([0-9]{1,5})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}
SINCE_HELP: Final = "Since when: 90s, 30m, 2h or 7d ago, or a time as 2026-01-31T12:00:00Z."

EventOption = Annotated[
    list[str] | None,
    typer.Option(
        "--event",
        metavar="NAME",
        show_default=False,
        help="What to tell: job.succeeded, job.failed, job.cancelled, job.expired (without this option those "
        "four), job.started, job.progress; may stand several times.",
    ),
]
BasicAuthOption = Annotated[
    str | None,
    typer.Option(
        metavar="USER:PASSWORD",
        show_default=False,
        help="Sent to receivers that know nothing else; - reads a line from standard input.",
    ),
]
SecretOption = Annotated[
    str | None,
    typer.Option(
        metavar="whsec_…",
        show_default=False,
        help="What is to sign from now on; without, a new one is made. - reads a line from standard input: "
        "what stands on a command line can be read in the list of processes.",
    ),
]


def client_of(server: str, api_key: str | None) -> AbstractContextManager[Client]:
    """A client for a command that somebody waits for."""
    return connected(server, api_key, max_attempts=QUICK_ATTEMPTS)


def each_shown(
    ids: list[str], ask: Callable[[str], T], *, as_json: bool, print_one: Callable[[T], None]
) -> None:
    """Show what each becomes; the exit code says for how many there was nothing to show."""
    good = 0
    for each in ids:
        try:
            found = ask(each)
        except Problem as problem:
            if as_json:
                as_json_line({"id": each, "error": of_problem(problem)})
            else:
                say_refusal(each, problem)
            continue
        if as_json:
            as_json_line(found.raw)
        else:
            print_one(found)
        good += 1
    raise typer.Exit(exit_code(good=good, failed=len(ids) - good))


def say_refusal(about: str, problem: Problem) -> None:
    """What the server will not do, and about which."""
    said = of_problem(problem)
    say(f"{about}: {said['detail']} ({said['code']})")


def moment_of(text: str) -> datetime:
    """A time, or how long ago it was, by this machine's clock."""
    age = _AGE.fullmatch(text)
    if age:
        return datetime.now(UTC) - timedelta(seconds=int(age[1]) * _SECONDS[age[2]])
    try:
        return datetime.fromisoformat(text).astimezone(UTC)  # without a zone it is this machine's
    except (ValueError, OverflowError):
        raise typer.BadParameter(SINCE_HELP, param_hint="--since") from None


def pair_of(basic_auth: str | None) -> tuple[str, str] | None:
    """A user name and a password."""
    text = line_of(basic_auth)
    if text is None:
        return None
    user, colon, password = text.partition(":")
    if not (user and colon):
        raise typer.BadParameter("this is no USER:PASSWORD", param_hint="--basic-auth")
    return user, password


def line_of(text: str | None) -> str | None:
    """What was given, or the next line of standard input, where that was meant."""
    if text != STDIN:
        return text
    line = sys.stdin.readline().rstrip("\n") if sys.stdin else ""
    if not line:
        raise typer.BadParameter("- reads a line from standard input, where there was none")
    return line
