"""Whole groups validate, and of each genre about the same share."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.training.songs.splits import validation_rows

SONGS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abcdefghij")), min_size=1, max_size=60)


@settings(deadline=None)
@given(SONGS, st.integers(0, 5))
def test_no_group_is_on_both_sides_and_each_genre_keeps_a_song_to_train_on(songs, seed):
    labels, groups = [label for label, _ in songs], [group for _, group in songs]

    valid = set(validation_rows(labels, groups, share=0.2, seed=seed))

    sides = [{groups[row] for row in range(len(songs)) if (row in valid) is side} for side in (True, False)]
    assert not sides[0] & sides[1]
    assert {labels[row] for row in range(len(songs)) if row not in valid} == set(labels)


def test_each_genre_gives_about_its_share():
    labels = [0] * 100 + [1] * 50 + [2] * 25
    groups = [f"{row // 4}" for row in range(len(labels))]

    valid = validation_rows(labels, groups, share=0.2, seed=0)

    shares = Counter(labels[row] for row in valid)
    assert [shares[genre] for genre in range(3)] == pytest.approx([20, 10, 5], abs=3)


def test_large_groups_validate_too():
    labels = [0] * 100
    groups = [f"album {row // 10}" if row < 60 else f"single {row}" for row in range(100)]

    valid = validation_rows(labels, groups, share=0.2, seed=0)

    assert any(groups[row].startswith("album") for row in valid)


def test_a_genre_of_two_large_groups_has_one_that_validates():
    labels = [0] * 20 + [1] * 10
    groups = [f"{row}" for row in range(20)] + ["left"] * 6 + ["right"] * 4

    valid = validation_rows(labels, groups, share=0.2, seed=0)

    assert {groups[row] for row in valid if labels[row] == 1} == {"right"}


def test_a_genre_of_one_group_is_for_training():
    labels = [0] * 20 + [1] * 10
    groups = [f"{row}" for row in range(20)] + ["one"] * 10

    assert all(labels[row] == 0 for row in validation_rows(labels, groups, share=0.2, seed=0))


def test_the_seed_decides():
    labels, groups = [0, 1] * 30, [f"{row}" for row in range(60)]

    first, again, other = (validation_rows(labels, groups, share=0.2, seed=seed) for seed in (1, 1, 2))

    assert first == again
    assert first != other
