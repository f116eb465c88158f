"""When a job will have ended, as far as anybody can tell."""

import pytest

from shared.eta import LEAST_FRACTION, eta_of_running, eta_of_waiting


@pytest.mark.parametrize(
    ("queue_position", "drained_in_a_minute", "seconds"),
    [
        (0, 60, 1),
        (0, 10, 6),
        (1, 10, 12),
        (9, 60, 10),
        (9, 59, 11),  # whole seconds, upwards
        (0, 600, 1),  # never none: it has not ended yet
        (999, 30, 2_000),
    ],
)
def test_who_waits_is_told_as_long_as_he_and_all_before_him_take(
    queue_position, drained_in_a_minute, seconds
):
    told = eta_of_waiting(queue_position=queue_position, drained_in_a_minute=drained_in_a_minute)

    assert told == seconds


@pytest.mark.parametrize("queue_position", [0, 3])
@pytest.mark.parametrize("drained_in_a_minute", [-1, 0, 1, 9])
def test_where_little_ended_lately_nobody_knows_how_long_it_takes(queue_position, drained_in_a_minute):
    told = eta_of_waiting(queue_position=queue_position, drained_in_a_minute=drained_in_a_minute)

    assert told is None


def test_who_is_next_is_never_told_that_it_takes_long():
    told = [eta_of_waiting(queue_position=0, drained_in_a_minute=drained) for drained in range(1_000)]

    assert max(seconds for seconds in told if seconds is not None) <= 6


@pytest.mark.parametrize(
    ("ran_seconds", "fraction", "seconds"),
    [
        (10, 0.5, 10),
        (10, 0.25, 30),
        (1, 0.75, 1),  # a third, upwards
        (10, 1.0, 0),
        (0, 0.5, 0),
        (9, LEAST_FRACTION, 81),
    ],
)
def test_what_is_left_of_a_run_takes_as_long_as_what_is_done_has_taken(ran_seconds, fraction, seconds):
    assert eta_of_running(ran_seconds=ran_seconds, fraction=fraction) == pytest.approx(seconds, abs=1e-9)


@pytest.mark.parametrize("fraction", [0.0, LEAST_FRACTION - 1e-9])
def test_the_beginning_of_a_run_tells_nothing_of_its_end(fraction):
    assert eta_of_running(ran_seconds=10, fraction=fraction) is None


def test_a_clock_that_went_back_tells_nothing():
    assert eta_of_running(ran_seconds=-0.001, fraction=0.5) is None
