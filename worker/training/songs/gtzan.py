"""The data folder: GTZAN's log-mel spectrograms and the published lists that split them.

Reads files and checks them; it does not augment. A random split is not on offer: GTZAN has several clips by
one artist, and a split that ignores it measures memory.
"""

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.errors import DataUnavailable
from worker.predict_mels import DECIBELS_PER_LEVEL, UNREADABLE
from worker.training.songs.fill import Fill
from worker.training.songs.lists import Split, filtered_list, published_split

Array = NDArray[Any]
NEEDED = ("X", "y", "names", "genres")
KINDS = {
    **{"X": ("u", 3), "y": ("iu", 1), "names": ("U", 1), "genres": ("U", 1)},
    **{"gap": ("u", 2), "rough": ("f", 2), "resq": ("f", 2)},
}
"""NumPy's letters for kinds of number or text, and how many dimensions, of each array of songs."""


@dataclass(frozen=True, kw_only=True)
class MelSongs:
    """Songs of one window each, as 8-bit levels, and where their spectrograms have gaps."""

    names: tuple[str, ...]  # such as "blues.00000"
    genres: tuple[str, ...]  # the ten, in the order of `labels`
    labels: Tensor  # (songs,) index into genres
    levels: Tensor  # (songs, frames, bands) uint8, dB = levels * 80 / 255 - 80
    gap: Tensor  # (songs, frames) uint8, 0 where a frame is exact
    rough: Tensor  # (songs, bands) dB, spread of what the gaps lack
    fill: Fill

    def __len__(self) -> int:
        return len(self.names)

    def chosen(self, names: tuple[str, ...]) -> "MelSongs":
        """These songs, in this order; names without a spectrogram are left out (jazz.00054 is one)."""
        index = {name: position for position, name in enumerate(self.names)}
        rows = torch.tensor([index[name] for name in names if name in index], dtype=torch.long)
        return replace(
            self,
            names=tuple(self.names[row] for row in rows),
            labels=self.labels[rows],
            levels=self.levels[rows],
            gap=self.gap[rows],
            rough=self.rough[rows],
        )

    def draw(self, rows: Tensor, generator: torch.Generator, *, spread: float) -> Tensor:
        """The songs' one window each, the gaps filled afresh, each song's roughness scaled by 1 +- spread."""
        return self._filled(
            rows, 1 + spread * (2 * torch.rand(len(rows), generator=generator) - 1), generator
        )

    def whole(self, row: int, *, seed: int) -> Tensor:
        """The song's one window, (1, frames, bands), the gaps filled from this seed and the song's name."""
        generator = torch.Generator().manual_seed(zlib.crc32(f"{seed} {self.names[row]}".encode()))
        return self._filled(torch.tensor([row]), torch.ones(1), generator)

    def identities(self) -> tuple[str, ...]:
        """The published names."""
        return self.names

    def sha256(self) -> str:
        """Hash of the names and the levels: what was trained on."""
        digest = hashlib.sha256("\n".join(self.names).encode())
        digest.update(self.levels.numpy().tobytes())
        return digest.hexdigest()

    def _filled(self, rows: Tensor, scale: Tensor, generator: torch.Generator) -> Tensor:
        return self.fill(
            self.levels[rows].float() * DECIBELS_PER_LEVEL - 80,
            gap=self.gap[rows],
            rough=self.rough[rows],
            scale=scale,
            generator=generator,
        )


@dataclass(frozen=True, kw_only=True)
class Gtzan:
    """What the data folder holds."""

    rebuilt: MelSongs  # all but one of the 1,000 songs, with gaps
    true: MelSongs  # some of them from real audio, without gaps
    folder: Path

    def split(self, lists: str) -> Split:
        """The names of one published way to split: filtered, fold1, fold2 or fold3."""
        return published_split(self.folder, lists)

    def listed(self, split: str) -> tuple[str, ...]:
        """The names on the fault-filtered list of this split: train, valid or test."""
        return filtered_list(self.folder, split)


def find_data(explicit: Path | None) -> Path:
    """The data folder: the one named, or shared/data beside the checkout."""
    folder = data_folder(explicit)
    if not (folder / "gtzan" / "mel_rebuilt.npz").is_file():
        raise DataUnavailable(
            f"{folder} holds no gtzan/mel_rebuilt.npz; name the data folder with --data or GENREWIZ_DATA."
        )
    return folder


