"""The published lists, and what validates where they have none."""

import pytest

from shared.errors import DataUnavailable, SetupError
from worker.training.songs.gtzan import load_gtzan
from worker.training.songs.lists import LISTS, published_split


@pytest.fixture
def folds(tmp_path):
    """One fold of two genres: 40 artists with two songs each to train on, 4 songs to test on."""
    folder = tmp_path / "splits" / "artist3fold"
    folder.mkdir(parents=True)
    lines = [
        f"./{genre}_{song:05d}.wav\t{1_000 * place + song // 2}\n"
        for place, genre in enumerate(("blues", "rock"))
        for song in range(40)
    ]
    (folder / "f2_train_groups.txt").write_text("".join(lines))
    (folder / "f2_test.txt").write_text("".join(f"./blues_0009{song}.wav\n" for song in range(4)))
    return tmp_path


def test_a_folds_names_are_those_of_the_spectrograms(folds):
    split = published_split(folds, "fold2")

    assert split.test == ("blues.00090", "blues.00091", "blues.00092", "blues.00093")
    assert {"blues.00000", "rock.00039"} <= {*split.train, *split.valid}


def test_some_artists_of_a_folds_training_list_validate_and_none_is_on_both_sides(folds):
    split = published_split(folds, "fold2")

    artists = [{(name[:4], int(name[-5:]) // 2) for name in side} for side in (split.train, split.valid)]
    assert len(artists[1]) == 6  # 15 % of 40
    assert not artists[0] & artists[1]
    assert {name[:4] for name in split.valid} == {"blue", "rock"}


def test_a_fold_is_split_the_same_each_time(folds):
    assert published_split(folds, "fold2") == published_split(folds, "fold2")


def test_lists_that_nobody_published_are_refused_with_those_there_are(folds):
    with pytest.raises(SetupError, match="filtered, fold1"):
        published_split(folds, "fold4")


def test_a_missing_fold_is_named(folds):
    with pytest.raises(DataUnavailable, match="f1_train_groups"):
        published_split(folds, "fold1")


def test_no_artist_is_on_two_sides_of_a_published_fold(data_folder):
    gtzan = load_gtzan(data_folder)
    for lists in LISTS[1:]:
        split = gtzan.split(lists)
        lines = (
            data_folder / "gtzan" / "splits" / "artist3fold" / f"f{lists[-1]}_train_groups.txt"
        ).read_text()
        artist = dict(
            line.removeprefix("./").replace("_", ".").split(".wav\t") for line in lines.splitlines()
        )

        assert not {artist[name] for name in split.train} & {artist[name] for name in split.valid}
        assert {*split.train, *split.valid} == set(artist)
        assert not {*split.train, *split.valid} & set(split.test)
        assert len(split.valid) / len(artist) == pytest.approx(0.15, abs=0.015)
        assert set(split.train) | set(split.valid) | set(split.test) <= {*gtzan.rebuilt.names, "jazz.00054"}


def test_the_three_folds_test_each_song_once(data_folder):
    gtzan = load_gtzan(data_folder)

    tested = [name for lists in LISTS[1:] for name in gtzan.split(lists).test]

    assert len(tested) == len(set(tested)) == 948
