"""The command line. Data goes to stdout, talk to stderr.

What its exit codes mean stands in EXIT_CODES.
"""

import functools
from collections.abc import Callable, Mapping
from importlib.metadata import version as installed_version
from typing import Annotated, Any

import typer

from genrewiz import plugins
from genrewiz.commands.exits import INTERRUPTED, NOBODY_READS, UNEXPECTED
from genrewiz.commands.jobs import cancel, delete, get, list_jobs
from genrewiz.commands.listen import listen
from genrewiz.commands.stdout import nobody_reads, whole_or_said
from genrewiz.commands.submit import submit
from genrewiz.commands.watch import watch
from genrewiz.commands.webhooks import webhooks
from genrewiz.doctor import doctor
from genrewiz.serve.command import address_of, demo, serve

EXIT_CODES = (
    "Exit codes: 0 all good, 1 unexpected (a full disk, say), 2 usage, 3 some inputs failed, "
    "4 all failed, 5 server unreachable, 130 interrupted, 141 nobody reads the output any more."
)


def version() -> None:
    """Print the version."""
    typer.echo(f"genrewiz {installed_version('genrewiz')}")


def _version_alone(is_wanted: bool) -> None:
    if is_wanted:
        version()
        raise typer.Exit


def build() -> typer.Typer:
    """The command line with every installed subcommand."""
    app = typer.Typer(
        name="genrewiz",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        epilog=EXIT_CODES,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback(invoke_without_command=False)
    def genrewiz(
        context: typer.Context,
        _show_version: Annotated[
            bool,
            typer.Option("--version", help="Print the version.", is_eager=True, callback=_version_alone),
        ] = False,
    ) -> None:
        """Tells the genre of music."""
        # What a subcommand of another part may need to know of `serve`, which it cannot import.
        context.obj = address_of

    own: tuple[Callable[..., Any], ...] = (serve, demo, submit, get, watch, cancel, delete)
    for command in own:
        app.command()(_with_exit_codes(command))
    app.command(name="list")(_with_exit_codes(list_jobs))
    _add_group(app, "webhooks", webhooks)
    for command in (listen, doctor, version):
        app.command()(_with_exit_codes(command))
    for name, command in plugins.commands():
        app.command(name=name)(_with_exit_codes(command))
    for name, group in plugins.groups():
        _add_group(app, name, group)
    return app


def main() -> None:
    """The entry point; usage errors and help are typer's."""
    with whole_or_said():
        build()()


def _add_group(app: typer.Typer, name: str, group: Callable[[], Mapping[str, Callable[..., Any]]]) -> None:
    try:
        commands = group()
    except plugins.MissingExtra:
        app.command(name=name)(_with_exit_codes(group))  # which says so when it is called
        return
    within = typer.Typer(no_args_is_help=True, help=group.__doc__)
    for command_name, command in commands.items():
        within.command(name=command_name)(_with_exit_codes(command))
    app.add_typer(within, name=name)


def _with_exit_codes(command: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            nobody_reads()
            raise typer.Exit(NOBODY_READS) from None
        except plugins.MissingExtra as error:
            typer.echo(f"genrewiz {error}", err=True)
            raise typer.Exit(UNEXPECTED) from None

    return run
