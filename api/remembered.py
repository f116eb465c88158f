"""Answers that are remembered, up to a bound: whatever strangers ask, it does not grow beyond."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

MOST_REMEMBERED: Final = 4_096

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """The youngest answers, so many at most; of those that have a time, none that is over it."""

    def __init__(self, *, seconds: float | None = None, most: int = MOST_REMEMBERED) -> None:
        self._seconds = seconds
        self._most = most
        self._answers: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, question: K, now: float) -> V | None:
        """None where nothing is remembered."""
        if question not in self._answers:
            return None
        answered_at, answer = self._answers[question]
        is_old = self._seconds is not None and now - answered_at >= self._seconds
        return None if is_old else answer

    def put(self, question: K, answer: V, now: float) -> None:
        """`now` is from before the question was asked: an answer is as old as that."""
        self._answers[question] = (now, answer)
        self._answers.move_to_end(question)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)
