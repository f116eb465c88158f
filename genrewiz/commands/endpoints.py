"""`genrewiz webhooks add`, `list`, `show`, `set`, `remove`, `rotate`, `test` and `recover`: endpoints.

Secrets are shown when they are made, and never again.
"""

import time
from typing import Annotated, Final

import typer

from genrewiz.client import UNCHANGED, Client, Delivery, Endpoint, Problem
from genrewiz.commands.exits import ALL_FAILED, exit_code
from genrewiz.commands.server import DEFAULT_SERVER, JsonOption, KeyOption, ServerOption
from genrewiz.commands.talk import say
from genrewiz.commands.webhook_arguments import (
    SINCE_HELP,
    BasicAuthOption,
    EventOption,
    SecretOption,
    client_of,
    each_shown,
    line_of,
    moment_of,
    pair_of,
    say_refusal,
)
from genrewiz.commands.webhook_output import (
    as_json_line,
    delivery_lines,
    echo,
    endpoint_lines,
    endpoint_row,
    time_shown,
)

TEST_SECONDS: Final = 30.0
"""For so long `test --wait` looks for an answer: a receiver has 15 s for one."""
LOOK_SECONDS: Final = 0.5

EndpointArgument = Annotated[
    str, typer.Argument(metavar="ENDPOINT", show_default=False, help="As `add` printed it: whe_…")
]
EndpointsArgument = Annotated[
    list[str], typer.Argument(metavar="ENDPOINT…", show_default=False, help="As `add` printed them: whe_…")
]
DescriptionOption = Annotated[
    str | None, typer.Option(metavar="TEXT", show_default=False, help="What it is, for people.")
]


