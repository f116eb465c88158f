"""`genrewiz submit`: songs from files, folders, patterns, URLs or a pipe to a server."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from genrewiz.commands import talk
from genrewiz.commands.batch_run import BatchRun
from genrewiz.commands.batch_state import StateUnusable, batch_state
from genrewiz.commands.exits import ALL_FAILED, UNEXPECTED, USAGE
from genrewiz.commands.inputs import STDIN, Stdin, inputs
from genrewiz.commands.output import Lines, Output, Pictures, Promises, output
from genrewiz.commands.server import (
    DEFAULT_SERVER,
    CsvOption,
    JsonOption,
    KeyOption,
    Patience,
    ServerOption,
    connected,
    end,
    identity,
)
from genrewiz.commands.submission import Submission, Wanted
from genrewiz.commands.webhook_wish import (
    WebhookEventOption,
    WebhookOption,
    WebhookSecretOption,
    webhook_of,
)

MAX_DEADLINE_SECONDS: Final = 7 * 24 * 60 * 60


def submit(  # noqa: PLR0913  each option of a command is an argument
    context: typer.Context,
    songs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE|FOLDER|PATTERN|URL|-…",
            show_default=False,
            help="Songs: files, folders of them, patterns as 'music/*.mp3' (quoted or not), URLs that the "
            "server fetches, or - for audio on standard input.",
        ),
    ] = None,
    *,
    from_file: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            show_default=False,
            help="A file with more of them, one a line; - reads the list from standard input.",
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for each song's genre.")] = False,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Look into the folders within folders, too.")
    ] = False,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="Remember here what was done. Killed or interrupted, the same command goes on: no song is "
            "done twice. One that has changed is done anew; with --wait also one whose job was cancelled, "
            "has expired or failed in a way that may heal. The file is of one server.",
        ),
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Songs at once.")] = 4,
    top: Annotated[
        int | None, typer.Option(min=1, max=10, show_default=False, help="How many genres to name.")
    ] = None,
    windows: Annotated[
        Literal["all", "first"] | None,
        typer.Option(show_default=False, help="Hear the whole song (all), or its first half minute (first)."),
    ] = None,
    min_confidence: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1.0, show_default=False, help="Name no genre that is less probable than this."
        ),
    ] = None,
    spectrogram: Annotated[bool, typer.Option("--spectrogram", help="Keep a picture of the song.")] = False,
    queue: Annotated[
        Literal["high", "standard", "batch"] | None,
        typer.Option(show_default=False, help="How soon its turn comes; high takes a key that may."),
    ] = None,
    deadline: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MAX_DEADLINE_SECONDS,
            metavar="SECONDS",
            show_default=False,
            help="A song whose turn has not come by then is expired: 7 days at most.",
        ),
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            show_default=False,
            help="Comes back with the answer; may stand several times.",
        ),
    ] = None,
    webhook: WebhookOption = None,
    webhook_event: WebhookEventOption = None,
    webhook_secret: WebhookSecretOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = None,
) -> None:
    """Send songs to a server, which tells their genres.

    Without --wait each line begins with a job's id: `genrewiz get` and `genrewiz watch` take those.

    Examples:

      genrewiz submit song.mp3 --wait

      genrewiz submit -r ~/Music --wait --state music.state --csv > out.csv

      genrewiz submit song.mp3 --webhook https://radio.example/hook
    """
    wanted = Wanted(
        options=_options(top=top, windows=windows, min_confidence=min_confidence, spectrogram=spectrogram),
        metadata=dict(_pair(text) for text in metadata or ()),
        queue=queue,
        deadline_seconds=deadline,
        webhook=webhook_of(context, webhook, webhook_event, webhook_secret),
    )
    found = inputs(_arguments(songs, from_file), recursive=recursive, say=talk.say)
    if Stdin() in found and (sys.stdin is None or sys.stdin.isatty()):
        raise typer.BadParameter("- reads audio from a pipe: genrewiz submit - < song.mp3")
    form = output(as_json=as_json, as_csv=as_csv, people=_for_people(wait=wait, songs=len(found)))
    if not found:
        end("No song was found in what was named: nothing was sent.", ALL_FAILED)
    with ExitStack() as stack:
        patience = Patience(server)
        client = stack.enter_context(connected(server, api_key, patience=patience))
        try:
            memory = (
                stack.enter_context(batch_state(state, server=identity(server)))
                if state is not None
                else None
            )
        except StateUnusable as error:
            end(f"{state}: {error}", USAGE)
        run = BatchRun(form, songs=len(found), resumable=memory is not None)
        submission = Submission(
            client,
            wanted,
            wait=wait,
            is_batch=len(found) > 1,
            state=memory,
            on_job=run.promised,
            on_pause=patience.told,
        )
        try:
            with talk.bar(data_for_programs=as_json or as_csv) as progress:
                run.over(submission, found, threads=concurrency, progress=progress)
        except StateUnusable as error:
            end(f"{state}: {error}", UNEXPECTED)
    run.sum_up()


def _for_people(*, wait: bool, songs: int) -> Output:
    if not wait:
        return Promises()
    return Pictures() if songs == 1 else Lines()


def _arguments(songs: list[str] | None, from_file: str | None) -> list[str]:
    if not songs and from_file is None:
        raise typer.BadParameter("name at least one song", param_hint="FILE")
    if from_file is None:
        return songs or []
    if from_file == STDIN and STDIN in (songs or ()):
        raise typer.BadParameter("- cannot be both a song and the list", param_hint="--from-file")
    try:
        with open(
            0 if from_file == STDIN else from_file, errors="surrogateescape", closefd=from_file != STDIN
        ) as file:
            return [*(songs or ()), *filter(None, (line.rstrip("\n") for line in file))]
    except OSError as error:
        raise typer.BadParameter(f"cannot be read: {error.strerror}", param_hint="--from-file") from None


def _options(*, spectrogram: bool, **values: Any) -> dict[str, Any]:
    """What was asked for alone: the rest is the server's choice."""
    given = {name: value for name, value in values.items() if value is not None}
    return given | ({"spectrogram": True} if spectrogram else {})


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise typer.BadParameter(f"{text!r} is no NAME=VALUE", param_hint="--metadata")
    return name, value
