"""What a service gains by saying nothing where it is unsure: coverage and accuracy over thresholds.

Pure: tensors in, numbers out. A threshold is the API's `min_confidence`: an answer is given at it and above.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

THRESHOLDS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
WANTED_ACCURACY = 0.8  # of the answers that the recommended threshold lets through
STEP = 0.05  # of recommended thresholds
FEWEST_ANSWERS = 20  # a share of fewer songs says too little to recommend anything


@dataclass(frozen=True, kw_only=True)
class Abstention:
    """A list of songs at one threshold. Shares in 0 ... 1."""

    min_confidence: float
    answered: int  # songs
    coverage: float  # share of the songs that get an answer
    accuracy: float | None  # share of the answers that are right; None where there are none


def abstention(
    probabilities: Tensor, labels: Tensor, thresholds: tuple[float, ...] = THRESHOLDS
) -> tuple[Abstention, ...]:
    """The list at each threshold, from calibrated probabilities (songs, genres)."""
    confidence, predicted = probabilities.max(dim=1)
    right = predicted == labels
    return tuple(_at(confidence, right, threshold) for threshold in thresholds)


def recommended_threshold(probabilities: Tensor, labels: Tensor) -> Abstention | None:
    """The lowest round threshold whose answers are right often enough; None where none is."""
    steps = tuple(round(step * STEP, 2) for step in range(round(1 / STEP)))
    for candidate in abstention(probabilities, labels, steps):
        if candidate.answered < FEWEST_ANSWERS or candidate.accuracy is None:
            return None
        if candidate.accuracy >= WANTED_ACCURACY:
            return candidate
    return None


def _at(confidence: Tensor, right: Tensor, threshold: float) -> Abstention:
    answered = confidence >= threshold
    count = int(answered.sum())
    return Abstention(
        min_confidence=threshold,
        answered=count,
        coverage=count / len(confidence),
        accuracy=float(torch.mean(right[answered].double())) if count else None,
    )
