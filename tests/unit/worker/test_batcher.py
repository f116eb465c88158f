"""Between the pipelines and the model."""

import threading

import pytest
import torch

from worker.batcher import Batcher, worthwhile_batch

WINDOW = torch.zeros(4, 2)


def summed(batch: torch.Tensor) -> torch.Tensor:
    """A model: (batch, 4, 2) -> (batch, 1). A window of NaN breaks it."""
    if batch.isnan().any():
        raise ValueError("bad window")
    return batch.sum(dim=(1, 2))[:, None]


class HeldModel:
    """A device that is busy until it is released."""

    def __init__(self) -> None:
        self.busy, self.release = threading.Event(), threading.Event()

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        self.busy.set()
        self.release.wait()
        return summed(batch)


def test_each_window_gets_its_own_answer():
    batcher = Batcher(summed, max_batch=8)

    answers = [batcher.submit(WINDOW + number) for number in range(20)]

    assert [answer.result().item() for answer in answers] == [8.0 * number for number in range(20)]
    batcher.close()


def test_what_gathers_while_the_device_is_busy_goes_in_one_batch():
    model, sizes = HeldModel(), []
    batcher = Batcher(model, max_batch=8, on_batch=sizes.append)
    answers = [batcher.submit(WINDOW)]
    model.busy.wait()

    answers += [batcher.submit(WINDOW) for _ in range(11)]
    model.release.set()
    for answer in answers:
        answer.result()

    assert sizes == [1, 8, 3]
    batcher.close()


def test_on_a_cpu_every_batch_is_one_window():
    model, sizes = HeldModel(), []
    batcher = Batcher(model, max_batch=1, lanes=2, on_batch=sizes.append)
    answers = [batcher.submit(WINDOW) for _ in range(5)]

    model.release.set()
    for answer in answers:
        answer.result()

    assert sizes == [1] * 5
    batcher.close()


def test_one_bad_window_fails_alone():
    model = HeldModel()
    batcher = Batcher(model, max_batch=8)
    first = batcher.submit(WINDOW)
    model.busy.wait()
    bad = batcher.submit(WINDOW * float("nan"))
    good = [batcher.submit(WINDOW + 1) for _ in range(5)]

    model.release.set()

    assert first.result().item() == 0
    assert [answer.result().item() for answer in good] == [8.0] * 5
    with pytest.raises(ValueError, match="bad window"):
        bad.result()
    batcher.close()


def test_to_close_answers_what_still_waits():
    batcher = Batcher(summed, max_batch=4, lanes=2)
    answers = [batcher.submit(WINDOW + 1) for _ in range(50)]

    batcher.close()

    assert all(answer.done() for answer in answers)


@pytest.mark.parametrize(("pays_up_to", "expected"), [(1, 1), (8, 8), (1_000, 32)])
def test_a_batch_grows_for_as_long_as_that_pays(pays_up_to, expected):
    clock = FakeClock(pays_up_to)

    size = worthwhile_batch(clock.run, WINDOW, limit=32, clock=clock)

    assert size == expected


class FakeClock:
    """A device on which a batch costs the same up to a size, and in proportion beyond it."""

    def __init__(self, pays_up_to: int) -> None:
        self._pays_up_to, self._now = pays_up_to, 0.0

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        self._now += max(1.0, len(batch) / self._pays_up_to)
        return batch

    def __call__(self) -> float:
        return self._now


def test_a_batch_that_does_not_fit_into_memory_ends_the_search():
    def run(batch: torch.Tensor) -> torch.Tensor:
        if len(batch) > 4:
            raise torch.OutOfMemoryError
        return batch

    ticks = iter(range(100))

    assert worthwhile_batch(run, WINDOW, limit=32, clock=lambda: next(ticks)) == 4


def test_a_window_that_nobody_wants_any_more_is_spared_the_device():
    model, sizes = HeldModel(), []
    batcher = Batcher(model, max_batch=8, on_batch=sizes.append)
    first = batcher.submit(WINDOW)
    model.busy.wait()
    unwanted = [batcher.submit(WINDOW) for _ in range(3)]
    wanted = batcher.submit(WINDOW)

    assert all(answer.cancel() for answer in unwanted)
    model.release.set()

    assert wanted.result().item() == first.result().item() == 0
    assert sizes == [1, 1]
    batcher.close()


def test_windows_that_nobody_wants_leave_the_device_idle():
    model, sizes = HeldModel(), []
    batcher = Batcher(model, max_batch=1, on_batch=sizes.append)
    batcher.submit(WINDOW)
    model.busy.wait()
    batcher.submit(WINDOW).cancel()
    model.release.set()

    batcher.close()

    assert sizes == [1]
