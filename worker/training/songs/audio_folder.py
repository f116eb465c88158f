"""A folder of audio by genre -> its songs, ready to learn from or to be scored on.

What cannot be used is named, left out and counted. It splits nothing: `sources.py` does.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from rich.console import Console

from shared.errors import DataUnavailable
from shared.settings import Settings
from worker.checkpoint import Checkpoint
from worker.training.songs.audio_features import FeatureMaker, service_features
from worker.training.songs.audio_songs import AudioSongs
from worker.training.songs.feature_cache import CachedMel
from worker.training.songs.known_songs import without_known
from worker.training.songs.song_files import LeftOut, Listing, SongFile, list_folder

Say = Callable[[str], None]
"""Tells the user one sentence."""
_Found = tuple[SongFile, CachedMel]


def scored_folder(
    folder: Path, checkpoint: Checkpoint, cache: Path | None, settings: Settings, data: Path
) -> AudioSongs:
    """The songs of a folder that this checkpoint can be scored on, heard as the service hears them.

    data: the data folder, for checkpoints that were trained on its lists.
    """
    maker = service_features(checkpoint.features, checkpoint.mel_filterbank, cache, settings)
    console = Console(stderr=True)

    def say(sentence: str) -> None:
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)

    return without_known(load_audio_folder(folder, maker, checkpoint.genres, say), checkpoint, data, say)


def load_audio_folder(folder: Path, maker: FeatureMaker, genres: tuple[str, ...], say: Say) -> AudioSongs:
    """The songs of a folder that are of these genres, to be scored; says which folders are of another."""
    listing = list_folder(folder)
    for genre in listing.empty:
        say(f"left out the genre {genre}: its folder holds no file")
    counts = Counter(file.genre for file in listing.files)
    for genre in sorted(counts.keys() - set(genres)):
        say(f"left out the genre {genre} with {counts[genre]} files: the checkpoint does not know it")
    known = tuple(file for file in listing.files if file.genre in genres)
    if not known:
        raise DataUnavailable(f"{folder} has no file in a folder named {', '.join(genres)}.")
    return load_songs(replace(listing, files=known), maker, genres, say)


def load_songs(listing: Listing, maker: FeatureMaker, genres: tuple[str, ...], say: Say) -> AudioSongs:
    """The songs of a listing, labelled through these genres; DataUnavailable where none can be used.

    Left out are files that cannot be decoded, are silent or too short, and second copies of a song. A song
    that is there under two genres is left out altogether: nothing tells which is right.
    """
    mels = maker.mels([file.path for file in listing.files])
    pairs = list(zip(listing.files, mels, strict=True))
    found = [(file, mel) for file, mel in pairs if isinstance(mel, CachedMel)]
    kept, repeated = _each_once(found)
    bad = [LeftOut(name=file.name, reason=mel) for file, mel in pairs if isinstance(mel, str)]
    left_out = [*listing.left_out, *bad, *repeated]
    for each in left_out:
        say(f"left out {each.name}: {each.reason}")
    if left_out:
        say(f"{len(kept)} songs are used, {len(left_out)} files were left out")
    if not kept:
        raise DataUnavailable(f"No file in {listing.folder} is a song that can be used.")
    return AudioSongs(
        names=tuple(file.name for file, _ in kept),
        genres=genres,
        labels=torch.tensor([genres.index(file.genre) for file, _ in kept]),
        mels=tuple(mel for _, mel in kept),
        features=maker.features,
    )


def _each_once(found: Sequence[_Found]) -> tuple[list[_Found], list[LeftOut]]:
    """The first file of each song, told by its spectrogram and not by its bytes: tags do not matter."""
    copies = defaultdict(list)
    for file, mel in found:
        copies[mel.sha256].append(file)
    kept, left_out = [], []
    for file, mel in found:
        same = copies[mel.sha256]
        others = [other.name for other in same if other is not file]
        if len({other.genre for other in same}) > 1:
            reason = f"the same song is under another genre, too: {', '.join(others)}"
        elif file is not same[0]:
            reason = f"it is the same song as {same[0].name}"
        else:
            kept.append((file, mel))
            continue
        left_out.append(LeftOut(name=file.name, reason=reason))
    return kept, left_out
