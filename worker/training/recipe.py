"""The released recipe's numbers as one value, from a TOML file and `--set key=value`.

Values alone: what they do is in `train.py` and `augment.py`.
"""

import dataclasses
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.errors import SetupError


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a checkpoint is trained. Everything random in a run follows from `seed`."""

    architecture: str = "pcrnn"
    seed: int = 0
    epochs: int = 140
    patience: int = 40  # epochs without a better validation macro-F1 after which training stops
    batch_size: int = 16  # songs
    learning_rate: float = 2e-3  # at its highest
    warmup_epochs: int = 4  # epochs in which it rises from 0; then it falls as a cosine to 0
    weight_decay: float = 2e-2
    label_smoothing: float = 0.1
    precision: str = "bfloat16"  # of the network's products, or "float32"; the weights are always float32
    average_decay: float = 0.995  # share of the running average of weights that a step keeps
    mixup: float = 0.4  # the largest share of another song in a mixed one

    fill_scale: float = 0.2  # the drawn frames' roughness is scaled by 1 +- this
    stretch: float = 0.08  # the tempo is changed by up to this share
    pitch_bands: float = 2.5  # mel bands that a song is shifted up or down at most
    smoothing: float = 0.25  # the largest weight of either neighbour in time
    tilt_db: float = 8.0  # dB that the highest band gains or loses against the lowest
    equaliser_db: float = 2.5  # dB, standard deviation of a smooth curve over the bands
    compression: float = (
        0.5  # share of the difference between loud and quiet frames that is taken away at most
    )
    noise_floor_db: float = -50.0  # the highest noise floor under a window's maximum
    time_masks: int = 2
    time_mask_frames: int = 80
    band_masks: int = 2
    band_mask_bands: int = 16


def load_recipe(config: Path | None, assignments: Iterable[str], **options: object) -> Recipe:
    """The defaults, then the TOML file, then `key=value` assignments, then options that are not None."""
    given: dict[str, object] = {}
    if config is not None:
        given |= _read(config)
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise SetupError(f"--set takes key=value, and {assignment!r} has no equals sign.")
        given[key.strip()] = value.strip()
    given |= {key: value for key, value in options.items() if value is not None}
    return recipe_from(given)


def recipe_from(given: Mapping[str, object]) -> Recipe:
    """A recipe with these values; SetupError names the first key or value that does not fit."""
    defaults = dataclasses.asdict(Recipe())
    values: dict[str, object] = {}
    for key, value in given.items():
        if key not in defaults:
            raise SetupError(f"A recipe has no {key!r}; it has {', '.join(defaults)}.")
        kind = type(defaults[key])
        try:
            values[key] = kind(value)
        except (TypeError, ValueError) as error:
            raise SetupError(f"{key} is {value!r}, which is no {kind.__name__}.") from error
    return Recipe(**values)  # type: ignore[arg-type]  # each value has just been made its field's type


def as_toml(recipe: Recipe) -> str:
    """The recipe as a TOML file that `load_recipe` reads back."""
    lines = []
    for key, value in dataclasses.asdict(recipe).items():
        lines.append(f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}")
    return "\n".join(lines) + "\n"


def _read(config: Path) -> dict[str, object]:
    try:
        return tomllib.loads(config.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SetupError(f"The recipe {config} cannot be read as TOML: {error}.") from error
