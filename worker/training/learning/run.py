"""One training run from the data folder to a checkpoint in the run's folder.

Joins the parts: `train.py` has the loop. It looks at the train and valid lists and at no test list.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

import worker.model
from shared.classification import ModelIdentity
from shared.errors import GenreWizError, TrainingStopped, UnwritableFile
from worker.checkpoint import Checkpoint, save_checkpoint
from worker.device import choose_device
from worker.features import FeatureSettings
from worker.training.learning.allocator import keep_memory
from worker.training.learning.left_out import LeftOutFiles
from worker.training.learning.recipe import Recipe
from worker.training.learning.records import Records
from worker.training.learning.run_folder import LEFT_OUT, check_folder, run_folder
from worker.training.learning.scores import fit_temperature, is_at_an_end, score
from worker.training.learning.sizes import check_network, sizes_of
from worker.training.learning.state import Progress, Row
from worker.training.learning.train import train
from worker.training.songs.features import mel_filterbank
from worker.training.songs.sources import AudioSource, TrainingData, load_training_data

VERSION = "0.1.0"  # of the checkpoints that this code trains
# Modules beside this one that decide the weights; all that read songs do too.
DECISIVE = ("augment", "branches", "recipe", "schedule", "scores", "sizes", "state", "train")
HEARD = ("decode", "ffmpeg", "features", "model", "resample", "spectrogram", "stream", "windows")
"""Modules of the worker that decide them too."""
GO_ON = "The epochs that were finished are kept in {}: the same command with --resume goes on."


@dataclass(frozen=True)
class Saved:
    """The checkpoint that is on disk."""

    epoch: float
    sha256: str
    temperature: float


def run_training(
    recipe: Recipe,
    *,
    data: Path | None,
    run: Path,
    lists: str | None = None,
    audio: AudioSource | None = None,
    resume: bool = False,
    device: str = "auto",
    threads: int | None = None,
) -> Path:
    """Train in the folder `run`; returns the path of its `<architecture>.safetensors`.

    lists: of GTZAN, by default the fault-filtered ones; audio: to train on instead of the data folder. The
    best checkpoint so far is there after each epoch, however the run ends.
    """
    # Before songs are decoded: that may take hours.
    check_network(recipe)
    check_folder(run, recipe, resume=resume)
    if threads is not None:
        torch.set_num_threads(threads)
    keep_memory()
    where = choose_device(device)
    code = code_sha256()  # of what has been imported, whatever is edited while it runs
    console = Console(stderr=True)

    def say(sentence: str) -> None:
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)

    left_out = LeftOutFiles(say=say)
    try:
        training = load_training_data(data, lists=lists, audio=audio, seed=recipe.seed, say=left_out)
    except GenreWizError:
        left_out.say_all()  # there is no run whose folder would keep them
        raise
    sizes = sizes_of(recipe, training.songs.genres)
    provenance = training.provenance()
    path = run / f"{recipe.architecture}.safetensors"
    saved: Saved | None = None

    made_of = {**provenance, "code_sha256": code}

    def keep_best(progress: Progress) -> None:
        nonlocal saved
        if saved is None or saved.epoch != progress.best["epoch"]:
            written = save_checkpoint(path, _checkpoint(recipe, progress, training, made_of))
            saved = Saved(progress.best["epoch"], written.identity.sha256, written.temperature)

    try:
        with (
            run_folder(run, recipe, provenance, resume=resume),
            _bar(console, recipe) as show,
            Records(run) as records,
        ):
            left_out.keep(run / LEFT_OUT)

            def report(progress: Progress) -> None:
                keep_best(progress)
                records.add(progress.history)
                show(progress.history[-1])

            progress = train(
                recipe=recipe,
                code=code,
                sizes=sizes,
                songs=training.songs,
                valid=training.valid,
                run=run,
                device=where,
                resume=resume,
                report=report,
            )
    except KeyboardInterrupt:
        say(f"Interrupted. {GO_ON.format(run)}")
        raise
    except UnwritableFile as error:
        raise UnwritableFile(f"{error.detail} Make room. {GO_ON.format(run)}") from error
    except TrainingStopped as error:
        raise TrainingStopped(f"{error.detail} {_kept(path, saved)}") from error
    say(_end(progress, recipe))
    if saved is not None:
        if is_at_an_end(saved.temperature):
            say(
                f"Its temperature is {saved.temperature:.2f}, at the end of what is tried: its "
                "probabilities are not calibrated."
            )
        say(f"{path}  sha256 {saved.sha256}")
    return path


@contextmanager
def _bar(console: Console, recipe: Recipe) -> Iterator[Callable[[Row], None]]:
    """A line for each epoch, and on a terminal a bar below them; gives what is told of an epoch."""
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("epochs", total=recipe.epochs)

        def show(row: Row) -> None:
            console.print(_line(row, recipe), highlight=False, soft_wrap=True)
            bar.update(task, completed=row["epoch"])

        yield show


def _checkpoint(  # what a checkpoint is made of
    recipe: Recipe, progress: Progress, training: TrainingData, made_of: Mapping[str, Any]
) -> Checkpoint:
    """The best epoch's weights with the temperature that fits the validation list."""
    logits, valid = progress.best_logits, training.valid
    temperature = fit_temperature(logits, valid.labels)
    scores = score(logits, valid.labels, valid.genres, temperature=temperature)
    features = FeatureSettings()
    return Checkpoint(
        identity=ModelIdentity(name=recipe.architecture, version=VERSION, sha256=""),
        architecture=recipe.architecture,
        sizes=sizes_of(recipe, training.songs.genres),
        genres=training.songs.genres,
        features=features,
        mel_filterbank=mel_filterbank(features),
        temperature=temperature,
        weights=progress.best_weights,
        metrics={
            "valid_accuracy": scores.accuracy,
            "valid_macro_f1": scores.macro_f1,
            "valid_nll": scores.nll,
            "valid_ece": scores.ece,
        },
        provenance={
            "seed": recipe.seed,
            "recipe": asdict(recipe),
            "epoch": int(progress.best["epoch"]),
            **made_of,
            "torch": torch.__version__,
        },
    )


