"""What a run trains on and what validates it: the data folder's spectrograms, or a folder of audio.

Decides how songs are split, in exactly one way, and says what it leaves out. Test lists are not given out.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from shared.errors import DataUnavailable, SetupError
from shared.settings import read_settings
from worker.features import FeatureSettings
from worker.training.songs.audio_features import FeatureMaker, service_features
from worker.training.songs.audio_folder import Say, load_songs
from worker.training.songs.audio_songs import AudioSongs
from worker.training.songs.features import mel_filterbank
from worker.training.songs.groups import read_groups
from worker.training.songs.gtzan import data_folder, find_data, load_gtzan
from worker.training.songs.lists import Split, published_split
from worker.training.songs.song_files import Listing, SongFile, list_folder
from worker.training.songs.songs import Songs
from worker.training.songs.splits import validation_rows

VALIDATION_SHARE = 0.2  # of the songs, where no list says which validate
LEAKS = (
    "Warning: a random split leaks: songs by one artist are on both sides, and the validation figures will "
    "be better than the model is."
)


@dataclass(frozen=True, kw_only=True)
class AudioSource:
    """A folder of audio as the command line names it, and how it is split."""

    folder: Path
    groups: Path | None = None
    random_split: bool = False
    cache: Path | None = None  # by default the user's


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """Two sides without a song in common."""

    songs: Songs
    valid: Songs
    lists: str  # filtered, fold1, ... for the data folder's spectrograms; audio
    split: str  # filtered, fold1, ...; groups; random

    def provenance(self) -> Mapping[str, Any]:
        """What a checkpoint says of it."""
        counts = Counter(self.songs.genres[label] for label in self.songs.labels.tolist())
        return {
            "lists": self.lists,
            "split": self.split,
            "data_sha256": self.songs.sha256(),
            "valid_sha256": self.valid.sha256(),
            "songs_per_genre": {genre: counts[genre] for genre in self.songs.genres},
            "songs": sorted({*self.songs.identities(), *self.valid.identities()}),
        }


def audio_source(
    folder: Path | None, *, groups: Path | None, random_split: bool, cache: Path | None
) -> AudioSource | None:
    """The options as one value; SetupError where they split a folder that is not named."""
    if folder is None:
        if groups is not None or random_split:
            raise SetupError(
                "--groups and --random-split say how --audio is split, and --audio names no folder."
            )
        return None
    return AudioSource(folder=folder, groups=groups, random_split=random_split, cache=cache)


def load_training_data(
    data: Path | None, *, lists: str | None, audio: AudioSource | None, seed: int, say: Say
) -> TrainingData:
    """As the command line asks; a SetupError where it asks for what is not there or does not go together."""
    if audio is None:
        return mel_data(data, lists)
    features = FeatureSettings()
    maker = service_features(features, mel_filterbank(features), audio.cache, read_settings())
    return audio_data(audio, maker, data=data, lists=lists, seed=seed, say=say)


def mel_data(data: Path | None, lists: str | None) -> TrainingData:
    """The data folder's rebuilt spectrograms, by default on the fault-filtered lists."""
    gtzan = load_gtzan(find_data(data))
    split = lists or "filtered"
    names = gtzan.split(split)
    # Rebuilt spectrograms alone: real audio is there for some genres more than for others, and its texture
    # would tell them apart.
    return TrainingData(
        songs=gtzan.rebuilt.chosen(names.train),
        valid=gtzan.rebuilt.chosen(names.valid),
        lists=split,
        split=split,
    )


