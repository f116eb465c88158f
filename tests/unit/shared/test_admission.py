"""How long a refused caller is asked to stay away."""

import pytest

from shared.admission import LONGEST_SECONDS, UNKNOWN_SECONDS, retry_after_seconds


@pytest.mark.parametrize(
    ("waiting", "drained_in_a_minute", "seconds"),
    [
        (100, 60, 10),  # a tenth of a hundred jobs, at one a second
        (100, 59, 11),  # whole seconds, upwards
        (1_000, 600, 10),
        (1, 600, 1),
        (0, 60, 1),
        (10_000, 1, LONGEST_SECONDS),
    ],
)
def test_a_caller_stays_away_until_a_tenth_of_the_queue_has_drained(waiting, drained_in_a_minute, seconds):
    assert retry_after_seconds(waiting=waiting, drained_in_a_minute=drained_in_a_minute) == seconds


@pytest.mark.parametrize("waiting", [0, 1, 10_000])
def test_where_nothing_drains_nobody_knows_how_long(waiting):
    assert retry_after_seconds(waiting=waiting, drained_in_a_minute=0) == UNKNOWN_SECONDS


def test_a_longer_queue_never_means_a_shorter_wait():
    waits = [retry_after_seconds(waiting=waiting, drained_in_a_minute=30) for waiting in range(0, 5_000, 7)]

    assert waits == sorted(waits)
