"""Log-mel spectrograms of whole songs on disk, found again by the hash of the audio file they come from.

An entry is there whole or not at all, and one whose bytes have changed counts as not there. It decodes
nothing: whoever misses an entry makes it. It removes none: the folder may be deleted at any time.
"""

import hashlib
import json
import os
import struct
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
HIGHEST_LEVEL = 2**16 - 1
"""The song's loudest point, 0 its quietest: rounding moves a point by 0.001 dB at most where they are 130 dB
apart, and the probabilities of 20 songs with real audio moved by under 0.00002."""
BYTES_PER_LEVEL = 2
DIGEST_BYTES = 32
SCALE = struct.Struct("<ff")  # dB at level 0, dB from one level to the next


@dataclass(frozen=True, kw_only=True)
class CachedMel:
    """One song's spectrogram on disk; no more of it is in memory than is asked for."""

    path: Path
    frames: int
    bands: int
    quietest_db: float  # over a power of 1
    step_db: float  # from one level to the next
    sha256: str  # of the spectrogram: the same song under other tags has the same

    def read(self, start: int, frames: int) -> Tensor:
        """(frames, bands) float32 dB over a power of 1, from this frame on."""
        offset = DIGEST_BYTES + SCALE.size + start * self.bands * BYTES_PER_LEVEL
        try:
            levels = np.fromfile(self.path, dtype="<u2", count=frames * self.bands, offset=offset)
        except OSError as error:
            raise DataUnavailable(f"The cached spectrogram {self.path} is gone: {error.strerror}.") from error
        if len(levels) != frames * self.bands:
            raise DataUnavailable(f"The cached spectrogram {self.path} has been cut off.")
        points = torch.from_numpy(levels.astype(np.float32)).view(frames, self.bands)
        return points * self.step_db + self.quietest_db


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
        digest, song = data[:DIGEST_BYTES], data[DIGEST_BYTES:]
        return self._entry(path, song) if hashlib.sha256(song).digest() == digest else None

    def put(self, audio_sha256: str, mel_power: Iterable[Tensor]) -> CachedMel:
        """Keep a song's mel power, in pieces (frames, bands); SetupError where it cannot be written.

        Whatever the pieces raise leaves no entry.
        """
        song = _as_bytes(torch.cat(list(mel_power)))
        path = self._folder / audio_sha256
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(path, hashlib.sha256(song).digest() + song)
        except OSError as error:
            raise SetupError(
                f"Spectrograms cannot be kept in {self._folder}: {error.strerror}; "
                "make room, or name another folder with --cache."
            ) from error
        return self._entry(path, song)

    def _entry(self, path: Path, song: bytes) -> CachedMel:
        quietest_db, step_db = SCALE.unpack_from(song)
        bands = self._features.n_mels
        return CachedMel(
            path=path,
            frames=(len(song) - SCALE.size) // (bands * BYTES_PER_LEVEL),
            bands=bands,
            quietest_db=quietest_db,
            step_db=step_db,
            sha256=hashlib.sha256(song).hexdigest(),
        )


def default_cache() -> Path:
    """Where a user's caches lie by the XDG base directory specification; SetupError without a home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        # The specification: a path that is not absolute counts as none.
        parent = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    except RuntimeError as error:
        raise SetupError("There is no home folder for the cache; name one with --cache.") from error
    return parent / "genrewiz" / "features"


def _as_bytes(mel_power: Tensor) -> bytes:
    """The scale, then the levels of each frame."""
    points = decibels(mel_power).cpu().double()
    quietest_db = float(points.min())
    step_db = max(float(points.max()) - quietest_db, 1.0) / HIGHEST_LEVEL  # 1 dB: never 0 between two levels
    levels = ((points - quietest_db) / step_db).round().numpy().astype("<u2")
    return SCALE.pack(quietest_db, step_db) + levels.tobytes()


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
