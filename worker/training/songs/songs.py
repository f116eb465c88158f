"""Songs to learn from or to be scored on: what the loop and the evaluation ask of any collection.

A face alone: `gtzan.py` has spectrograms that were rebuilt from pictures, `audio_folder.py` songs as files.
"""

from typing import Protocol, Self

import torch
from torch import Tensor


class Songs(Protocol):
    """Songs with one genre each."""

    @property
    def names(self) -> tuple[str, ...]:
        """Such as "blues.00000"; each once."""

    @property
    def genres(self) -> tuple[str, ...]:
        """What the labels count through."""

    @property
    def labels(self) -> Tensor:
        """(songs,) index into genres."""

    def __len__(self) -> int:
        """How many."""

    def chosen(self, names: tuple[str, ...]) -> Self:
        """These songs, in this order; names that are not there are left out."""

    def draw(self, rows: Tensor, generator: torch.Generator, *, spread: float) -> Tensor:
        """One window at random of each of these songs, (rows, frames, bands) in dB under its maximum.

        spread: by what share the roughness of frames varies that are drawn, as in a rebuilt spectrogram.
        """

    def whole(self, row: int, *, seed: int) -> Tensor:
        """All windows of one song as the service cuts them, (windows, frames, bands) in dB.

        The same whatever else is in the collection; the seed decides what has to be drawn.
        """

    def identities(self) -> tuple[str, ...]:
        """What each song is known again by: a published name, or a hash of what is heard."""

    def sha256(self) -> str:
        """Hash of the names and of what is heard."""


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """The randomness of one epoch: it depends on nothing before, so a resumed run repeats it exactly."""
    return torch.Generator().manual_seed(seed * 100_003 + epoch)
