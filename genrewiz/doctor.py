"""`genrewiz doctor`: looks at everything that GenreWiz needs here, and says what is wrong and what to do."""

import platform
from collections.abc import Iterator

import typer

from genrewiz import plugins
from genrewiz.serve.embedded import NoServerBinary, server_binary

Finding = tuple[str, bool, str]
"""What was looked at, whether it is well, and what was found."""

FAILED = 1


def doctor() -> None:
    """Check this installation: Python, server, stores, model, device. Exits 1 where something is wrong."""
    findings = [*_own(), *_of_plugins()]
    for what, well, detail in findings:
        typer.echo(f"{'ok  ' if well else 'FAIL'}  {what:<12} {detail}")
    if not all(well for _, well, _ in findings):
        raise typer.Exit(FAILED)


def _own() -> Iterator[Finding]:
    yield "python", True, platform.python_version()
    try:
        yield "server", True, f"embedded server: {server_binary().name}"
    except NoServerBinary as error:
        yield "server", False, str(error)


def _of_plugins() -> Iterator[Finding]:
    for name, check in plugins.checks():
        try:
            yield from check()
        except plugins.MissingExtra as error:
            yield name, False, str(error)
