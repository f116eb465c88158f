"""Work in threads: all of it once, a little ahead, and no longer than somebody reads."""

import threading

import pytest

from genrewiz.commands.threads import AHEAD, in_threads
from support.waiting import eventually


def test_each_thing_is_worked_on_once():
    assert sorted(in_threads(lambda number: number * 2, range(500), threads=4)) == list(range(0, 1000, 2))


def test_as_many_things_at_once_as_there_are_threads():
    together = threading.Barrier(3, timeout=30)

    def work(number: int) -> int:
        together.wait()
        return number

    assert sorted(in_threads(work, range(3), threads=3)) == [0, 1, 2]


def test_no_more_is_taken_than_a_little_before_somebody_reads():
    taken = []

    results = in_threads(taken.append, range(100_000), threads=2)
    next(results)

    eventually(lambda: len(taken) == AHEAD * 2 + 1)
    with pytest.raises(AssertionError):
        eventually(lambda: len(taken) > AHEAD * 2 + 1, seconds=0.2)
    results.close()


def test_whoever_has_had_enough_is_not_kept_waiting_and_no_more_is_begun():
    taken, hold = [], threading.Event()

    def work(number: int) -> int:
        taken.append(number)
        if number:
            hold.wait()
        return number

    results = in_threads(work, range(100), threads=2)
    assert next(results) == 0
    results.close()
    hold.set()

    eventually(lambda: threading.active_count() == 1 or not own_threads())
    assert len(taken) <= AHEAD * 2 + 1


def own_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "run" in thread.name]


def test_an_exception_of_the_work_ends_it():
    def work(number: int) -> int:
        if number == 3:
            raise KeyError(number)
        return number

    with pytest.raises(KeyError):
        list(in_threads(work, range(100), threads=1))
