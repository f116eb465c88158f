"""The data folder: GTZAN's log-mel spectrograms and the published lists that split them.

Reads files and checks them; it neither fills gaps nor augments. A random split is not on offer: GTZAN has
several clips by one artist, and a split that ignores it measures memory.
"""

import hashlib
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from shared.errors import DataUnavailable

DECIBELS_PER_LEVEL = 80 / 255  # levels 0 ... 255 are -80 ... 0 dB


@dataclass(frozen=True, kw_only=True)
class Songs:
    """Songs of one window each, as 8-bit levels, and where their spectrograms have gaps."""

    names: tuple[str, ...]  # such as "blues.00000"
    genres: tuple[str, ...]  # the ten, in the order of `labels`
    labels: Tensor  # (songs,) index into genres
    levels: Tensor  # (songs, frames, bands) uint8, dB = levels * 80 / 255 - 80
    gap: Tensor  # (songs, frames) uint8, 0 where a frame is exact
    rough: Tensor  # (songs, bands) dB, spread of what the gaps lack

    def __len__(self) -> int:
        return len(self.names)

    def chosen(self, names: tuple[str, ...]) -> "Songs":
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

    def sha256(self) -> str:
        """Hash of the names and the levels: what was trained on."""
        digest = hashlib.sha256("\n".join(self.names).encode())
        digest.update(self.levels.numpy().tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Gtzan:
    """What the data folder holds."""

    rebuilt: Songs  # all but one of the 1,000 songs, with gaps
    true: Songs  # some of them from real audio, without gaps
    residuals: np.ndarray[tuple[int, int], np.dtype[np.float32]]  # (kinds of gap, quantiles), standardised
    folder: Path

    def listed(self, split: str) -> tuple[str, ...]:
        """The names on the fault-filtered list of this split: train, valid or test."""
        path = self.folder / "splits" / f"{split}_filtered.txt"
        return tuple(Path(line).stem for line in _text(path).split())


def find_data(explicit: Path | None) -> Path:
    """The data folder: the one named, or shared/data beside the checkout."""
    folder = explicit or Path(__file__).resolve().parents[3] / "shared" / "data"
    if not (folder / "gtzan" / "mel_rebuilt.npz").is_file():
        raise DataUnavailable(
            f"{folder} holds no gtzan/mel_rebuilt.npz; name the data folder with --data or GENREWIZ_DATA."
        )
    return folder


def load_gtzan(data: Path) -> Gtzan:
    """The spectrograms of `data`/gtzan, some 90 MB."""
    folder = data / "gtzan"
    rebuilt, residuals = _load(folder / "mel_rebuilt.npz")
    true, _ = _load(folder / "mel_true.npz")
    return Gtzan(rebuilt=rebuilt, true=true, residuals=residuals, folder=folder)


def _load(path: Path) -> tuple[Songs, np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
    try:
        with np.load(path) as file:
            arrays = {key: file[key] for key in file.files}
        levels = arrays["X"]
        songs, frames, bands = levels.shape
        loaded = Songs(
            names=tuple(str(name) for name in arrays["names"]),
            genres=tuple(str(genre) for genre in arrays["genres"]),
            labels=torch.from_numpy(arrays["y"]).long(),
            levels=torch.from_numpy(levels),
            gap=torch.from_numpy(arrays.get("gap", np.zeros((songs, frames), np.uint8))),
            rough=torch.from_numpy(arrays.get("rough", np.zeros((songs, bands), np.float16))).float(),
        )
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DataUnavailable(f"{path} is missing or no file of spectrograms: {error}.") from error
    return loaded, arrays.get("resq", np.zeros((1, 2), np.float32))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataUnavailable(f"The list {path} cannot be read.") from error