def data_folder(explicit: Path | None) -> Path:
    """Where the data folder should be, whether it is there or not."""
    return explicit or Path(__file__).resolve().parents[4] / "shared" / "data"


def load_gtzan(data: Path) -> Gtzan:
    """The spectrograms of `data`/gtzan, some 90 MB."""
    folder = data / "gtzan"
    return Gtzan(
        rebuilt=_load(folder / "mel_rebuilt.npz"), true=_load(folder / "mel_true.npz"), folder=folder
    )


def _load(path: Path) -> MelSongs:
    arrays = _arrays(path)
    problem = next(_problems(arrays), None)
    if problem is not None:
        raise DataUnavailable(f"{path} {problem}.")
    levels = arrays["X"]
    songs, frames, bands = levels.shape
    # Without gaps nothing is drawn, and the residuals say nothing.
    residuals = arrays.get("resq", np.zeros((1, 2), np.float32))
    return MelSongs(
        names=tuple(str(name) for name in arrays["names"]),
        genres=tuple(str(genre) for genre in arrays["genres"]),
        labels=torch.from_numpy(arrays["y"].astype(np.int64)),
        levels=torch.from_numpy(levels),
        gap=torch.from_numpy(arrays.get("gap", np.zeros((songs, frames), np.uint8))),
        rough=torch.from_numpy(arrays.get("rough", np.zeros((songs, bands))).astype(np.float32)),
        fill=Fill(residuals, bands=bands),
    )


def _arrays(path: Path) -> dict[str, Array]:
    """What the archive holds, unchecked; DataUnavailable where it is none."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except OSError as error:
        raise DataUnavailable(f"{path} cannot be read: {error.strerror or error}.") from error
    except UNREADABLE as error:
        raise DataUnavailable(f"{path} is damaged, or no archive of spectrograms.") from error
    except MemoryError as error:
        raise DataUnavailable(f"{path} does not fit into memory.") from error


def _problems(arrays: dict[str, Array]) -> Iterator[str]:
    """What keeps these arrays from being songs; those after the first may follow from it."""
    yield from _kind_problems(arrays)
    levels, genres = arrays["X"], arrays["genres"].tolist()
    songs, frames, bands = levels.shape
    if not levels.size:
        yield "holds no songs"
    residuals = arrays.get("resq", np.zeros((0, 2)))
    gap = arrays.get("gap", np.zeros((songs, frames), np.uint8))
    rough = arrays.get("rough", np.zeros((songs, bands)))
    shapes = {"y": (songs,), "names": (songs,), "gap": (songs, frames), "rough": (songs, bands)}
    for key, shape in shapes.items():
        if key in arrays and arrays[key].shape != shape:
            yield f"has an array {key} of shape {arrays[key].shape} where {shape} is needed"
    if levels.dtype != np.uint8 or gap.dtype != np.uint8:
        yield "has an X or a gap that is not uint8"
    for key in ("names", "genres"):
        words = arrays[key].tolist()
        if "" in words or len(set(words)) < len(words):
            yield f"has empty or equal {key}"
    if arrays["y"].min() < 0 or arrays["y"].max() >= len(genres):
        yield f"has labels y outside of its {len(genres)} genres"
    if "resq" in arrays and (not len(residuals) or residuals.shape[1] < 2):
        yield "has an array resq without residuals"
    if gap.max() > len(residuals):
        yield f"has gaps of kind {gap.max()} and residuals, resq, of {len(residuals)} kinds"
    if not (np.isfinite(rough).all() and np.isfinite(residuals).all()):
        yield "has a rough or a resq that is not finite"


def _kind_problems(arrays: dict[str, Array]) -> Iterator[str]:
    """Arrays that are missing, or are no numbers or words in as many dimensions as needed."""
    for key, (kinds, dimensions) in KINDS.items():
        array = arrays.get(key)
        if array is None:
            if key in NEEDED:
                yield f"has no array {key}"
        elif not isinstance(array, np.ndarray) or array.dtype.kind not in kinds or array.ndim != dimensions:
            yield f"has an array {key} of another kind or shape than songs need"
