"""Finds what the installed parts add to the command line, by entry points.

Nothing of them is imported by name.
"""

import functools
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any

COMMANDS = "genrewiz.commands"
CHECKS = "genrewiz.checks"


class MissingExtra(Exception):
    """A part of GenreWiz that is not installed."""

    def __init__(self, name: str, extra: str, module: str | None) -> None:
        super().__init__(
            f"{name} needs the {extra} extra, which is not installed (no module {module}): "
            f"pip install -e '.[{extra}]'"
        )


def commands() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Subcommands by name; one whose extra is not installed raises MissingExtra when it is called."""
    return _all(COMMANDS)


def checks() -> Iterator[tuple[str, Callable[..., Any]]]:
    """What `genrewiz doctor` asks: each yields triples of what, whether it is well, and detail."""
    return _all(CHECKS)


def _all(group: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
        yield entry.name, _guarded(entry)


def _guarded(entry: EntryPoint) -> Callable[..., Any]:
    extra = entry.extras[0]
    try:
        command = entry.load()
    except ModuleNotFoundError as error:
        missing = MissingExtra(entry.name, extra, error.name)

        def refuse() -> None:
            raise missing

        return refuse

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except ModuleNotFoundError as error:
            raise MissingExtra(entry.name, extra, error.name) from error

    return run
