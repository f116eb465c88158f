"""`genrewiz train` and `genrewiz evaluate`.

Light: whatever is heavy is imported inside the commands, so that `genrewiz --help` stays quick.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar="GENREWIZ_DATA",
        help="The data folder; by default the one beside the checkout.",
    ),
]
Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option("--device", help="Where the model runs.")]
Cache = Annotated[
    Path | None,
    typer.Option("--cache", help="Keeps the features of audio; by default ~/.cache/genrewiz/features."),
]
Threads = Annotated[
    int | None, typer.Option("--threads", min=1, max=1024, help="CPU threads; by default all cores.")
]


def train(  # noqa: PLR0913  # one parameter for each option
    *,
    data: Data = None,
    lists: Annotated[
        Literal["filtered", "fold1", "fold2", "fold3"] | None,
        typer.Option("--lists", help="The lists of GTZAN that split the songs; by default filtered."),
    ] = None,
    audio: Annotated[
        Path | None,
        typer.Option("--audio", metavar="DIR", help="Train on audio, in one subfolder a genre."),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option("--groups", help="A CSV with columns file,group: no group (artist) validates itself."),
    ] = None,
    random_split: Annotated[
        bool, typer.Option("--random-split", help="Split --audio at random, which leaks.")
    ] = False,
    cache: Cache = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="The run's folder; by default runs/ARCHITECTURE.")
    ] = None,
    recipe_name: Annotated[
        Literal["released", "original"],
        typer.Option("--recipe", help="Ours, or the original report's."),
    ] = "released",
    config: Annotated[
        Path | None, typer.Option("--config", help="A TOML file that changes values of the recipe.")
    ] = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one value of the recipe.")
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="The most epochs.")] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="All that is random follows from it.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the run in --output stopped.")
    ] = False,
    device: Device = "auto",
    threads: Threads = None,
) -> None:
    """Train a checkpoint: on lists of GTZAN, or on a folder of audio by genre."""
    # Threads that spin while they wait for each other take the core that the slowest needs: on a machine that
    # has other work, an epoch took twenty times as long. Read when torch is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from shared.errors import GenreWizError
    from worker.training.learning.recipe import load_recipe
    from worker.training.learning.run import run_training
    from worker.training.songs.sources import audio_source

    try:
        recipe = load_recipe(config, assignments or [], recipe=recipe_name, epochs=epochs, seed=seed)
        run_training(
            recipe,
            data=data,
            lists=lists,
            audio=audio_source(audio, groups=groups, random_split=random_split, cache=cache),
            run=output or Path("runs") / recipe.architecture,
            resume=resume,
            device=device,
            threads=threads,
        )
    except GenreWizError as error:
        _refuse(error)


def evaluate(  # noqa: PLR0913  # one parameter for each option
    checkpoint: Annotated[
        Path | None, typer.Argument(help="A checkpoint; by default the released one.")
    ] = None,
    *,
    data: Data = None,
    audio: Annotated[
        Path | None, typer.Option("--audio", metavar="DIR", help="Score on audio, in one subfolder a genre.")
    ] = None,
    cache: Cache = None,
    split: Annotated[Literal["test", "valid"], typer.Option("--list", help="The list to score on.")] = "test",
    lists: Annotated[
        Literal["filtered", "fold1", "fold2", "fold3"] | None,
        typer.Option("--lists", help="Whose list; by default of those that the checkpoint was trained on."),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**32 - 1, help="Fills the gaps of the spectrograms.")
    ] = 0,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write figures and answers here, as JSON.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", help="Write what is printed here too.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", help="A folder for confusion, reliability and coverage.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="Figures as JSON; status 1 unless every song's answer is reproduced."),
    ] = None,
    device: Device = "auto",
    threads: Threads = None,
) -> None:
    """Score a checkpoint on a list of GTZAN and songs with real audio, or on a folder of audio by genre.

    Never on songs that it was trained on, as far as it can tell.
    """
    from shared.errors import GenreWizError
    from worker.training.evaluation.evaluate import Wanted, run_evaluation

    try:
        run_evaluation(
            checkpoint,
            data=data,
            audio=audio,
            cache=cache,
            split=split,
            lists=lists,
            seed=seed,
            wanted=Wanted(json=json_file, markdown=markdown, pictures=pictures, against=against),
            device=device,
            threads=threads,
        )
    except GenreWizError as error:
        _refuse(error)


def _refuse(error: Exception) -> None:
    """One line and status 1: what is missing is no bug, so no traceback."""
    typer.echo(f"genrewiz: {error}", err=True)
    raise typer.Exit(1)
