"""Between the pipelines and the model: gathers windows into batches for the device.

It waits for nothing: what has gathered while the device was busy goes next, so that an idle service answers
at once and a busy one in full batches. On a CPU a batch is one window, because more do not pay there.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import NamedTuple

import torch
from torch import Tensor

Run = Callable[[Tensor], Tensor]
"""(batch, 640, 128) dB -> (batch, genres) logits."""

WORTHWHILE = 1.1
"""A batch twice as large is worth its memory where it is at least this much faster a window."""


class _Item(NamedTuple):
    window: Tensor  # (640, 128) dB
    answer: "Future[Tensor]"  # (genres,) logits


class Batcher:
    """Runs the model for many threads at once, in `lanes` threads of its own."""

    def __init__(
        self, run: Run, *, max_batch: int, lanes: int = 1, on_batch: Callable[[int], None] = lambda _: None
    ) -> None:
        """on_batch hears the size of each batch before it runs."""
        self._run = run
        self._max_batch = max_batch
        self._on_batch = on_batch
        self._waiting: SimpleQueue[_Item | None] = SimpleQueue()
        self._lanes = [
            threading.Thread(target=self._loop, name=f"batcher-{lane}", daemon=True) for lane in range(lanes)
        ]
        for thread in self._lanes:
            thread.start()

    def submit(self, window: Tensor) -> "Future[Tensor]":
        """The logits (genres,) of a window (640, 128) in dB, when the device has got to it.

        Whoever cancels the answer before that spares the device the window.
        """
        answer: Future[Tensor] = Future()
        self._waiting.put(_Item(window, answer))
        return answer

    def close(self) -> None:
        """Finish what waits, then end."""
        for _ in self._lanes:
            self._waiting.put(None)
        for thread in self._lanes:
            thread.join()

    def _loop(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch = [first] if _is_wanted(first) else []
            while len(batch) < self._max_batch:
                try:
                    item = self._waiting.get_nowait()
                except Empty:
                    break
                if item is None:
                    self._waiting.put(None)  # the sign to end comes after this batch
                    break
                if _is_wanted(item):
                    batch.append(item)
            if batch:
                self._answer(batch)

    def _answer(self, batch: Sequence[_Item]) -> None:
        self._on_batch(len(batch))
        try:
            logits = self._run(torch.stack([item.window for item in batch]))
        except Exception as error:  # noqa: BLE001  it goes to whoever waits for the answer
            if len(batch) == 1:
                batch[0].answer.set_exception(error)
                return
            for item in batch:  # one bad window fails alone
                self._answer([item])
        else:
            for item, row in zip(batch, logits, strict=True):
                item.answer.set_result(row)


def _is_wanted(item: _Item) -> bool:
    """False where the answer was cancelled; from here on it cannot be any more."""
    return item.answer.set_running_or_notify_cancel()


def worthwhile_batch(
    run: Run, window: Tensor, *, limit: int, clock: Callable[[], float] = time.perf_counter
) -> int:
    """The largest power of two up to `limit` that still makes a window clearly cheaper than half of it does.

    window: (640, 128) dB, on the device. A batch that does not fit into the device's memory ends the search.
    """
    best, best_seconds = 1, _seconds_per_window(run, window, 1, clock)
    while best * 2 <= limit:
        try:
            seconds = _seconds_per_window(run, window, best * 2, clock)
        except torch.OutOfMemoryError:
            break
        if best_seconds < WORTHWHILE * seconds:
            break
        best, best_seconds = best * 2, seconds
    return best


def _seconds_per_window(run: Run, window: Tensor, size: int, clock: Callable[[], float]) -> float:
    batch = window.expand(size, *window.shape)
    run(batch).cpu()  # warm
    start = clock()
    run(batch).cpu()  # the copy waits for the device
    return (clock() - start) / size
