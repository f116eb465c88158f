"""Songs whose spectrograms lie in the cache, as training and evaluation ask for them.

Windows are cut as the service cuts them. It holds no audio and almost no memory, however long the songs are:
each window is read when it is asked for.
"""

import hashlib
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from worker.features import FeatureSettings
from worker.spectrogram import below_loudest
from worker.training.songs.feature_cache import CachedMel
from worker.windows import windows

IDENTITY_DIGITS = 16  # among a million songs two have the same once in 30 million times


@dataclass(frozen=True, kw_only=True)
class AudioSongs:
    """Songs with real audio, each at least a window long."""

    names: tuple[str, ...]  # genre/file
    genres: tuple[str, ...]
    labels: Tensor  # (songs,) index into genres
    mels: tuple[CachedMel, ...]
    features: FeatureSettings

    def __len__(self) -> int:
        return len(self.names)

    def chosen(self, names: tuple[str, ...]) -> "AudioSongs":
        """These songs, in this order; names that are not there are left out."""
        index = {name: position for position, name in enumerate(self.names)}
        rows = [index[name] for name in names if name in index]
        return replace(
            self,
            names=tuple(self.names[row] for row in rows),
            labels=self.labels[torch.tensor(rows, dtype=torch.long)],
            mels=tuple(self.mels[row] for row in rows),
        )

    def draw(self, rows: Tensor, generator: torch.Generator, *, spread: float) -> Tensor:  # noqa: ARG002  # real audio has no gaps
        """A window from a random place of each of these songs, (rows, frames, bands) in dB."""
        size = self.features.window_frames
        drawn = []
        for mel in (self.mels[int(row)] for row in rows):
            start = int(torch.randint(mel.frames - size + 1, (1,), generator=generator))
            drawn.append(mel.read(start, size))
        return below_loudest(torch.stack(drawn), top_db=self.features.top_db)

    def whole(self, row: int, *, seed: int) -> Tensor:  # noqa: ARG002  # nothing has to be drawn
        """All windows of one song as the service cuts them, (windows, frames, bands) in dB."""
        mel = self.mels[row]
        cut = windows(mel.read(0, mel.frames), self.features)
        return below_loudest(cut, top_db=self.features.top_db)

    def identities(self) -> tuple[str, ...]:
        """The beginning of each spectrogram's hash."""
        return tuple(mel.sha256[:IDENTITY_DIGITS] for mel in self.mels)

    def sha256(self) -> str:
        """Hash of the names and of the spectrograms."""
        lines = (f"{name} {mel.sha256}" for name, mel in zip(self.names, self.mels, strict=True))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()
