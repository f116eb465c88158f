"""`genrewiz watch`: a job as it happens, from its stream of events."""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from genrewiz.client import Event, Job
from genrewiz.commands import talk
from genrewiz.commands.answers import Answer
from genrewiz.commands.exits import ALL_FAILED, INTERRUPTED, exit_code
from genrewiz.commands.output import Pictures
from genrewiz.commands.server import DEFAULT_SERVER, KeyOption, ServerOption, connected, end

Doing = Callable[[float, str], None]


def watch(
    job_id: Annotated[
        str, typer.Argument(metavar="ID", show_default=False, help="The job, as `submit` printed it.")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line an event, for programs.")] = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Watch a job until it ends: the genre of each part as soon as it is known, then of the whole song.

    Ctrl-C ends the watching; the job goes on.

    Example: genrewiz watch job_…
    """
    with connected(server, api_key) as client, talk.fraction_bar(data_for_programs=as_json) as doing:
        show = _line_of_json if as_json else ForPeople(doing).show
        last: Job | None = None
        try:
            for event in client.events(job_id):
                show(event)
                last = event.job or last
        except KeyboardInterrupt:
            talk.say(f"{job_id} goes on without us.")
            raise typer.Exit(INTERRUPTED) from None
    if last is None:
        end("The stream of events has ended before the job.", ALL_FAILED)
    good = Answer(name=job_id, job=last.raw).is_good
    raise typer.Exit(exit_code(good=good, failed=not good))


class ForPeople:
    """Windows and the answer as lines, the rest as a bar."""

    def __init__(self, doing: Doing) -> None:
        self._doing = doing
        self._shown: set[tuple[float, float]] = set()

    def show(self, event: Event) -> None:
        """Whatever is new in it; a part of the song is told once, though it was heard twice."""
        match event.name, event.job:
            case "window", _:
                self._window(event.data)
            case "progress", _:
                data = event.data
                self._doing(data.get("fraction") or 0.0, data.get("stage") or data.get("status") or "")
            case "snapshot", Job() as job:
                self._doing(job.progress.fraction, job.progress.stage or job.status)
            case "finished", Job() as job:
                self._answer(job)

    def _window(self, window: Mapping[str, Any]) -> None:
        span = window["start_seconds"], window["end_seconds"]
        if span not in self._shown:
            self._shown.add(span)
            sure = max(window.get("probabilities") or (0.0,))
            typer.echo(f"{_clock(span[0])}-{_clock(span[1]):<6}  {window['genre']:<10} {sure:6.1%}")

    def _answer(self, job: Job) -> None:
        for window in (job.raw.get("result") or {}).get("timeline") or ():
            self._window(window)
        name = job.source.filename or job.id
        Pictures().show(Answer(name=name, job=job.raw))


def _line_of_json(event: Event) -> None:
    typer.echo(json.dumps({"event": event.name, "id": event.id, "data": event.data}))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
