"""A song's mel power in pieces -> the picture of the whole song, however long it is.

Pure, and its memory does not grow with the song. It knows neither colours nor files (`png.py` does).
"""

import torch
from torch import Tensor

from worker.features import FeatureSettings
from worker.spectrogram import decibels

MOST_COLUMNS = 2_000
LEVELS = 256
RANGE_DB = 80.0
"""Under the loudest point of the picture; what is quieter has the lowest level."""


class SongPicture:
    """One song's picture on its way: each column is the mean power of so many frames, a power of two.

    The mean, and not the maximum: a tone and a noise keep their distance however many frames share a column,
    where a maximum would lift noises over the long song and hide its pauses.
    """

    def __init__(self, settings: FeatureSettings) -> None:
        """Nothing of the song is known yet."""
        self._settings = settings
        self._sums = torch.zeros(MOST_COLUMNS, settings.n_mels)  # of the power, by column
        self._frames = 0
        self._frames_per_column = 1

    def feed(self, mel_power: Tensor) -> None:
        """(frames, n_mels): the next of the song, on any device."""
        frames = torch.arange(self._frames, self._frames + len(mel_power))
        self._frames += len(mel_power)
        while self._frames > MOST_COLUMNS * self._frames_per_column:
            self._halve()
        self._sums.index_add_(0, frames // self._frames_per_column, mel_power.cpu())

    def levels(self, *, samples: int) -> Tensor:
        """uint8 (n_mels, columns), the highest band first: 255 is the loudest point, 0 is RANGE_DB under it.

        samples: of the song. Frames beyond its end are left out: they repeat a song shorter than a window.
        """
        frames = min(self._frames, 1 + samples // self._settings.hop_length)
        per_column = self._frames_per_column
        columns = -(-frames // per_column)
        counts = (frames - torch.arange(columns) * per_column).clamp(max=per_column)
        power = self._sums[:columns] / counts[:, None]
        if not power.any():
            return torch.zeros(power.T.shape, dtype=torch.uint8)  # in silence nothing is the loudest
        db = decibels(power)
        levels = ((db - db.max()) / RANGE_DB + 1).clamp_min(0) * (LEVELS - 1)
        return levels.round().to(torch.uint8).T.flip(0)

    def _halve(self) -> None:
        """Half as many columns, each of twice the frames."""
        half = MOST_COLUMNS // 2
        self._sums[:half] = self._sums.view(half, 2, -1).sum(dim=1)
        self._sums[half:] = 0
        self._frames_per_column *= 2
