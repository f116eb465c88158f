"""Finds what the installed parts add to the command line, by entry points.

Nothing of them is imported by name.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

COMMANDS = "genrewiz.commands"
GROUPS = "genrewiz.command_groups"
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


def groups() -> Iterator[tuple[str, Callable[[], Mapping[str, Callable[..., Any]]]]]:
    """Subcommands that have subcommands, by name: each gives those. MissingExtra as above, from any."""
    for entry in _entries(GROUPS):
        yield entry.name, _guarded_group(entry)


def checks() -> Iterator[tuple[str, Callable[..., Any]]]:
    """What `genrewiz doctor` asks: each yields triples of what, whether it is well, and detail."""
    return _all(CHECKS)


def _all(group: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    for entry in _entries(group):
        yield entry.name, _guarded(entry)


def _entries(group: str) -> list[EntryPoint]:
    return sorted(entry_points(group=group), key=lambda entry: entry.name)


def _guarded_group(entry: EntryPoint) -> Callable[[], Mapping[str, Callable[..., Any]]]:
    group = _guarded(entry)

    @functools.wraps(group)
    def run() -> Mapping[str, Callable[..., Any]]:
        return {name: _naming_extra(entry, command) for name, command in group().items()}

    return run


def _guarded(entry: EntryPoint) -> Callable[..., Any]:
    try:
        command = entry.load()
    except ModuleNotFoundError as error:
        missing = MissingExtra(entry.name, entry.extras[0], error.name)

        def refuse() -> None:
            raise missing

        return refuse
    return _naming_extra(entry, command)


def _naming_extra(entry: EntryPoint, command: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except ModuleNotFoundError as error:
            raise MissingExtra(entry.name, entry.extras[0], error.name) from error

    return run