def _kept(path: Path, saved: Saved | None) -> str:
    """What is left of a run that stopped, and what to try."""
    if saved is None:
        return "No epoch was finished; try a lower learning_rate."
    return (
        f"The best checkpoint before it, of epoch {saved.epoch:.0f}, is {path}. "
        "--resume would stop at the same place again: try a lower learning_rate in another --output."
    )


def code_sha256() -> str:
    """Hash of the sources that decide the weights."""
    digest = hashlib.sha256()
    for source in decisive_sources():
        digest.update(source.read_bytes())
    return digest.hexdigest()


def decisive_sources() -> list[Path]:
    """The files of code that decide the weights: what hears songs, what reads them, what learns."""
    heard, learning = Path(worker.model.__file__).parent, Path(__file__).parent
    songs = sorted((learning.parent / "songs").glob("*.py"))
    return [
        *(heard / f"{name}.py" for name in HEARD),
        *songs,
        *(learning / f"{name}.py" for name in DECISIVE),
    ]


def _end(progress: Progress, recipe: Recipe) -> str:
    """How a run ended and which of its epochs is kept."""
    best = progress.best
    early = f" early, {recipe.patience} epochs without a better one" if progress.epoch < recipe.epochs else ""
    return (
        f"Ended{early} after epoch {progress.epoch}. Kept is epoch {best['epoch']:.0f}: valid accuracy "
        f"{best['valid_accuracy']:.3f}  macro-F1 {best['valid_macro_f1']:.3f}  nll {best['valid_nll']:.3f}"
    )


def _line(row: Row, recipe: Recipe) -> str:
    return (
        f"epoch {row['epoch']:.0f}/{recipe.epochs}  loss {row['train_loss']:.3f}  "
        f"valid accuracy {row['valid_accuracy']:.3f}  macro-F1 {row['valid_macro_f1']:.3f}  "
        f"nll {row['valid_nll']:.3f}  {row['seconds']:.1f} s"
    )
