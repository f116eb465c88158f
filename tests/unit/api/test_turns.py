"""Turns are taken one in a round of the loop, in the order of asking."""

import gevent

from api.turns import Turns


def test_nobody_has_a_second_turn_before_all_had_their_first_and_the_loop_goes_on_in_between():
    turns = Turns()
    taken: list[str] = []
    rounds: list[int] = []

    def work(name: str) -> None:
        for _ in range(3):
            turns.wait()
            taken.append(name)
            rounds.append(loops[0])

    loops = [0]

    def loop() -> None:
        while True:
            gevent.sleep(1e-9)
            loops[0] += 1

    other = gevent.spawn(loop)
    gevent.joinall([gevent.spawn(work, name) for name in "abc"])
    other.kill()

    assert taken == ["a", "b", "c"] * 3
    assert len(set(rounds)) == len(rounds)


def test_whoever_is_killed_in_the_queue_does_not_hold_it_up():
    turns = Turns()
    passed: list[int] = []

    def work(number: int) -> None:
        turns.wait()
        passed.append(number)

    workers = [gevent.spawn(work, number) for number in range(3)]
    workers[1].kill()
    gevent.joinall(workers)

    assert passed == [0, 2]
