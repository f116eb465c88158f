"""`make evaluation`: from the data folder to the figures that the documents quote.

Trains what a release lacks, scores it, and writes docs/evaluation.json with the page, the pictures and the
figures of the model card that are made from it, and each training's epochs. It chooses nothing by what it
finds on a test list.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from shared.errors import GenreWizError, SetupError
from shared.model_card import figures_path
from worker.checkpoint import RELEASED, load_checkpoint
from worker.device import choose_device
from worker.training.evaluation.outputs import json_text, write_all
from worker.training.evaluation.pictures import pictured, pictures_of
from worker.training.learning.recipe import RECIPES, Recipe
from worker.training.learning.run import run_training
from worker.training.release.publication_page import PICTURES, card_figures, publication_page, with_figures
from worker.training.release.release_figures import (
    Bench,
    check_released,
    chosen_seed,
    figures,
    finished_runs,
)
from worker.training.release.release_runs import Run, release_runs, train_missing
from worker.training.release.served_figures import served_figures
from worker.training.songs.gtzan import find_data, load_gtzan

COMMAND = "make evaluation"


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where a release lies."""

    runs: Path  # a folder for each training
    docs: Path
    released: Path = RELEASED

    @property
    def card(self) -> Path:
        """The model card."""
        return self.docs / "model-card.md"


def publish(
    places: Places,
    *,
    data: Path | None,
    recipes: Mapping[str, Recipe] = RECIPES,
    score_only: bool = False,
    release: bool = False,
    device: str = "auto",
    threads: int | None = None,
    say: Callable[[str], None] = typer.echo,
) -> dict[str, Any]:  # JSON
    """Everything, in order; returns what docs/evaluation.json holds."""
    folder = find_data(data)
    plan = release_runs(recipes)
    if not score_only:

        def start(run: Run, output: Path) -> None:
            say(f"Trains {run.name} on the lists {run.lists}.")
            run_training(
                run.recipe,
                data=folder,
                run=output,
                lists=run.lists,
                resume=(output / "recipe.toml").exists(),
                device=device,
                threads=threads,
            )

        train_missing(places.runs, plan, start)

    found = finished_runs(plan, places.runs)
    missing = [run.name for run in plan if run.name not in found]
    if missing:
        say(f"Not finished, and not in the figures: {', '.join(missing)}.")
    bench = Bench(gtzan=load_gtzan(folder), device=choose_device(device), say=say)
    chosen, losses = chosen_seed(found, bench)
    if release:
        _release(found[chosen].run.checkpoint(places.runs), places.released)
        say(f"{chosen} is the released checkpoint: its NLL on the validation list is the lowest.")
    check_released(load_checkpoint(places.released), chosen, found)
    card = _card(places)  # before a test list is looked at for nothing
    written = figures(found, chosen, losses, folder / "original" / "model.pth", bench)
    epochs = _trainings(places, list(found), chosen)
    return _write({"command": COMMAND, **written, "missing": missing}, places, card, epochs)


def _release(checkpoint: Path, released: Path) -> None:
    """The same bytes under the name of the released one, their hash beside them."""
    digest = load_checkpoint(checkpoint).identity.sha256
    write_all(
        {
            released: checkpoint.read_bytes(),
            released.with_name(f"{released.name}.sha256"): f"{digest}  {released.name}\n".encode(),
        }
    )


def _card(places: Places) -> str:
    """The model card with room for figures."""
    try:
        card = places.card.read_text(encoding="utf-8")
    except OSError as error:
        raise SetupError(f"{places.card} cannot be read: {error.strerror}.") from error
    return with_figures(card, "")


def _trainings(places: Places, names: list[str], chosen: str) -> dict[Path, bytes]:
    """The epochs of every training, and the recipe of the released one, as files of docs/training."""
    folder = places.docs / "training"
    try:
        epochs = {folder / f"{name}.csv": (places.runs / name / "metrics.csv").read_bytes() for name in names}
        return epochs | {folder / "recipe.toml": (places.runs / chosen / "recipe.toml").read_bytes()}
    except OSError as error:
        raise SetupError(f"{error.filename} cannot be read: {error.strerror}.") from error


def _write(
    written: dict[str, Any], places: Places, card: str, trainings: dict[Path, bytes]
) -> dict[str, Any]:
    """The JSON, and what is made from it alone: as it reads back, rounded."""
    text = json_text(written | {"pictures": list(PICTURES)})
    written = json.loads(text)
    drawn = pictures_of(pictured(written, "test_filtered"))
    write_all(
        {
            places.docs / "evaluation.json": text.encode(),
            places.docs / "evaluation.md": publication_page(written).encode(),
            places.card: with_figures(card, card_figures(written)).encode(),
            figures_path(places.released): served_figures(written).encode(),
        }
        | {places.docs / "evaluation" / name: picture for name, picture in drawn.items()}
        | trainings
    )
    return written


def main(  # one parameter for each option
    *,
    runs: Annotated[Path, typer.Option("--runs", help="A folder for each training.")] = Path("runs/release"),
    data: Annotated[
        Path | None,
        typer.Option("--data", envvar="GENREWIZ_DATA", help="By default the folder beside the checkout."),
    ] = None,
    docs: Annotated[Path, typer.Option("--docs", help="Where the figures go.")] = Path("docs"),
    score_only: Annotated[
        bool, typer.Option("--score-only", help="Train nothing: score what is finished, say what is missing.")
    ] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Make the best seed on validation the released checkpoint.")
    ] = False,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option("--device")] = "auto",
    threads: Annotated[int | None, typer.Option("--threads", min=1, max=1024, help="CPU threads.")] = None,
) -> None:
    """Train what a release lacks, score it, and write the figures that the documents quote."""
    try:
        publish(
            Places(runs=runs, docs=docs),
            data=data,
            score_only=score_only,
            release=release,
            device=device,
            threads=threads,
        )
    except GenreWizError as error:
        typer.echo(f"publication: {error}", err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
