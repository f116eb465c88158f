"""One file holds all that an answer depends on: weights, features with their filterbank, genres, temperature.

A safetensors file whose header carries the rest as JSON. Reading one runs no code from it, needs no librosa,
and refuses whatever does not fit together; it does not choose a device.
"""

import dataclasses
import hashlib
import json
import math
import pickle
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as bytes_from_tensors
from torch import Tensor, nn

from shared import model_card
from shared.classification import ModelIdentity
from shared.errors import CheckpointError
from worker.features import FeatureSettings
from worker.model import ARCHITECTURES, PCRNN, Size, build_model
from worker.whole_file import write_whole

RELEASED = model_card.RELEASED

FORMAT = 1  # raised when a file of the old kind can no longer be read as the new one
HEADER = model_card.HEADER
FILTERBANK = "features.mel_filterbank"
WEIGHTS = model_card.WEIGHTS
UNREADABLE = (
    *(pickle.UnpicklingError, struct.error, RuntimeError, EOFError, AssertionError, OverflowError),
    *(TypeError, ValueError, LookupError, AttributeError),
)
"""What reading weights from a file of anything may raise."""
_FEATURES = TypeAdapter(FeatureSettings)
GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A model at rest, checked: its parts fit together."""

    identity: ModelIdentity
    architecture: str
    sizes: Mapping[str, Size]
    genres: tuple[str, ...]  # in the order of the logits
    features: FeatureSettings
    mel_filterbank: Tensor  # (mel bands, 1 + n_fft / 2)
    temperature: float  # divide logits by it before the softmax
    weights: Mapping[str, Tensor]
    metrics: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)  # JSON: seed, recipe, hashes of data and code

    def build(self) -> nn.Module:
        """The network with these weights, ready for inference on the CPU."""
        model = build_model(self.architecture, self.sizes)
        model.load_state_dict(self.weights)
        model.eval()
        if isinstance(model, PCRNN):
            model.fuse()
        # On a CPU the convolutions take half the time with the channels innermost.
        return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]  # torch types only the 4-D case


def load_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in this file; CheckpointError says in a sentence why there is none."""
    data = _read(path)
    digest = hashlib.sha256(data).hexdigest()
    _check_digest(path, digest)
    try:
        header = json.loads(_metadata(data)[HEADER])
        tensors = tensors_from_bytes(data)
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise CheckpointError(f"{path} is damaged or is no GenreWiz checkpoint.") from error
    written = header.get("format") if isinstance(header, dict) else None
    if written != FORMAT:
        raise CheckpointError(f"{path} has format {written}; this version reads {FORMAT}.")
    try:
        checkpoint = Checkpoint(
            identity=ModelIdentity(name=header["name"], version=header["version"], sha256=digest),
            architecture=header["architecture"],
            sizes=header["sizes"],
            genres=_genres(header["genres"]),
            features=_FEATURES.validate_python(header["features"]),
            mel_filterbank=tensors[FILTERBANK],
            temperature=float(header["temperature"]),
            weights={k.removeprefix(WEIGHTS): v for k, v in tensors.items() if k.startswith(WEIGHTS)},
            metrics=dict(header["metrics"]),
            provenance=dict(header["provenance"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} lacks a part or has one of a wrong kind: {error}.") from error
    _check(checkpoint, path)
    return checkpoint


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> Checkpoint:
    """Write it to `path` and its hash beside it; returns it with that hash.

    Whenever this is interrupted, a checkpoint that was there before or this one is there and loads.
    """
    _check(checkpoint, path)
    header = {
        "format": FORMAT,
        "name": checkpoint.identity.name,
        "version": checkpoint.identity.version,
        "architecture": checkpoint.architecture,
        "sizes": dict(checkpoint.sizes),
        "genres": checkpoint.genres,
        "features": dataclasses.asdict(checkpoint.features),
        "temperature": checkpoint.temperature,
        "metrics": dict(checkpoint.metrics),
        "provenance": dict(checkpoint.provenance),
    }
    tensors = {WEIGHTS + name: tensor.cpu().contiguous() for name, tensor in checkpoint.weights.items()}
    tensors[FILTERBANK] = checkpoint.mel_filterbank.contiguous()
    data = bytes_from_tensors(tensors, {HEADER: json.dumps(header)})
    digest = hashlib.sha256(data).hexdigest()
    path.parent.mkdir(parents=True, exist_ok=True)
    # An interruption between the two files must not leave a hash beside a checkpoint that it is not of.
    _digest_path(path).unlink(missing_ok=True)
    write_whole(path, data)
    write_whole(_digest_path(path), f"{digest}  {path.name}\n".encode())
    return dataclasses.replace(checkpoint, identity=dataclasses.replace(checkpoint.identity, sha256=digest))


def import_original(path: Path) -> Checkpoint:
    """The original project's `model.pth` as a checkpoint; its features are those of the released one."""
    digest = hashlib.sha256(_read(path)).hexdigest()
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
        checkpoint = Checkpoint(
            identity=ModelIdentity(name="pcrnn-original", version="1", sha256=digest),
            architecture="pcrnn-original",
            sizes={},
            genres=GENRES,
            features=FeatureSettings(),
            mel_filterbank=load_checkpoint(RELEASED).mel_filterbank,
            temperature=1.0,
            weights=dict(weights),
        )
    except UNREADABLE as error:
        raise CheckpointError(f"{path} holds no weights that can be read safely.") from error
    if not all(_is_plain(weight) for weight in checkpoint.weights.values()):
        raise CheckpointError(f"{path} holds weights that are no plain tensors.")
    _check(checkpoint, path)
    return checkpoint


def _genres(written: object) -> tuple[Any, ...]:
    """The list as it is; a word is no list, though it has letters to count."""
    if not isinstance(written, list):
        raise TypeError("genres are no list")
    return tuple(written)


def _is_plain(weight: object) -> bool:
    """Whether it is a tensor with its numbers at hand: neither sparse nor a shape alone."""
    return isinstance(weight, Tensor) and weight.layout is torch.strided and weight.device.type == "cpu"


def _check(checkpoint: Checkpoint, path: Path) -> None:
    """CheckpointError unless the parts fit together."""
    _check_words(checkpoint, path)
    if checkpoint.architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise CheckpointError(f"{path} is for architecture {checkpoint.architecture!r}; known are {known}.")
    try:
        with torch.device("meta"):  # shapes alone, no memory
            expected = build_model(checkpoint.architecture, checkpoint.sizes).state_dict()
    except (TypeError, ValueError, RuntimeError, LookupError, ArithmeticError, AttributeError) as error:
        raise CheckpointError(f"{path} has sizes that {checkpoint.architecture} cannot take.") from error
    if {k: v.shape for k, v in expected.items()} != {k: v.shape for k, v in checkpoint.weights.items()}:
        raise CheckpointError(f"{path} has weights of other shapes than its {checkpoint.architecture} needs.")
    if not all(bool(torch.isfinite(tensor).all()) for tensor in checkpoint.weights.values()):
        raise CheckpointError(f"{path} has weights that are not finite.")
    if len(checkpoint.genres) != len(checkpoint.weights["linear.bias"]):
        raise CheckpointError(f"{path} has another number of genres than its weights tell.")
    if min(vars(checkpoint.features).values()) <= 0:
        raise CheckpointError(f"{path} has a feature setting that is not above 0.")
    bins = 1 + checkpoint.features.n_fft // 2
    if checkpoint.mel_filterbank.shape != (checkpoint.features.n_mels, bins):
        raise CheckpointError(f"{path} has a mel filterbank that does not fit its features.")
    if not (math.isfinite(checkpoint.temperature) and checkpoint.temperature > 0):
        raise CheckpointError(f"{path} has a temperature that is not above 0.")
    _check_answer(checkpoint, path)


def _check_answer(checkpoint: Checkpoint, path: Path) -> None:
    """CheckpointError unless the network answers to a window: sizes may fit its weights and no window."""
    features = checkpoint.features
    try:
        with torch.inference_mode():
            silence = torch.full((1, 1, features.window_frames, features.n_mels), -features.top_db)
            checkpoint.build()(silence)
    except UNREADABLE as error:
        raise CheckpointError(
            f"{path} has a network that cannot hear windows of {features.window_frames} frames and "
            f"{features.n_mels} mel bands."
        ) from error


def _check_words(checkpoint: Checkpoint, path: Path) -> None:
    """CheckpointError unless names are words and genres can be told apart; JSON may hold anything there."""
    identity = checkpoint.identity
    for part, word in (
        ("name", identity.name),
        ("version", identity.version),
        ("architecture", checkpoint.architecture),
    ):
        if not isinstance(word, str):
            raise CheckpointError(f"{path} is damaged: its {part} is no text.")
    if not all(isinstance(genre, str) and genre.strip() for genre in checkpoint.genres):
        raise CheckpointError(f"{path} has a genre without a name.")
    if len(checkpoint.genres) < 2 or len(set(checkpoint.genres)) < len(checkpoint.genres):
        raise CheckpointError(f"{path} has a genre twice, or fewer than two.")


def _check_digest(path: Path, digest: str) -> None:
    """CheckpointError where a hash lies beside the file and is another."""
    try:
        written = _digest_path(path).read_text(encoding="ascii").split()[0]
    except FileNotFoundError:
        return
    except (OSError, ValueError, IndexError) as error:
        raise CheckpointError(f"{_digest_path(path)} cannot be read.") from error
    if written != digest:
        raise CheckpointError(f"{path} is damaged or replaced: its SHA-256 is not the one beside it.")


def _digest_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _metadata(data: bytes) -> dict[str, str]:
    return model_card.safetensors_header(data)["__metadata__"]  # type: ignore[no-any-return]  # JSON is Any


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise CheckpointError(f"The checkpoint {path} is missing.") from error
    except OSError as error:
        raise CheckpointError(f"The checkpoint {path} cannot be read: {error.strerror}.") from error
