"""What a checkpoint says of itself, and what was measured of it: read without the libraries that run it.

It loads no weights, and checks no more than it shows: `worker/checkpoint.py` does.
"""

import hashlib
import json
import math
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import CheckpointError

RELEASED: Final = Path(__file__).parents[1] / "worker" / "checkpoints" / "pcrnn.safetensors"
"""The checkpoint that is used where none is named."""
HEADER: Final = "genrewiz"
"""Key of the JSON among the file's metadata."""
WEIGHTS: Final = "weights."
"""Prefix of the network's tensors."""
_COUNTED_ALONG: Final = ("running_mean", "running_var", "num_batches_tracked")
"""What batch norm keeps and no training fits."""

Share = Annotated[float, Field(ge=0, le=1)]
Interval = Annotated[tuple[float, float], Field(description="The lower and the upper end.")]


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True)


class GenreFigures(_Facts):
    """How well one genre is told."""

    genre: str
    songs: int
    precision: Share = Field(description="Of the songs that are called so, the share that is.")
    recall: Share = Field(description="Of the songs that are so, the share that is called so.")
    f1: Share


class ListFigures(_Facts):
    """What was measured on one list of songs."""

    list: str = Field(
        description="`test_filtered` chose nothing; `valid_filtered` chose the epoch and the temperature."
    )
    songs: int
    accuracy: Share
    accuracy_interval: Interval = Field(description="95 %, over songs.")
    macro_f1: Share
    macro_f1_interval: Interval
    top_3: Share = Field(description="The share whose genre is among the three likeliest.")
    nll: float = Field(ge=0, description="Mean negative log-likelihood.")
    brier: float = Field(ge=0)
    ece: Share = Field(description="Expected calibration error, over ten bins of equal mass.")
    ece_if_calibrated: Interval = Field(
        description="Where the ECE of a perfectly calibrated model lies on so many songs, 95 %."
    )
    genres: tuple[GenreFigures, ...]


class Threshold(_Facts):
    """A `min_confidence` that was chosen on the validation list, and what it does on the test list."""

    min_confidence: Share
    coverage: Share = Field(description="The share of songs that get an answer.")
    accuracy: Share = Field(description="The share of those answers that are right.")


class OverSeeds(_Facts):
    """The accuracy of the same recipe, trained with several seeds, on the test list."""

    seeds: int
    mean: Share
    interval: Interval | None = Field(description="95 %, of the mean; null of one seed alone.")


class Measured(_Facts):
    """Accuracy and calibration, as `make evaluation` found them."""

    lists: tuple[ListFigures, ...]
    recommended: Threshold | None = None
    accuracy_over_seeds: OverSeeds | None = None


class Figures(_Facts):
    """The file beside a checkpoint: what was measured of the one with this hash."""

    sha256: str
    measured: Measured


class Window(_Facts):
    """What the model hears at once."""

    seconds: float = Field(gt=0)
    hop_seconds: float = Field(gt=0, description="From the start of one window to that of the next.")
    frames: int
    mel_bands: int
    sample_rate: int = Field(description="Hz; every song is resampled to it.")


class TrainedOn(_Facts):
    """The songs that training saw."""

    songs: int
    songs_per_genre: dict[str, int]
    split: str | None = None
    data_sha256: str | None = None


class ModelCard(_Facts):
    """A model that jobs can be asked of: what it is, what it hears, and how good it was found to be."""

    name: str = Field(description="As `options.model` names it.", examples=["pcrnn"])
    version: str
    sha256: str = Field(
        description="Of the checkpoint; a job's `model.sha256` is this where this model answered."
    )
    architecture: str
    parameters: int = Field(description="Numbers that training fits.")
    genres: tuple[str, ...] = Field(description="In the order of a timeline's `probabilities`.")
    window: Window
    temperature: float = Field(
        gt=0, description="Logits are divided by it, so that probabilities are calibrated."
    )
    trained_on: TrainedOn | None = Field(description="null where the checkpoint does not say.")
    measured: Measured | None = Field(description="null where nobody has measured this checkpoint.")


def figures_path(checkpoint: Path) -> Path:
    """Where the figures of a checkpoint lie."""
    return checkpoint.with_suffix(".figures.json")


def safetensors_header(data: bytes) -> dict[str, Any]:
    """The JSON that such a file begins with, behind its length in 8 bytes; ValueError where there is none."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    if not isinstance(header, dict):
        raise ValueError("the header is no object")
    return header


def read_model_card(checkpoint: Path) -> ModelCard:
    """The card of this checkpoint; CheckpointError says in a sentence why there is none."""
    try:
        data = checkpoint.read_bytes()
    except OSError as error:
        raise CheckpointError(f"The checkpoint {checkpoint} cannot be read: {error.strerror}.") from error
    digest = hashlib.sha256(data).hexdigest()
    try:
        tensors = safetensors_header(data)
        header = json.loads(tensors["__metadata__"][HEADER])
        features = header["features"]
        frame_seconds = features["hop_length"] / features["sample_rate"]
        return ModelCard(
            name=header["name"],
            version=header["version"],
            sha256=digest,
            architecture=header["architecture"],
            parameters=_parameters(tensors),
            genres=header["genres"],
            window=Window(
                seconds=round(features["window_frames"] * frame_seconds, 3),
                hop_seconds=round(features["window_hop_frames"] * frame_seconds, 3),
                frames=features["window_frames"],
                mel_bands=features["n_mels"],
                sample_rate=features["sample_rate"],
            ),
            temperature=header["temperature"],
            trained_on=_trained_on(header["provenance"]),
            measured=_measured(figures_path(checkpoint), digest),
        )
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise CheckpointError(f"{checkpoint} is damaged or is no GenreWiz checkpoint.") from error


def _parameters(tensors: dict[str, Any]) -> int:
    return sum(
        math.prod(tensor["shape"])
        for name, tensor in tensors.items()
        if name.startswith(WEIGHTS) and name.rpartition(".")[2] not in _COUNTED_ALONG
    )


def _trained_on(provenance: dict[str, Any]) -> TrainedOn | None:
    counts = provenance.get("songs_per_genre")
    if not counts:
        return None
    return TrainedOn(
        songs=sum(counts.values()),
        songs_per_genre=counts,
        split=provenance.get("split"),
        data_sha256=provenance.get("data_sha256"),
    )


def _measured(path: Path, digest: str) -> Measured | None:
    """None where there are no figures, or those of another checkpoint."""
    try:
        figures = Figures.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise CheckpointError(f"The figures {path} cannot be read.") from error
    return figures.measured if figures.sha256 == digest else None
