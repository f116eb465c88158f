"""A run's folder: for one run alone, one process at a time.

Another run's state is neither overwritten nor gone on with, and what lies there that is no run's stays.
"""

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shared.errors import SetupError, UnwritableFile
from worker.training.learning.recipe import Recipe, as_toml, load_recipe
from worker.whole_file import write_whole

RECIPE, DATA, STATE, LOCK = "recipe.toml", "data.json", "state.pt", "lock"
LEFT_OUT = "left_out.txt"


def check_folder(run: Path, recipe: Recipe, *, resume: bool) -> None:
    """SetupError where the folder is not for a run of this recipe; that of other songs is refused later."""
    _check(run, resume=resume)
    _check_recipe(run, recipe)


@contextmanager
def run_folder(run: Path, recipe: Recipe, provenance: Mapping[str, Any], *, resume: bool) -> Iterator[None]:
    """The folder made ready and held until the end; SetupError where it is not for this run."""
    _check(run, resume=resume)
    with _locked(run):
        _check(run, resume=resume)
        _prepare(run, recipe, json.dumps(provenance, indent=2).encode() + b"\n")
        yield


def _check(run: Path, *, resume: bool) -> None:
    if (run / STATE).exists():
        if not resume:
            raise SetupError(f"{run} holds a run already; go on with --resume or name another --output.")
        return
    if resume and not (run / RECIPE).exists():
        raise SetupError(f"{run} holds no run to go on with; leave --resume out to begin one.")
    if run.exists() and not run.is_dir():
        raise SetupError(f"{run} is no folder; name another --output.")
    # A run that was ended in its first epoch leaves these behind.
    others = sorted(each.name for each in run.iterdir() if not _is_begun(each)) if run.exists() else []
    if others:
        raise SetupError(f"{run} holds {others[0]} and no run's state; name an empty or a new --output.")


def _is_begun(path: Path) -> bool:
    return path.name in (RECIPE, DATA, LOCK, LEFT_OUT) or path.name.endswith(".partial")


@contextmanager
def _locked(run: Path) -> Iterator[None]:
    """Held by this process; the kernel lets go however it ends."""
    try:
        run.mkdir(parents=True, exist_ok=True)
        lock = (run / LOCK).open("w")
    except OSError as error:
        raise UnwritableFile(f"{run} cannot be made a run's folder: {error.strerror}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SetupError(f"Another process is training in {run}; name another --output.") from error
        yield


def _check_recipe(run: Path, recipe: Recipe) -> None:
    settings = run / RECIPE
    if settings.exists() and (begun := load_recipe(settings, [])) != recipe:
        key = next(key for key, value in vars(recipe).items() if vars(begun)[key] != value)
        raise SetupError(
            f"{run} was begun with another recipe: {key} was {vars(begun)[key]!r} and is "
            f"{vars(recipe)[key]!r} now. Name another --output."
        )


def _prepare(run: Path, recipe: Recipe, songs: bytes) -> None:
    _check_recipe(run, recipe)
    settings, data = run / RECIPE, run / DATA
    # Other songs, or another split of them, would bring songs that were trained on into the validation.
    if data.exists() and data.read_bytes() != songs:
        raise SetupError(f"{run} was begun with other songs or another split; {data} has them.")
    write_whole(settings, as_toml(recipe).encode())
    write_whole(data, songs)
