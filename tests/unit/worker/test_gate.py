"""Many together, or one alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.waiting import eventually
from worker.gate import Gate, Occupied


def nothing() -> None:
    """A check that finds nothing."""


@pytest.fixture
def pool():
    with ThreadPoolExecutor(8) as pool:
        yield pool


class Guest:
    """Somebody inside, in a thread of the pool, until it is told to leave."""

    def __init__(self, gate: Gate, pool: ThreadPoolExecutor) -> None:
        self.inside, self._leave = threading.Event(), threading.Event()
        self._future = pool.submit(self._stay, gate)

    def _stay(self, gate: Gate) -> None:
        with gate.together():
            self.inside.set()
            self._leave.wait()

    def leave(self) -> None:
        self._leave.set()
        self._future.result()


def test_many_are_together(pool):
    gate = Gate()
    guests = [Guest(gate, pool) for _ in range(5)]

    assert all(guest.inside.wait(60) for guest in guests)
    for guest in guests:
        guest.leave()


def test_whoever_is_to_be_alone_waits_until_the_others_are_out(pool):
    gate, alone = Gate(), threading.Event()
    guest = Guest(gate, pool)
    assert guest.inside.wait(60)

    def be_alone() -> None:
        with gate.together(), gate.alone(asked.set):
            alone.set()

    asked = threading.Event()
    loner = pool.submit(be_alone)

    assert asked.wait(60)  # it has waited for a while, and was let ask whether it still should
    assert not alone.is_set()
    guest.leave()
    loner.result()
    assert alone.is_set()


def test_nobody_comes_in_while_somebody_is_alone_and_all_do_afterwards(pool):
    gate = Gate()
    with gate.together():
        with gate.alone(nothing):
            guests = [Guest(gate, pool) for _ in range(3)]
            eventually(lambda: len(gate._changed._waiters) == 3)
            assert not any(guest.inside.is_set() for guest in guests)
        assert all(guest.inside.wait(60) for guest in guests)
    for guest in guests:
        guest.leave()


def test_two_cannot_both_wait_to_be_alone(pool):
    gate = Gate()

    first_waits = threading.Event()
    both_in = threading.Barrier(2)

    def first() -> None:
        with gate.together():
            both_in.wait()
            with gate.alone(first_waits.set):
                pass

    with gate.together():
        loner = pool.submit(first)
        both_in.wait()
        assert first_waits.wait(60)
        with pytest.raises(Occupied), gate.alone(nothing):
            pass
    loner.result()


def test_what_the_check_raises_ends_the_wait_and_lets_the_others_in(pool):
    gate = Gate()
    guest = Guest(gate, pool)
    assert guest.inside.wait(60)

    def stop() -> None:
        raise InterruptedError

    with gate.together(), pytest.raises(InterruptedError), gate.alone(stop):
        pass

    other = Guest(gate, pool)
    assert other.inside.wait(60)
    other.leave()
    guest.leave()
