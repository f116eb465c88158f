"""The data folder: GTZAN's log-mel spectrograms and the published lists that split them.

Reads files and checks them; it does not augment. A random split is not on offer: GTZAN has several clips by
one artist, and a split that ignores it measures memory.
"""

import hashlib
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from shared.errors import DataUnavailable
from worker.training.fill import Fill
from worker.training.lists import Split, filtered_list, published_split

DECIBELS_PER_LEVEL = 80 / 255  # levels 0 ... 255 are -80 ... 0 dB


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
    return explicit or Path(__file__).resolve().parents[3] / "shared" / "data"


def load_gtzan(data: Path) -> Gtzan:
    """The spectrograms of `data`/gtzan, some 90 MB."""
    folder = data / "gtzan"
    return Gtzan(
        rebuilt=_load(folder / "mel_rebuilt.npz"), true=_load(folder / "mel_true.npz"), folder=folder
    )


def _load(path: Path) -> MelSongs:
    try:
        with np.load(path) as file:
            arrays = {key: file[key] for key in file.files}
        levels = arrays["X"]
        songs, frames, bands = levels.shape
        # Without gaps nothing is drawn, and the residuals say nothing.
        residuals = arrays.get("resq", np.zeros((1, 2), np.float32))
        return MelSongs(
            names=tuple(str(name) for name in arrays["names"]),
            genres=tuple(str(genre) for genre in arrays["genres"]),
            labels=torch.from_numpy(arrays["y"]).long(),
            levels=torch.from_numpy(levels),
            gap=torch.from_numpy(arrays.get("gap", np.zeros((songs, frames), np.uint8))),
            rough=torch.from_numpy(arrays.get("rough", np.zeros((songs, bands), np.float16))).float(),
            fill=Fill(residuals, bands=bands),
        )
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DataUnavailable(f"{path} is missing or no file of spectrograms: {error}.") from error
