"""How sure a figure is: between which values it would lie with other songs, or with other seeds.

Pure: numbers in, numbers out. The two do not add up to one interval: songs vary within a list, seeds between
trainings, and each figure says which of them it means.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy import stats
from torch import Tensor

from worker.training.learning.scores import confusion_matrix, macro_f1

DRAWS = 4_000  # lists drawn from the list
LOW, HIGH = 0.025, 0.975

Interval = tuple[float, float]  # 95 %


@dataclass(frozen=True, kw_only=True)
class SongIntervals:
    """Where the figures of a list of as many songs of the same kind lie in 95 of 100 cases."""

    accuracy: Interval
    macro_f1: Interval


@dataclass(frozen=True, kw_only=True)
class SeedSpread:
    """One figure over trainings that differ in their seed alone."""

    seeds: int
    mean: float
    standard_deviation: float | None  # of one training; None for a single seed
    interval: Interval | None  # of the mean, by Student's t, cut where the figure ends


def over_songs(labels: Tensor, predicted: Tensor, *, genres: int, seed: int = 0) -> SongIntervals:
    """Percentile bootstrap over songs, from genre indices (songs,).

    Own draws and not `scipy.stats.bootstrap`: both figures come from the same lists in one go, and a list
    without a mistake has an interval too, where SciPy's default is not a number.
    """
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(len(labels), (DRAWS, len(labels)), generator=generator)
    drawn = confusion_matrix(labels[rows], predicted[rows], genres)  # (draws, genres, genres)
    hits = drawn.diagonal(dim1=1, dim2=2).sum(dim=1)
    return SongIntervals(
        accuracy=_percentiles(hits.double() / len(labels)), macro_f1=_percentiles(macro_f1(drawn))
    )


def over_seeds(values: Sequence[float], *, highest: float = 1.0) -> SeedSpread:
    """Mean, spread and the mean's interval of one figure of several trainings.

    highest: that the figure can be, by default a share's; the lowest is 0. Student's t knows of neither.
    """
    mean = math.fsum(values) / len(values)
    if len(values) == 1:
        return SeedSpread(seeds=1, mean=mean, standard_deviation=None, interval=None)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    reach = float(stats.t.ppf(HIGH, len(values) - 1)) * deviation / math.sqrt(len(values))
    interval = (max(0.0, mean - reach), min(highest, mean + reach))
    return SeedSpread(seeds=len(values), mean=mean, standard_deviation=deviation, interval=interval)


def of_share(hits: int, songs: int) -> Interval:
    """Wilson's interval of the share that hits are of these songs; it has a width at none and at all too."""
    z = float(stats.norm.ppf(HIGH))
    share, widening = hits / songs, z * z / songs
    middle = (share + widening / 2) / (1 + widening)
    reach = math.sqrt(widening * (share * (1 - share) + widening / 4)) / (1 + widening)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _percentiles(values: Tensor) -> Interval:
    return float(values.quantile(LOW)), float(values.quantile(HIGH))
