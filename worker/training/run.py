"""One training run from the data folder to a checkpoint in the run's folder.

Joins the parts: `train.py` has the loop. It looks at the train and valid lists and at no test list.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

import worker.model
from shared.classification import ModelIdentity
from shared.errors import SetupError, TrainingStopped, UnwritableFile
from worker.checkpoint import Checkpoint, save_checkpoint
from worker.device import choose_device
from worker.features import FeatureSettings
from worker.model import RELEASED_SIZES, Size
from worker.training.allocator import keep_memory
from worker.training.features import mel_filterbank
from worker.training.gtzan import find_data, load_gtzan
from worker.training.recipe import Recipe, as_toml, load_recipe
from worker.training.records import Records
from worker.training.scores import fit_temperature, score
from worker.training.songs import Songs
from worker.training.state import Progress, Row
from worker.training.train import train
from worker.whole_file import write_whole

VERSION = "0.1.0"  # of the checkpoints that this code trains
# Modules that decide the weights.
DECISIVE = ("augment", "fill", "gtzan", "recipe", "schedule", "scores", "songs", "state", "train")
SIZES: dict[str, dict[str, Size]] = {"pcrnn": dict(RELEASED_SIZES), "pcrnn-original": {}}
GO_ON = "The epochs that were finished are kept in {}: the same command with --resume goes on."


@dataclass(frozen=True)
class Saved:
    """The checkpoint that is on disk."""

    epoch: float
    sha256: str


def run_training(
    recipe: Recipe,
    *,
    data: Path | None,
    run: Path,
    resume: bool = False,
    device: str = "auto",
    threads: int | None = None,
) -> Path:
    """Train in the folder `run`; returns the path of its `<architecture>.safetensors`.

    The best checkpoint so far is there after each epoch, however the run ends.
    """
    if recipe.architecture not in SIZES:
        raise SetupError(f"No architecture is called {recipe.architecture!r}; there are {', '.join(SIZES)}.")
    if threads is not None:
        torch.set_num_threads(threads)
    keep_memory()
    where = choose_device(device)
    code = code_sha256()  # of what has been imported, whatever is edited while it runs
    gtzan = load_gtzan(find_data(data))
    # Rebuilt spectrograms alone: real audio is there for some genres more than for others, and its texture
    # would tell them apart.
    songs = gtzan.rebuilt.chosen(gtzan.listed("train"))
    valid = gtzan.rebuilt.chosen(gtzan.listed("valid"))
    _prepare(run, recipe, resume=resume)

    console = Console(stderr=True)
    path = run / f"{recipe.architecture}.safetensors"
    saved: Saved | None = None

    def keep_best(progress: Progress) -> None:
        nonlocal saved
        if saved is None or saved.epoch != progress.best["epoch"]:
            written = save_checkpoint(path, _checkpoint(recipe, progress, songs, valid, code))
            saved = Saved(progress.best["epoch"], written.identity.sha256)

    try:
        with _bar(console, recipe) as show, Records(run) as records:

            def report(progress: Progress) -> None:
                keep_best(progress)
                records.add(progress.history)
                show(progress.history[-1])

            train(
                recipe=recipe,
                sizes=SIZES[recipe.architecture],
                songs=songs,
                valid=valid,
                run=run,
                device=where,
                resume=resume,
                report=report,
            )
    except KeyboardInterrupt:
        console.print(f"Interrupted. {GO_ON.format(run)}", highlight=False, soft_wrap=True)
        raise
    except UnwritableFile as error:
        raise UnwritableFile(f"{error.detail} Make room. {GO_ON.format(run)}") from error
    except TrainingStopped as error:
        raise TrainingStopped(f"{error.detail} {_kept(path, saved)}") from error
    if saved is not None:
        console.print(f"{path}  sha256 {saved.sha256}", highlight=False, soft_wrap=True)
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


def _prepare(run: Path, recipe: Recipe, *, resume: bool) -> None:
    """A folder for this run alone: another run's state is neither overwritten nor gone on with."""
    settings = run / "recipe.toml"
    if (run / "state.pt").exists():
        if not resume:
            raise SetupError(f"{run} holds a run already; go on with --resume or name another --output.")
        if load_recipe(settings, []) != recipe:
            raise SetupError(f"{run} was begun with another recipe; {settings} has it.")
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableFile(f"{run} cannot be made a folder: {error.strerror}.") from error
    write_whole(settings, as_toml(recipe).encode())


def _checkpoint(  # what a checkpoint is made of
    recipe: Recipe, progress: Progress, songs: Songs, valid: Songs, code: str
) -> Checkpoint:
    """The best epoch's weights with the temperature that fits the validation list."""
    logits = progress.best_logits
    temperature = fit_temperature(logits, valid.labels)
    scores = score(logits, valid.labels, valid.genres, temperature=temperature)
    features = FeatureSettings()
    return Checkpoint(
        identity=ModelIdentity(name=recipe.architecture, version=VERSION, sha256=""),
        architecture=recipe.architecture,
        sizes=SIZES[recipe.architecture],
        genres=songs.genres,
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
            "data_sha256": songs.sha256(),
            "code_sha256": code,
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
    digest = hashlib.sha256(Path(worker.model.__file__).read_bytes())
    for name in DECISIVE:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()


def _line(row: Row, recipe: Recipe) -> str:
    return (
        f"epoch {row['epoch']:.0f}/{recipe.epochs}  loss {row['train_loss']:.3f}  "
        f"valid accuracy {row['valid_accuracy']:.3f}  macro-F1 {row['valid_macro_f1']:.3f}  "
        f"nll {row['valid_nll']:.3f}  {row['seconds']:.1f} s"
    )
