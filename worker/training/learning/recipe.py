"""The recipes' numbers as one value: the two that we have, changed by a TOML file and `--set key=value`.

Values alone, checked: what they do is in `train.py`, `schedule.py` and `augment.py`.
"""

import dataclasses
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.errors import SetupError


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a checkpoint is trained; the defaults are the released recipe.

    Everything random in a run follows from `seed`.
    """

    architecture: str = "pcrnn"
    width: float = 1.0  # of the CNN: its channels are multiplied by it
    kernel: int = 3  # of the convolutions but the first, odd
    gru_units: int = 64  # in each direction
    gru_summary: str = "mean+max"  # what is kept of the GRU's outputs over time
    dropout: float = 0.3  # of the last layer's inputs

    seed: int = 0
    epochs: int = 160
    patience: int = 60  # epochs without a better validation macro-F1 after which training stops; 0: never
    batch_size: int = 16  # songs
    optimizer: str = "adamw"  # or "rmsprop"
    schedule: str = "cosine"  # of the learning rate, or "plateau"
    learning_rate: float = 2e-3  # at its highest
    warmup_epochs: int = 4  # cosine: epochs in which it rises from 0; then it falls as a cosine to 0
    plateau_epochs: int = 10  # plateau: epochs without a better validation accuracy after which it falls
    plateau_factor: float = 0.5  # plateau: to this share of what it was
    weight_decay: float = 2e-2
    gradient_norm: float = 1.0  # longer gradients are shortened to it; 0: none are
    label_smoothing: float = 0.1
    branch_loss: float = 0.5  # weight of the loss of each branch's own answer beside the joint one's
    precision: str = "bfloat16"  # of the network's products, or "float32"; the weights are always float32
    crop_frames: int = 320  # that are learned from at a time, at half the cost of a window; 0: whole windows
    whole_share: float = 0.2  # share of the epochs, the last, that learn from whole windows all the same
    average_decay: float = 0.995  # share of the running average of weights that a step keeps
    mixup: float = 0.4  # the largest share of another song in a mixed one

    fill_scale: float = 0.2  # the drawn frames' roughness is scaled by 1 +- this
    stretch: float = 0.08  # the tempo is changed by up to this share
    roll: float = 1.0  # the largest share of a window that its beginning is moved by
    pitch_bands: float = 2.5  # mel bands that a song is shifted up or down at most
    smoothing: float = 0.25  # the largest weight of either neighbour in time
    tilt_db: float = 8.0  # dB that the highest band gains or loses against the lowest
    equaliser_db: float = 2.5  # dB, standard deviation of a smooth curve over the bands
    compression: float = (
        0.5  # share of the difference between loud and quiet frames that is taken away at most
    )
    noise_floor_db: float = -50.0  # the highest noise floor under a window's maximum; -80: none
    coding: float = 0.5  # share of songs that come as if resampled, low-passed and lossily coded
    time_masks: int = 2
    time_mask_frames: int = 80
    band_masks: int = 2
    band_mask_bands: int = 16


# The original report's: RMSProp at 5e-4, cross-entropy, 120 epochs or more, the learning rate moved when
# accuracy plateaus or swings. It varies nothing, but gaps of rebuilt spectrograms are filled as everywhere.
# It runs to its end even if validation stands still: its figure is of what the design can do in its time.
ORIGINAL = Recipe(
    architecture="pcrnn-original",
    epochs=150,
    patience=0,
    optimizer="rmsprop",
    schedule="plateau",
    learning_rate=5e-4,
    warmup_epochs=0,
    weight_decay=0.0,
    gradient_norm=0.0,
    label_smoothing=0.0,
    branch_loss=0.0,
    precision="float32",
    crop_frames=0,
    average_decay=0.0,
    mixup=0.0,
    fill_scale=0.0,
    stretch=0.0,
    roll=0.0,
    pitch_bands=0.0,
    smoothing=0.0,
    tilt_db=0.0,
    equaliser_db=0.0,
    compression=0.0,
    noise_floor_db=-80.0,
    coding=0.0,
    time_masks=0,
    band_masks=0,
)

RECIPES: Mapping[str, Recipe] = {"released": Recipe(), "original": ORIGINAL}

WORDS: Mapping[str, tuple[str, ...]] = {
    "optimizer": ("adamw", "rmsprop"),
    "schedule": ("cosine", "plateau"),
    "precision": ("bfloat16", "float32"),
    "gru_summary": ("mean", "max", "last", "mean+max"),
}
LEAST: Mapping[str, float] = {
    "epochs": 1,
    "batch_size": 2,
    "plateau_epochs": 1,
    "width": 0.1,
    "kernel": 1,
    "gru_units": 1,
    "noise_floor_db": -80,
}
"""Of numbers whose least value is not 0."""
MOST: Mapping[str, float] = {
    "seed": 2**32 - 1,
    "epochs": 100_000,
    "patience": 100_000,
    "batch_size": 4096,
    "learning_rate": 1,
    "warmup_epochs": 100_000,
    "plateau_epochs": 100_000,
    "plateau_factor": 0.999,  # 1 would never lower the learning rate
    "weight_decay": 10,
    "gradient_norm": 1e6,
    "width": 3,
    "kernel": 9,
    "gru_units": 256,
    "dropout": 0.9,
    "crop_frames": 640,
    "whole_share": 1,
    "branch_loss": 10,
    "label_smoothing": 1,
    "average_decay": 0.99999,  # 1 would keep the first weights for ever
    "mixup": 1,
    "fill_scale": 1,
    "stretch": 0.9,
    "roll": 1,
    "pitch_bands": 64,
    "smoothing": 0.5,
    "tilt_db": 80,
    "equaliser_db": 80,
    "compression": 1,
    "noise_floor_db": 0,
    "coding": 1,
    "time_masks": 100,
    "time_mask_frames": 640,
    "band_masks": 100,
    "band_mask_bands": 128,
}
"""Of every number, so that none runs over."""


def load_recipe(
    config: Path | None, assignments: Iterable[str], *, recipe: str = "released", **options: object
) -> Recipe:
    """The recipe, then the TOML file, then `key=value` assignments, then options that are not None."""
    given: dict[str, object] = {}
    if config is not None:
        given |= _read(config)
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise SetupError(f"--set takes key=value, and {assignment!r} has no equals sign.")
        given[key.strip()] = value.strip()
    given |= {key: value for key, value in options.items() if value is not None}
    return recipe_from(given, base=RECIPES[recipe])


def recipe_from(given: Mapping[str, object], *, base: Recipe = RECIPES["released"]) -> Recipe:
    """The base with these values; SetupError names the first key or value that does not fit."""
    before = dataclasses.asdict(base)
    values: dict[str, object] = {}
    for key, value in given.items():
        if key not in before:
            raise SetupError(f"A recipe has no {key!r}; it has {', '.join(before)}.")
        values[key] = _typed(key, value, type(before[key]))
        _check(key, values[key])
    return dataclasses.replace(base, **values)  # type: ignore[arg-type]  # each has been made its field's type


def as_toml(recipe: Recipe) -> str:
    """The recipe as a TOML file that `load_recipe` reads back."""
    lines = []
    for key, value in dataclasses.asdict(recipe).items():
        lines.append(f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}")
    return "\n".join(lines) + "\n"


def _typed(key: str, value: object, kind: type) -> object:
    """Text, as a command line has it, is read; a file's value must be of its kind already."""
    try:
        if isinstance(value, str) or (kind is float and type(value) is int):
            value = kind(value)
    except ValueError:
        pass
    if type(value) is not kind:
        raise SetupError(f"{key} is {value!r}, which is no {kind.__name__}.")
    return value


def _check(key: str, value: object) -> None:
    if isinstance(value, str):
        if value not in WORDS.get(key, (value,)):
            raise SetupError(f"{key} is {value!r}; it can be {' or '.join(WORDS[key])}.")
    elif isinstance(value, int | float):
        least, most = LEAST.get(key, 0), MOST[key]
        if not least <= value <= most:  # nor is nan between them
            raise SetupError(f"{key} is {value}; it must be from {least} to {most}.")


def _read(config: Path) -> dict[str, object]:
    try:
        return tomllib.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # TOML's errors and those of UTF-8 are ValueErrors
        raise SetupError(f"The recipe {config} cannot be read as TOML: {error}.") from error
