"""`genrewiz classify` and `genrewiz predict-mels`: the model in this process, without a server.

Light at import: torch is loaded when a command runs.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from worker.pipeline import Analysis, Pipeline

SOME_FAILED, ALL_FAILED, CANNOT_START = 3, 4, 1
BAR_CHARACTERS = 30


def classify(
    files: Annotated[list[Path], typer.Argument(help="Songs in any common format.", show_default=False)],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line a file.")] = False,
    spectrogram: Annotated[
        Path | None,
        typer.Option(
            "--spectrogram", help="Draw the song, which is the only one, as this PNG.", show_default=False
        ),
    ] = None,
) -> None:
    """Tell the genre of songs, here, without a server."""
    if spectrogram and len(files) > 1:
        raise typer.BadParameter("takes one song at a time", param_hint="--spectrogram")
    with _pipeline() as pipeline:
        answers = [_show(_answer(pipeline, path, spectrogram), as_json=as_json) for path in files]
    if not all(answers):
        raise typer.Exit(SOME_FAILED if any(answers) else ALL_FAILED)


def predict_mels(
    file: Annotated[
        Path,
        typer.Argument(
            help="A NumPy archive with X (windows, 640 frames, 128 mel bands). uint8 levels, where dB = "
            "X * 80 / 255 - 80, are taken as they are. Floating dB, at most 0, are brought to each "
            "window's own maximum and cut off 80 dB below it.",
            show_default=False,
        ),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", help="The CSV: a row for each window of X.", show_default=False)
    ],
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="A checkpoint; by default the one that classify uses.")
    ] = None,
) -> None:
    """Tell the genre of log-mel spectrograms that are there already, with calibrated probabilities."""
    from rich.console import Console
    from rich.progress import Progress

    from shared.errors import MelsUnusable, SetupError, UnwritableFile
    from shared.settings import read_settings
    from worker import predict_mels as mels
    from worker.checkpoint import RELEASED, load_checkpoint
    from worker.device import choose_device

    console = Console(stderr=True)
    try:
        settings = read_settings()
        loaded = load_checkpoint(checkpoint or settings.checkpoint or RELEASED)
        device = choose_device(settings.device)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("windows", total=None)
            mels.predict_mels(
                file,
                output,
                checkpoint=loaded,
                device=device,
                report=lambda done, total: bar.update(task, completed=done, total=total),
            )
    except (SetupError, MelsUnusable, UnwritableFile) as error:
        _refuse(error.detail, command="predict-mels")


@contextmanager
def _pipeline() -> "Iterator[Pipeline]":
    from shared.errors import SetupError
    from shared.settings import read_settings
    from worker.build import open_pipeline

    try:
        # Files are taken one after another: one pipeline has all the cores.
        settings = read_settings().model_copy(update={"concurrency": 1})
        with open_pipeline(settings) as pipeline:
            yield pipeline
    except SetupError as error:
        _refuse(error.detail, command="classify")


def _answer(pipeline: "Pipeline", path: Path, spectrogram: Path | None) -> dict[str, Any]:
    """What a server would say of this file, under the same names."""
    from shared.errors import UnreadableFile, UnwritableFile
    from shared.job import JobError
    from shared.wire import error_body, model_body

    answer: dict[str, Any] = {
        "file": str(path),
        "model": model_body(pipeline.identity),
        "audio": None,
        "result": None,
        "timings_seconds": None,
        "error": None,
    }
    try:
        with path.open("rb") as audio:
            analysis = pipeline.run(audio, picture=spectrogram is not None)
    except OSError as error:
        unread = UnreadableFile(f"The file cannot be read: {error.strerror}.")
        return answer | {"error": error_body(JobError.of(unread))}
    if spectrogram and analysis.picture is not None:
        try:
            spectrogram.write_bytes(analysis.picture)
        except OSError as error:
            unwritten = UnwritableFile(f"The spectrogram cannot be written: {error.strerror}.")
            return answer | {"error": error_body(JobError.of(unwritten))}
    return answer | _found(analysis)


def _found(analysis: "Analysis") -> dict[str, Any]:
    from shared.job import JobError, JobOptions
    from shared.wire import error_body, result_body, stages_body

    audio, classification, error = analysis.audio, analysis.classification, analysis.error
    return {
        "audio": audio
        and {
            "duration_seconds": round(audio.duration_seconds, 3),
            "sample_rate": audio.source_sample_rate,
            "channels": audio.channels,
            "codec": audio.codec,
            "truncated": audio.truncated,
        },
        "result": classification and result_body(classification, JobOptions()),
        "timings_seconds": stages_body(analysis.stage_seconds),
        "error": error and error_body(JobError.of(error)),
    }


def _show(answer: dict[str, Any], *, as_json: bool) -> bool:
    """Print one answer; whether it is one."""
    if as_json:
        typer.echo(json.dumps(answer))
    elif answer["error"]:
        typer.echo(f"{answer['file']}: {answer['error']['detail']} ({answer['error']['code']})", err=True)
    else:
        typer.echo(f"{answer['file']}: {answer['result']['genre']}")
        for prediction in answer["result"]["top"]:
            share = prediction["probability"]
            typer.echo(f"  {prediction['genre']:<10} {share:6.1%}  {'█' * round(share * BAR_CHARACTERS)}")
    return answer["error"] is None


def _refuse(sentence: str, *, command: str) -> NoReturn:
    typer.echo(f"genrewiz {command}: {sentence}", err=True)
    raise typer.Exit(CANNOT_START)
