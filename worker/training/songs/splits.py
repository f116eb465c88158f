"""Which songs validate: whole groups of them, of each genre about the same share.

Pure: labels and groups in, rows out. What a group is (an artist, or a song by itself) is the caller's to say.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import torch

GROUPS = -1  # counted like a genre: how many groups there are
TRIES = 20  # orders in which groups are offered; the one that comes closest is taken


def validation_rows(
    labels: Sequence[int], groups: Sequence[str], *, share: float, seed: int
) -> tuple[int, ...]:
    """The rows that validate, in order; the same for the same seed.

    No group is on both sides, and each genre keeps a song to train on. A genre with several groups has one
    that validates; of a genre that is one group there is none.
    """
    members: dict[str, Counter[int]] = {}
    for label, group in zip(labels, groups, strict=True):
        # Groups have their share, too: by songs alone the small ones would validate and the large ones train.
        members.setdefault(group, Counter({GROUPS: 1}))[label] += 1
    songs = _songs_of(members, members)
    names = sorted(members)
    generator = torch.Generator().manual_seed(seed)
    tries = [
        _taken(
            [names[place] for place in torch.randperm(len(names), generator=generator)], members, songs, share
        )
        for _ in range(TRIES)
    ]
    valid = min(tries, key=lambda taken: _distance(_songs_of(taken, members), songs, share))
    return tuple(row for row, group in enumerate(groups) if group in valid)


def _taken(
    order: Sequence[str], members: Mapping[str, Counter[int]], songs: Counter[int], share: float
) -> set[str]:
    """Groups taken one after another, each where it brings the shares closer."""
    taken: set[str] = set()
    valid: Counter[int] = Counter()
    for group in order:
        more = valid + members[group]
        if _trainable(more, songs) and _distance(more, songs, share) < _distance(valid, songs, share):
            taken.add(group)
            valid = more
    for genre in songs:
        # Where all groups are too large for the share, the smallest is still better than none.
        if valid[genre]:
            continue
        having = [group for group in order if members[group][genre]]
        if fit := [group for group in having if _trainable(valid + members[group], songs)]:
            smallest = min(fit, key=lambda group: members[group].total())
            taken.add(smallest)
            valid += members[smallest]
    return taken


def _songs_of(groups: Iterable[str], members: Mapping[str, Counter[int]]) -> Counter[int]:
    return sum((members[group] for group in groups), Counter())


def _trainable(valid: Counter[int], songs: Counter[int]) -> bool:
    return all(valid[genre] < count for genre, count in songs.items())


def _distance(valid: Counter[int], songs: Counter[int], share: float) -> float:
    """How far the genres are from the share that they should have."""
    return sum((valid[genre] / count - share) ** 2 for genre, count in songs.items())
