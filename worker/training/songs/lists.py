"""The published lists that split GTZAN by artist, as names such as "blues.00000".

Reads lists and no sound. A random split is not among them: GTZAN has several clips by one artist, and a split
that ignores it measures memory.
"""

from dataclasses import dataclass
from pathlib import Path

from shared.errors import DataUnavailable, SetupError
from worker.training.songs.splits import validation_rows

LISTS = ("filtered", "fold1", "fold2", "fold3")
FOLD_VALIDATION_SHARE = 0.15  # of a fold's songs to train on, whole artists of them
FOLD_SEED = 0  # not the run's: runs with other seeds are compared on the same songs


@dataclass(frozen=True, kw_only=True)
class Split:
    """Three lists without an artist in common."""

    train: tuple[str, ...]
    valid: tuple[str, ...]
    test: tuple[str, ...]


def published_split(folder: Path, lists: str) -> Split:
    """The lists of `folder`/splits: Kereliuk, Sturm and Larsen's "filtered", or one of three artist folds.

    A fold has no list to validate on: some artists of its training list become one.
    """
    if lists == "filtered":
        return Split(**{split: filtered_list(folder, split) for split in ("train", "valid", "test")})
    if lists not in LISTS:
        raise SetupError(f"No lists are called {lists!r}; there are {', '.join(LISTS)}.")
    return _fold(folder / "splits" / "artist3fold", f"f{lists.removeprefix('fold')}")


def filtered_list(folder: Path, split: str) -> tuple[str, ...]:
    """The names on the fault-filtered list of this split: train, valid or test."""
    return tuple(Path(line).stem for line in _lines(folder / "splits" / f"{split}_filtered.txt"))


def _fold(folder: Path, fold: str) -> Split:
    # A line is "./blues_00012.wav", a tab, and the artist's number.
    pairs = [line.split("\t") for line in _lines(folder / f"{fold}_train_groups.txt")]
    names = [_name(pair[0]) for pair in pairs]
    genres = [name.partition(".")[0] for name in names]
    labels = [sorted(set(genres)).index(genre) for genre in genres]
    artists = [pair[-1] for pair in pairs]
    valid = set(validation_rows(labels, artists, share=FOLD_VALIDATION_SHARE, seed=FOLD_SEED))
    return Split(
        train=tuple(name for row, name in enumerate(names) if row not in valid),
        valid=tuple(name for row, name in enumerate(names) if row in valid),
        test=tuple(_name(line) for line in _lines(folder / f"{fold}_test.txt")),
    )


def _name(file: str) -> str:
    return Path(file).stem.replace("_", ".", 1)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataUnavailable(f"The list {path} cannot be read.") from error
