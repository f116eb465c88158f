"""What people are told on stderr, and the progress that they see where that is a terminal.

Nothing of it is data, and nothing of it moves where nobody looks.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from genrewiz.commands.inputs import shown


def say(sentence: str) -> None:
    """A sentence for people."""
    typer.echo(sentence, err=True)


@contextmanager
def bar(*, data_for_programs: bool) -> Iterator[Progress]:
    """A bar on the terminal that is gone at its end; none where stderr is no terminal.

    data_for_programs: where stdout is the same terminal, a bar would stand in the middle of that.
    """
    console = Console(stderr=True)
    on_terminal = sys.stdout.isatty()
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal or (on_terminal and data_for_programs),
        # What is data must never be drawn on stderr in place of the file that it belongs to.
        redirect_stdout=on_terminal,
    ) as progress:
        yield progress


@contextmanager
def fraction_bar(*, data_for_programs: bool) -> Iterator[Callable[[float, str], None]]:
    """A bar for one job, gone at its end: give it the fraction and what is being done."""
    with bar(data_for_programs=data_for_programs) as progress:
        task = progress.add_task("", total=1.0)
        yield lambda fraction, doing: progress.update(task, completed=fraction, description=shown(doing))


class SongsProgress:
    """How far many songs are: one bar for all, and a line that says what is being done now."""

    def __init__(self, progress: Progress, songs: int) -> None:
        self._progress = progress
        self._all = progress.add_task("songs", total=songs)
        self._lock = threading.Lock()

    def ended(self) -> None:
        """One more song is done with."""
        self._progress.advance(self._all)

    @contextmanager
    def song(self, name: str) -> Iterator[Callable[[int, int | None], None]]:
        """A bar for the bytes of one song while it is being sent and heard."""
        task = self._progress.add_task(shown(name)[-40:], total=None)
        try:
            yield lambda sent, total: self._progress.update(task, completed=sent, total=total)
        finally:
            self._progress.remove_task(task)
