"""Log-mel spectrograms of whole songs on disk, found again by the hash of the audio file they come from.

An entry is there whole or not at all, and one whose bytes have changed counts as not there. It decodes
nothing: whoever misses an entry makes it. It removes none: the folder may be deleted at any time.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from shared.errors import DataUnavailable, SetupError
from worker.features import FeatureSettings
from worker.spectrogram import decibels

VERSION = 1  # raised when decoding or the spectrogram changes: entries of before are not found any more
LEVELS_PER_DECIBEL = 128
"""16-bit levels: rounding moves a point by 1/256 dB at most, at any loudness from -256 to 255 dB."""
DIGEST_BYTES = 32
BYTES_PER_LEVEL = 2


@dataclass(frozen=True, kw_only=True)
class CachedMel:
    """One song's spectrogram on disk; no more of it is in memory than is asked for."""

    path: Path
    frames: int
    bands: int
    sha256: str  # of the spectrogram: the same song under other tags has the same

    def read(self, start: int, frames: int) -> Tensor:
        """(frames, bands) float32 dB over a power of 1, from this frame on."""
        offset = DIGEST_BYTES + start * self.bands * BYTES_PER_LEVEL
        try:
            levels = np.fromfile(self.path, dtype="<i2", count=frames * self.bands, offset=offset)
        except OSError as error:
            raise DataUnavailable(f"The cached spectrogram {self.path} is gone: {error.strerror}.") from error
        if len(levels) != frames * self.bands:
            raise DataUnavailable(f"The cached spectrogram {self.path} has been cut off.")
        return torch.from_numpy(levels).float().view(frames, self.bands) / LEVELS_PER_DECIBEL


class FeatureCache:
    """The spectrograms of one kind of features."""

    def __init__(self, folder: Path, features: FeatureSettings, filterbank: Tensor) -> None:
        """folder: of any kinds of features; it is made with the first entry."""
        kind = json.dumps([VERSION, asdict(features)], sort_keys=True).encode() + filterbank.numpy().tobytes()
        self._folder = folder / hashlib.sha256(kind).hexdigest()[:16]
        self._features = features

    def find(self, audio_sha256: str) -> CachedMel | None:
        """The entry for the audio file with this hash; None where there is none or it is damaged."""
        path = self._folder / audio_sha256
        try:
            data = path.read_bytes()
        except OSError:
            return None
        digest, levels = data[:DIGEST_BYTES], data[DIGEST_BYTES:]
        if hashlib.sha256(levels).digest() != digest:
            return None
        return self._entry(path, levels, digest)

    def put(self, audio_sha256: str, mel_power: Iterable[Tensor]) -> CachedMel:
        """Keep a song's mel power, in pieces (frames, bands); SetupError where it cannot be written.

        Whatever the pieces raise leaves no entry.
        """
        levels = b"".join(_levels(piece) for piece in mel_power)
        digest = hashlib.sha256(levels).digest()
        path = self._folder / audio_sha256
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(path, digest + levels)
        except OSError as error:
            raise SetupError(
                f"Spectrograms cannot be kept in {self._folder}: {error.strerror}; "
                "make room, or name another folder with --cache."
            ) from error
        return self._entry(path, levels, digest)

    def _entry(self, path: Path, levels: bytes, digest: bytes) -> CachedMel:
        bands = self._features.n_mels
        frames = len(levels) // (bands * BYTES_PER_LEVEL)
        return CachedMel(path=path, frames=frames, bands=bands, sha256=digest.hex())


def default_cache() -> Path:
    """Where a user's caches lie by the XDG base directory specification; SetupError without a home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        # The specification: a path that is not absolute counts as none.
        parent = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    except RuntimeError as error:
        raise SetupError("There is no home folder for the cache; name one with --cache.") from error
    return parent / "genrewiz" / "features"


def _levels(mel_power: Tensor) -> bytes:
    levels = (decibels(mel_power) * LEVELS_PER_DECIBEL).round().clamp(-(2**15), 2**15 - 1)
    return levels.to(torch.int16).cpu().numpy().astype("<i2").tobytes()


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all. No fsync: an entry that a power cut spoils is told by its digest."""
    descriptor, partial = tempfile.mkstemp(prefix="partial-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(partial, path)  # noqa: PTH105  # the one call that is atomic on every system
    except BaseException:
        with suppress(OSError):
            Path(partial).unlink()
        raise
