"""What the model says about a song, as values.

Pure: no tensors, no I/O, no JSON (`wire.py` has that).
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ModelIdentity:
    """Which model gave an answer: enough to get the same one again."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One genre with its calibrated probability."""

    genre: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class TimelineEntry:
    """What one window of the song says; probabilities are in the model's order of genres."""

    start_seconds: float
    end_seconds: float
    genre: str
    probabilities: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Classification:
    """All genres of a song, likeliest first, and how they came about window by window."""

    predictions: tuple[Prediction, ...]
    timeline: tuple[TimelineEntry, ...]
