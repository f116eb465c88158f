"""`genrewiz get`, `cancel`, `delete` and `list`: jobs that are there.

Each id is an input of its own: what befalls one says nothing of the next.
"""

from collections.abc import Callable
from typing import Annotated, Literal

import typer

from genrewiz.client import Job, Problem
from genrewiz.commands.answers import Answer, of_problem
from genrewiz.commands.exits import exit_code
from genrewiz.commands.output import Lines, Output, Pictures, Rows, output
from genrewiz.commands.server import (
    DEFAULT_SERVER,
    QUICK_ATTEMPTS,
    CsvOption,
    JsonOption,
    KeyOption,
    ServerOption,
    connected,
)
from genrewiz.commands.talk import say

IdsArgument = Annotated[
    list[str], typer.Argument(metavar="ID…", show_default=False, help="Jobs, as `submit` printed them.")
]
Status = Literal["queued", "running", "succeeded", "failed", "cancelled", "expired"]


def get(
    ids: IdsArgument,
    *,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Show jobs as they are now.

    It fails for jobs alone that are not there: a job that has failed is shown, too.

    Example: genrewiz get job_… --json
    """
    form = output(as_json=as_json, as_csv=as_csv, people=Pictures())
    with connected(server, api_key, max_attempts=QUICK_ATTEMPTS) as client:
        _each(ids, client.get, form)


def cancel(
    ids: IdsArgument,
    *,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Stop jobs that have not finished.

    One that waits is cancelled at once, one that runs as soon as its worker looks.

    Example: genrewiz cancel job_…
    """
    form = output(as_json=as_json, as_csv=as_csv, people=Lines())
    with connected(server, api_key, max_attempts=QUICK_ATTEMPTS) as client:
        _each(ids, client.cancel, form)


def delete(ids: IdsArgument, *, server: ServerOption = DEFAULT_SERVER, api_key: KeyOption = None) -> None:
    """Remove jobs for good: their results, their audio and their pictures.

    A job that waits is cancelled first; one that runs must be cancelled, or end, before.

    Example: genrewiz delete job_…
    """
    good = failed = 0
    with connected(server, api_key, max_attempts=QUICK_ATTEMPTS) as client:
        for job_id in ids:
            try:
                client.delete(job_id)
            except Problem as error:
                problem = of_problem(error)
                say(f"{job_id}: {problem['detail']} ({problem['code']})")
                failed += 1
            else:
                typer.echo(job_id)
                good += 1
    raise typer.Exit(exit_code(good=good, failed=failed))


def list_jobs(
    *,
    status: Annotated[
        Status | None, typer.Option(show_default=False, help="Those alone which are so.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 20,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """List your jobs, the newest first.

    Example: genrewiz list --status failed --limit 100
    """
    form = output(as_json=as_json, as_csv=as_csv, people=Rows())
    with connected(server, api_key, max_attempts=QUICK_ATTEMPTS) as client:
        for job in client.jobs(status=status, limit=limit):
            form.show(Answer(name=job.id, job=job.raw))


def _each(ids: list[str], ask: Callable[[str], Job], form: Output) -> None:
    """Show what each becomes; the exit code says for how many there was nothing to show."""
    good = 0
    for job_id in ids:
        try:
            form.show(Answer(name=job_id, job=ask(job_id).raw))
            good += 1
        except Problem as error:
            form.show(Answer(name=job_id, problem=of_problem(error)))
    raise typer.Exit(exit_code(good=good, failed=len(ids) - good))