def audio_data(
    source: AudioSource, maker: FeatureMaker, *, data: Path | None, lists: str | None, seed: int, say: Say
) -> TrainingData:
    """A folder's songs, split by groups, by GTZAN's lists or, where that is asked for, at random."""
    listing = list_folder(source.folder)
    if listing.empty:
        raise DataUnavailable(f"The genre {listing.empty[0]} in {source.folder} has no file.")
    if len(listing.genres) < 2:
        raise DataUnavailable(f"{source.folder} has one genre; to train takes two at least.")
    way = _way(source, listing, data=data, lists=lists, seed=seed, say=say)
    songs = load_songs(way.listing, maker, listing.genres, say)
    valid = {songs.names[row] for row in way.validation(songs)}
    sides = TrainingData(
        songs=songs.chosen(tuple(name for name in songs.names if name not in valid)),
        valid=songs.chosen(tuple(name for name in songs.names if name in valid)),
        lists="audio",
        split=way.name,
    )
    _check(sides, source.folder, say)
    return sides


@dataclass(frozen=True, kw_only=True)
class _Way:
    """One way of splitting: which files it takes, and which rows of their songs validate."""

    name: str
    listing: Listing
    validation: Callable[[AudioSongs], Iterable[int]]


def _way(
    source: AudioSource, listing: Listing, *, data: Path | None, lists: str | None, seed: int, say: Say
) -> _Way:
    if [source.groups is not None, source.random_split, lists is not None].count(True) > 1:
        raise SetupError("--groups, --lists and --random-split exclude each other.")
    if source.random_split:
        say(LEAKS)
        return _by_groups("random", listing, lambda name: name, seed)
    if source.groups is not None:
        names = [file.name for file in listing.files]
        groups = read_groups(source.groups, names, [each.name for each in listing.left_out])
        return _by_groups("groups", listing, groups.__getitem__, seed)
    if not all(_is_of_gtzan(file) for file in listing.files):
        raise SetupError(
            f"{source.folder} must be split so that no artist is on both sides: with --groups FILE.csv "
            "(columns file,group), by the lists of GTZAN where its files are named as there "
            "(blues/blues.00000.wav), or with --random-split, which leaks."
        )
    return _by_lists(listing, published_split(data_folder(data) / "gtzan", lists or "filtered"), lists, say)


def _by_groups(name: str, listing: Listing, group: Callable[[str], str], seed: int) -> _Way:
    def validation(songs: AudioSongs) -> Iterable[int]:
        groups = [group(name) for name in songs.names]
        return validation_rows(songs.labels.tolist(), groups, share=VALIDATION_SHARE, seed=seed)

    return _Way(name=name, listing=listing, validation=validation)


def _by_lists(listing: Listing, split: Split, lists: str | None, say: Say) -> _Way:
    wanted = {*split.train, *split.valid}
    files = tuple(file for file in listing.files if file.path.stem in wanted)
    name = lists or "filtered"
    if unlisted := len(listing.files) - len(files):
        say(f"{unlisted} of {len(listing.files)} files are on neither list of {name} that training looks at")
    if absent := len(wanted - {file.path.stem for file in files}):
        say(f"{absent} of {len(wanted)} songs on the lists of {name} are not in the folder")

    def validation(songs: AudioSongs) -> Iterable[int]:
        return [row for row, name in enumerate(songs.names) if PurePosixPath(name).stem in split.valid]

    return _Way(name=name, listing=replace(listing, files=files), validation=validation)


def _is_of_gtzan(file: SongFile) -> bool:
    return re.fullmatch(rf"{re.escape(file.genre)}\.\d{{5}}", file.path.stem) is not None


def _check(sides: TrainingData, folder: Path, say: Say) -> None:
    """DataUnavailable where a side lacks what it needs; what is merely poor is said."""
    genres = sides.songs.genres
    for genre in genres:
        if genres.index(genre) not in sides.songs.labels:
            raise DataUnavailable(f"No song of {genre} in {folder} is left to train on.")
    if not len(sides.valid):
        raise DataUnavailable(
            f"No song in {folder} is left to validate on: a genre needs two groups for that."
        )
    for genre in genres:
        if genres.index(genre) not in sides.valid.labels:
            say(f"no song of {genre} is left to validate on")
    say(f"{len(sides.songs)} songs to train on, {len(sides.valid)} to validate on, split by {sides.split}")
