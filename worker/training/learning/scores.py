"""How good logits are: accuracy, macro-F1, top-3, calibration.

Pure: tensors in, numbers out.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

CALIBRATION_BINS = 10  # with equally many songs each
CALIBRATION_DRAWS = 2_000
COLDEST, HOTTEST = 10**-0.7, 10**0.7  # temperatures that are tried: 0.2 to 5


@dataclass(frozen=True, kw_only=True)
class GenreScores:
    """One genre's part."""

    songs: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What a list of songs says about a model. Rates are shares in 0 ... 1."""

    songs: int
    accuracy: float
    macro_f1: float
    top_3: float
    nll: float  # nats
    brier: float
    ece: float
    ece_if_calibrated: tuple[float, float]  # the 95 % range of a perfectly calibrated model on as many songs
    genres: dict[str, GenreScores]
    confusion: list[list[int]]  # rows are true, columns predicted


def score(logits: Tensor, labels: Tensor, genres: tuple[str, ...], *, temperature: float = 1.0) -> Scores:
    """Scores of logits (songs, genres); macro-F1 is over the genres that the list holds."""
    probabilities = torch.softmax(logits.double() / temperature, dim=1)
    predicted = probabilities.argmax(dim=1)
    confusion = confusion_matrix(labels, predicted, len(genres))
    each = {genre: _genre_scores(confusion, row) for row, genre in enumerate(genres)}
    return Scores(
        songs=len(labels),
        accuracy=_mean(predicted == labels),
        macro_f1=float(macro_f1(confusion)),
        top_3=_mean(
            (probabilities.topk(min(3, len(genres)), dim=1).indices == labels.unsqueeze(1)).any(dim=1)
        ),
        nll=float(F.cross_entropy(logits.double() / temperature, labels)),
        brier=float((probabilities - F.one_hot(labels, len(genres))).square().sum(dim=1).mean()),
        ece=expected_calibration_error(probabilities, labels),
        ece_if_calibrated=calibrated_range(probabilities),
        genres=each,
        confusion=confusion.tolist(),
    )


def confusion_matrix(labels: Tensor, predicted: Tensor, genres: int) -> Tensor:
    """(..., genres, genres) counts from genre indices (..., songs); rows are true, columns predicted."""
    cells = labels * genres + predicted
    counts = torch.zeros(*cells.shape[:-1], genres * genres, dtype=torch.long)
    return counts.scatter_add_(-1, cells, torch.ones_like(cells)).view(*cells.shape[:-1], genres, genres)


def macro_f1(confusion: Tensor) -> Tensor:
    """(...) from matrices (..., genres, genres): the mean F1 of the genres that have a song."""
    songs, predicted = confusion.sum(dim=-1), confusion.sum(dim=-2)
    hits = confusion.diagonal(dim1=-2, dim2=-1)
    # A genre without songs or answers divides 0 by 1.
    f1 = 2 * hits.double() / (songs + predicted).clamp(min=1)
    present = songs > 0
    return (f1 * present).sum(dim=-1) / present.sum(dim=-1)


def expected_calibration_error(probabilities: Tensor, labels: Tensor) -> float:
    """Mean distance between confidence and accuracy over bins of equally many songs."""
    confidence, predicted = probabilities.max(dim=1)
    return float(_calibration_errors(confidence, (predicted == labels).double().unsqueeze(0)))


def calibrated_range(probabilities: Tensor) -> tuple[float, float]:
    """Between which ECEs a perfectly calibrated model lies in 95 of 100 lists with these confidences.

    It is not 0 even then: a bin holds few songs, and their number of right answers is drawn by chance.
    """
    confidence = probabilities.amax(dim=1)
    generator = torch.Generator().manual_seed(0)
    chance = torch.rand(CALIBRATION_DRAWS, len(confidence), generator=generator, dtype=torch.float64)
    errors = _calibration_errors(confidence, (chance < confidence).double())
    return float(errors.quantile(0.025)), float(errors.quantile(0.975))


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """Neighbours in confidence: what they claim and how often they are right. Shares in 0 ... 1."""

    songs: int
    confidence: float
    accuracy: float
    accuracy_if_calibrated: tuple[float, float]  # the 95 % range of a perfectly calibrated model's bin


def reliability(probabilities: Tensor, labels: Tensor) -> tuple[ReliabilityBin, ...]:
    """The bins that the ECE is made of, least confident first."""
    confidence, predicted = probabilities.max(dim=1)
    order = confidence.argsort()
    claimed = confidence[order].tensor_split(CALIBRATION_BINS)
    right = (predicted == labels)[order].double().tensor_split(CALIBRATION_BINS)
    generator = torch.Generator().manual_seed(0)
    bins = []
    for claims, hits in zip(claimed, right, strict=True):
        if not len(claims):
            continue
        chance = torch.rand(CALIBRATION_DRAWS, len(claims), generator=generator, dtype=torch.float64)
        drawn = (chance < claims).double().mean(dim=1)
        bins.append(
            ReliabilityBin(
                songs=len(claims),
                confidence=float(claims.mean()),
                accuracy=float(hits.mean()),
                accuracy_if_calibrated=(float(drawn.quantile(0.025)), float(drawn.quantile(0.975))),
            )
        )
    return tuple(bins)


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The divisor of the logits with the smallest negative log-likelihood, from COLDEST to HOTTEST.

    At either end there is none: the logits say too little, or are right always.
    """
    candidates = torch.logspace(
        math.log10(COLDEST), math.log10(HOTTEST), 281, base=10.0, dtype=torch.float64
    )  # steps of 1.2 %
    losses = [float(F.cross_entropy(logits.double() / t, labels)) for t in candidates]
    return float(candidates[int(torch.tensor(losses).argmin())])


def is_at_an_end(temperature: float) -> bool:
    """Whether `fit_temperature` found no smallest loss between its ends."""
    return not COLDEST * 1.001 < temperature < HOTTEST / 1.001


def _calibration_errors(confidence: Tensor, right: Tensor) -> Tensor:
    """ECE (draws,) of right answers (draws, songs) that were given with this confidence (songs,)."""
    order = confidence.argsort()
    gaps = confidence[order] - right[:, order]
    bins = [rows.sum(dim=1).abs() for rows in gaps.tensor_split(CALIBRATION_BINS, dim=1)]
    return torch.stack(bins).sum(dim=0) / len(confidence)


def _genre_scores(confusion: Tensor, row: int) -> GenreScores:
    hits = int(confusion[row, row])
    songs, predicted = int(confusion[row].sum()), int(confusion[:, row].sum())
    return GenreScores(
        songs=songs,
        precision=hits / predicted if predicted else 0.0,
        recall=hits / songs if songs else 0.0,
        f1=2 * hits / (songs + predicted) if songs + predicted else 0.0,
    )


def _mean(right: Tensor) -> float:
    return float(right.double().mean())
