"""Songs -> batches of windows in dB, the gaps filled afresh.

Works a batch at a time, because one core must feed the model; it decides nothing about the order of songs.
"""

import torch
from torch import Tensor

from worker.training.fill import Fill
from worker.training.gtzan import DECIBELS_PER_LEVEL, Songs


def filled(songs: Songs, rows: Tensor, fill: Fill, generator: torch.Generator, *, spread: float) -> Tensor:
    """Windows (batch, frames, bands) in dB of these rows; each song's roughness scaled by 1 +- spread."""
    scale = 1 + spread * (2 * torch.rand(len(rows), generator=generator) - 1)
    return fill(
        songs.levels[rows].float() * DECIBELS_PER_LEVEL - 80,
        gap=songs.gap[rows],
        rough=songs.rough[rows],
        scale=scale,
        generator=generator,
    )


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """The randomness of one epoch: it depends on nothing before, so a resumed run repeats it exactly."""
    return torch.Generator().manual_seed(seed * 100_003 + epoch)