def add(
    url: Annotated[str, typer.Argument(metavar="URL", show_default=False, help="Where events are sent.")],
    *,
    event: EventOption = None,
    description: DescriptionOption = None,
    basic_auth: BasicAuthOption = None,
    secret: SecretOption = None,
    as_json: JsonOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Make an endpoint, and print its id and the secret that signs for it, once.

    It hears of those jobs that name it: genrewiz submit song.mp3 --webhook whe_…

    Example: genrewiz webhooks add https://radio.example/hook --event job.succeeded
    """
    pair, own = pair_of(basic_auth), line_of(secret)
    with client_of(server, api_key) as client:
        made = client.create_endpoint(url, events=event, description=description, basic_auth=pair, secret=own)
    if as_json:
        as_json_line(made.raw)
    else:
        echo([f"{made.id}  {made.secret}"])
    say("Keep the secret: it is not shown again.")


def list_endpoints(
    *, as_json: JsonOption = False, server: ServerOption = DEFAULT_SERVER, api_key: KeyOption = None
) -> None:
    """List your endpoints, the newest first.

    Example: genrewiz webhooks list
    """
    with client_of(server, api_key) as client:
        found = client.endpoints()
    for each in found:
        if as_json:
            as_json_line(each.raw)
        else:
            echo([endpoint_row(each)])


def show(
    endpoints: EndpointsArgument,
    *,
    as_json: JsonOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Show endpoints as they are now; never their secrets.

    Example: genrewiz webhooks show whe_…
    """
    with client_of(server, api_key) as client:
        each_shown(
            endpoints, client.endpoint, as_json=as_json, print_one=lambda each: echo(endpoint_lines(each))
        )


def set_endpoint(  # noqa: PLR0913  each option of a command is an argument
    endpoint: EndpointArgument,
    *,
    url: Annotated[
        str | None, typer.Option(metavar="URL", show_default=False, help="Where events are sent.")
    ] = None,
    event: EventOption = None,
    description: DescriptionOption = None,
    basic_auth: BasicAuthOption = None,
    no_basic_auth: Annotated[
        bool, typer.Option("--no-basic-auth", help="Send no user and password any more.")
    ] = False,
    enabled: Annotated[
        bool | None,
        typer.Option("--enable/--disable", show_default=False, help="Whether events are sent there."),
    ] = None,
    as_json: JsonOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Change what you name of an endpoint, and leave the rest.

    What has failed while it was disabled is sent again by `genrewiz webhooks recover`.

    Example: genrewiz webhooks set whe_… --enable
    """
    if basic_auth is not None and no_basic_auth:
        raise typer.BadParameter("--basic-auth and --no-basic-auth are one too many.")
    if (url, event, description, basic_auth, enabled) == (None,) * 5 and not no_basic_auth:
        raise typer.BadParameter("say what is to be changed")
    pair = None if no_basic_auth else pair_of(basic_auth) or UNCHANGED
    with client_of(server, api_key) as client:
        changed = client.change_endpoint(
            endpoint, url=url, events=event, description=description, basic_auth=pair, enabled=enabled
        )
    _show_endpoint(changed, as_json=as_json)


def remove(
    endpoints: EndpointsArgument, *, server: ServerOption = DEFAULT_SERVER, api_key: KeyOption = None
) -> None:
    """Remove endpoints for good; what waits to be delivered to them fails.

    Example: genrewiz webhooks remove whe_…
    """
    good = 0
    with client_of(server, api_key) as client:
        for each in endpoints:
            try:
                client.delete_endpoint(each)
            except Problem as problem:
                say_refusal(each, problem)
            else:
                typer.echo(each)
                good += 1
    raise typer.Exit(exit_code(good=good, failed=len(endpoints) - good))


def rotate(
    endpoint: EndpointArgument,
    *,
    secret: SecretOption = None,
    as_json: JsonOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Give an endpoint another secret, and print that, once. For 24 hours both sign.

    Example: genrewiz webhooks rotate whe_…
    """
    own = line_of(secret)
    with client_of(server, api_key) as client:
        rotated = client.rotate_secret(endpoint, secret=own)
    if as_json:
        as_json_line(rotated.raw)
    else:
        echo([str(rotated.secret)])
    say("Keep the secret: it is not shown again.")
    if rotated.previous_secret_expires_at:
        say(f"The old one signs, too, until {time_shown(rotated.previous_secret_expires_at)}.")


def send_test(
    endpoint: EndpointArgument,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the answer, and show it.")] = False,
    as_json: JsonOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Have a `webhook.test` sent to an endpoint, also to one that is disabled, and print its delivery's id.

    Example: genrewiz webhooks test whe_… --wait
    """
    with client_of(server, api_key) as client:
        sent = client.test_endpoint(endpoint)
        if wait:
            sent = _attempted(client, sent)
    if as_json:
        as_json_line(sent.raw)
    else:
        echo(delivery_lines(sent) if wait else [sent.id])
    if wait and sent.status != "delivered":
        raise typer.Exit(ALL_FAILED)


def recover(
    endpoint: EndpointArgument,
    *,
    since: Annotated[str, typer.Option(metavar="TIME", show_default=False, help=SINCE_HELP)],
    as_json: JsonOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Have all that failed to reach an endpoint since then sent again, and print how many that are.

    One that is disabled has to be enabled first (`genrewiz webhooks set --enable`).

    Example: genrewiz webhooks recover whe_… --since 2d
    """
    moment = moment_of(since)
    with client_of(server, api_key) as client:
        count = client.recover(endpoint, since=moment)
    if as_json:
        as_json_line({"recovered": count})
    else:
        typer.echo(str(count))


def _show_endpoint(endpoint: Endpoint, *, as_json: bool) -> None:
    if as_json:
        as_json_line(endpoint.raw)
    else:
        echo(endpoint_lines(endpoint))


def _attempted(client: Client, sent: Delivery) -> Delivery:
    """The delivery once it was attempted, or as it is when nobody would wait any longer."""
    end = time.monotonic() + TEST_SECONDS
    while sent.status == "pending" and not sent.attempts_made and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)
        sent = client.delivery(sent)
    return sent
