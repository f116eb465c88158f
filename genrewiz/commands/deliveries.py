"""`genrewiz webhooks deliveries`, `delivery` and `redeliver`: what was sent, and whether it has arrived."""

from typing import Annotated, Literal

import typer

from genrewiz.commands.server import DEFAULT_SERVER, JsonOption, KeyOption, ServerOption
from genrewiz.commands.webhook_arguments import SINCE_HELP, client_of, each_shown, moment_of
from genrewiz.commands.webhook_output import as_json_line, delivery_lines, delivery_row, echo

DeliveriesArgument = Annotated[
    list[str],
    typer.Argument(metavar="DELIVERY…", show_default=False, help="As `deliveries` shows them: msg_…"),
]
SinceOption = Annotated[str | None, typer.Option(metavar="TIME", show_default=False, help=SINCE_HELP)]


def deliveries(
    *,
    endpoint: Annotated[
        str | None, typer.Option(metavar="ENDPOINT", show_default=False, help="Those to this one alone.")
    ] = None,
    status: Annotated[
        Literal["pending", "delivered", "failed"] | None,
        typer.Option(show_default=False, help="Those alone which are so."),
    ] = None,
    since: SinceOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 20,
    as_json: JsonOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """List what was sent for you, the newest first.

    Example: genrewiz webhooks deliveries --status failed --since 2h
    """
    moment = None if since is None else moment_of(since)
    with client_of(server, api_key) as client:
        for each in client.deliveries(endpoint=endpoint, status=status, since=moment, limit=limit):
            if as_json:
                as_json_line(each.raw)
            else:
                echo([delivery_row(each)])


def delivery(
    ids: DeliveriesArgument,
    *,
    as_json: JsonOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Show deliveries with every attempt: when, what was answered, and why it failed.

    Example: genrewiz webhooks delivery msg_…
    """
    with client_of(server, api_key) as client:
        each_shown(ids, client.delivery, as_json=as_json, print_one=lambda each: echo(delivery_lines(each)))


def redeliver(
    ids: DeliveriesArgument,
    *,
    as_json: JsonOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Have deliveries sent again, now, under the same ids.

    Example: genrewiz webhooks redeliver msg_…
    """
    with client_of(server, api_key) as client:
        each_shown(ids, client.redeliver, as_json=as_json, print_one=lambda each: echo([delivery_row(each)]))
