"""Audio files -> their spectrograms in the cache, through the service's own decoder and spectrogram.

A file that is no song costs nothing but itself: its place is taken by the reason. It knows no genres.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from shared.errors import JobFailure
from shared.settings import Settings
from worker.build import decode_limits
from worker.features import FeatureSettings
from worker.sandbox.client import DecodeSandbox
from worker.song import Decode, Hearing
from worker.stream import SongMel
from worker.training.songs.feature_cache import CachedMel, FeatureCache, default_cache

OpenDecoder = Callable[[], AbstractContextManager[Decode]]
"""Opens what decodes songs: the sandbox. Asked only where a song is not in the cache."""
Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class FeatureMaker:
    """What turns files into features."""

    features: FeatureSettings
    filterbank: Tensor  # (mel bands, 1 + n_fft / 2)
    cache: Path
    open_decoder: OpenDecoder
    threads: int  # files in hand at once

    def mels(self, paths: Sequence[Path]) -> list[CachedMel | str]:
        """Each file's spectrogram, or why it has none; SetupError where the cache cannot be written."""
        cache = FeatureCache(self.cache, self.features, self.filterbank)

        def kept(path: Path) -> CachedMel | _Missing | str:
            try:
                with path.open("rb") as audio:
                    sha256 = hashlib.file_digest(audio, "sha256").hexdigest()
            except OSError as error:
                return _unreadable(error)
            return cache.find(sha256) or _Missing(sha256)

        found = self._each(kept, paths, "files read")
        missing = {
            each.sha256: path for each, path in zip(found, paths, strict=True) if isinstance(each, _Missing)
        }
        made = self._made(missing, cache) if missing else {}
        return [made[each.sha256] if isinstance(each, _Missing) else each for each in found]

    def _made(self, missing: dict[str, Path], cache: FeatureCache) -> dict[str, CachedMel | str]:
        with self.open_decoder() as decode:

            def made(sha256: str) -> CachedMel | str:
                try:
                    return cache.put(sha256, self._pieces(missing[sha256], decode))
                except JobFailure as error:
                    return error.detail.rstrip(".")
                except OSError as error:
                    return _unreadable(error)

            return dict(zip(missing, self._each(made, list(missing), "songs decoded"), strict=True))

    def _pieces(self, path: Path, decode: Decode) -> Iterator[Tensor]:
        """A song's mel power (frames, bands) in pieces; the JobFailure that the service would answer with."""
        hearing = Hearing(self.features.sample_rate)
        song = SongMel(self.filterbank, self.features)
        with path.open("rb") as audio, closing(decode(audio)) as decoding:
            for piece in decoding:
                hearing.feed(piece.waveform)
                yield song.feed(torch.from_numpy(piece.waveform))
        hearing.check()
        yield song.finish()

    def _each(self, work: Callable[[Item], Answer], items: Sequence[Item], what: str) -> list[Answer]:
        """The work's answers, in order, several at a time; the first error ends what has not begun."""
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeRemainingColumn())
        with (
            Progress(*columns, console=console, disable=not console.is_terminal) as bar,
            ThreadPoolExecutor(self.threads) as pool,
        ):
            return list(bar.track(pool.map(work, items), total=len(items), description=what))


def service_features(
    features: FeatureSettings, filterbank: Tensor, cache: Path | None, settings: Settings
) -> FeatureMaker:
    """Features as the service with these settings computes them, its sandbox and its limits included."""

    @contextmanager
    def open_decoder() -> Iterator[Decode]:
        with DecodeSandbox(sample_rate=features.sample_rate, limits=decode_limits(settings)) as sandbox:
            sandbox.wait_ready()
            yield sandbox.decode

    return FeatureMaker(
        features=features,
        filterbank=filterbank,
        cache=cache or default_cache(),
        open_decoder=open_decoder,
        threads=len(os.sched_getaffinity(0)),
    )


@dataclass(frozen=True)
class _Missing:
    """A file that the cache does not know."""

    sha256: str


def _unreadable(error: OSError) -> str:
    return f"it cannot be read: {error.strerror}"
