"""How good logits are: accuracy, macro-F1, top-3, calibration.

Pure: tensors in, numbers out.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

CALIBRATION_BINS = 10  # with equally many songs each
CALIBRATION_DRAWS = 2_000


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
    confusion = torch.zeros(len(genres), len(genres), dtype=torch.long)
    confusion.index_put_((labels, predicted), torch.ones_like(labels), accumulate=True)
    each = {genre: _genre_scores(confusion, row) for row, genre in enumerate(genres)}
    present = [scores.f1 for scores in each.values() if scores.songs]
    return Scores(
        songs=len(labels),
        accuracy=_mean(predicted == labels),
        macro_f1=sum(present) / len(present),
        top_3=_mean(
            (probabilities.topk(min(3, len(genres)), dim=1).indices == labels.unsqueeze(1)).any(dim=1)
        ),
        nll=float(F.nll_loss(probabilities.log(), labels)),
        brier=float((probabilities - F.one_hot(labels, len(genres))).square().sum(dim=1).mean()),
        ece=expected_calibration_error(probabilities, labels),
        ece_if_calibrated=calibrated_range(probabilities),
        genres=each,
        confusion=confusion.tolist(),
    )


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


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The divisor of the logits with the smallest negative log-likelihood, between 0.2 and 5."""
    candidates = torch.logspace(-0.7, 0.7, 281, base=10.0, dtype=torch.float64)  # steps of 1.2 %
    losses = [float(F.cross_entropy(logits.double() / t, labels)) for t in candidates]
    return float(candidates[int(torch.tensor(losses).argmin())])


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
