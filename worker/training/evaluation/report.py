"""Everything that is said about a model's answers to one list of songs.

Pure: logits in, one value out, which goes into JSON as it is. It fits nothing; words and pictures are made
elsewhere, from that JSON.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from worker.training.evaluation.abstention import Abstention, abstention
from worker.training.evaluation.intervals import SongIntervals, over_songs
from worker.training.learning.scores import ReliabilityBin, Scores, reliability, score

PAIRS = 10  # of genres that are confused most often
PROBABILITY_DECIMALS = 6  # of a song's answer: another machine repeats it to 1e-4


@dataclass(frozen=True, kw_only=True)
class SongAnswer:
    """One song and what the model says of it."""

    name: str
    genre: str  # what the list calls it
    label: str  # what the model calls it
    probabilities: tuple[float, ...]  # calibrated, in the order of the checkpoint's genres


@dataclass(frozen=True, kw_only=True)
class Confused:
    """Songs of one genre that were given another."""

    genre: str
    heard_as: str
    songs: int
    share: float  # of the genre's songs


@dataclass(frozen=True, kw_only=True)
class Uncalibrated:
    """How far probabilities could be believed without the temperature; accuracy is the same."""

    nll: float  # nats
    brier: float
    ece: float
    ece_if_calibrated: tuple[float, float]
    reliability: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, kw_only=True)
class ListReport:
    """One list of songs. `scores` are of calibrated probabilities."""

    scores: Scores
    intervals: SongIntervals  # 95 %, over songs
    before_temperature: Uncalibrated
    reliability: tuple[ReliabilityBin, ...]
    confused: tuple[Confused, ...]  # the most frequent first
    abstention: tuple[Abstention, ...]
    songs: tuple[SongAnswer, ...]


def report_on(
    logits: Tensor, labels: Tensor, names: tuple[str, ...], genres: tuple[str, ...], *, temperature: float
) -> ListReport:
    """The report on logits (songs, genres) of these songs."""
    scores = score(logits, labels, genres, temperature=temperature)
    probabilities = torch.softmax(logits.double() / temperature, dim=1)
    predicted = probabilities.argmax(dim=1)
    return ListReport(
        scores=scores,
        intervals=over_songs(labels, predicted, genres=len(genres)),
        before_temperature=_uncalibrated(logits, labels, genres),
        reliability=reliability(probabilities, labels),
        confused=confused(scores.confusion, genres),
        abstention=abstention(probabilities, labels),
        songs=tuple(
            SongAnswer(
                name=name,
                genre=genres[label],
                label=genres[answer],
                probabilities=tuple(round(each, PROBABILITY_DECIMALS) for each in row),
            )
            for name, label, answer, row in zip(
                names, labels.tolist(), predicted.tolist(), probabilities.tolist(), strict=True
            )
        ),
    )


def confused(confusion: list[list[int]], genres: tuple[str, ...]) -> tuple[Confused, ...]:
    """The pairs of genres with the most mistakes, in one direction each; equals in the genres' order."""
    pairs = [
        Confused(genre=genre, heard_as=genres[column], songs=songs, share=songs / sum(row))
        for genre, row in zip(genres, confusion, strict=True)
        for column, songs in enumerate(row)
        if songs and genres[column] != genre
    ]
    return tuple(sorted(pairs, key=lambda pair: -pair.songs)[:PAIRS])


def _uncalibrated(logits: Tensor, labels: Tensor, genres: tuple[str, ...]) -> Uncalibrated:
    scores = score(logits, labels, genres)
    return Uncalibrated(
        nll=scores.nll,
        brier=scores.brier,
        ece=scores.ece,
        ece_if_calibrated=scores.ece_if_calibrated,
        reliability=reliability(torch.softmax(logits.double(), dim=1), labels),
    )
