"""What trains and what validates: one way of splitting, said aloud, without a song on both sides."""

import re
import shutil
from collections import Counter

import pytest

from shared.errors import DataUnavailable, SetupError
from support.song_folder import maker, write_songs
from worker.training.songs.sources import AudioSource, audio_data, audio_source, mel_data


@pytest.fixture
def said():
    return []


@pytest.fixture
def split(tmp_path, said):
    def splitter(folder, *, data=tmp_path / "nowhere", lists=None, seed=0, **options):
        source = AudioSource(folder=folder, **options)
        return audio_data(
            source, maker(tmp_path / "cache"), data=data, lists=lists, seed=seed, say=said.append
        )

    return splitter


@pytest.fixture
def folder(tmp_path):
    return write_songs(tmp_path / "songs", {"Drum & Bass": 6, "blues": 6})


@pytest.fixture
def gtzan_folder(tmp_path):
    """Seven songs of each of two genres, named as in GTZAN: two a list, and one on none."""
    folder = write_songs(tmp_path / "gtzan", {"blues": 7, "rock": 7})
    for path in sorted(folder.glob("*/*.wav")):
        path.rename(path.with_name(f"{path.parent.name}.{int(path.stem):05d}.wav"))
    return folder


@pytest.fixture
def lists(tmp_path):
    splits = tmp_path / "data" / "gtzan" / "splits"
    splits.mkdir(parents=True)
    for place, name in enumerate(("train", "valid", "test")):
        lines = [
            f"{genre}/{genre}.{2 * place + song:05d}.wav\n" for genre in ("blues", "rock") for song in (0, 1)
        ]
        (splits / f"{name}_filtered.txt").write_text("".join(lines))
    return tmp_path / "data"


def groups_of(folder, group):
    """A CSV with a group for each song, by its number."""
    rows = [
        f"{path.parent.name}/{path.name},{group(int(path.stem))}" for path in sorted(folder.glob("*/*.wav"))
    ]
    table = folder.parent / "groups.csv"
    table.write_text("file,group\n" + "\n".join(rows))
    return table


def test_without_a_way_to_split_a_folder_is_refused_with_the_three_there_are(folder, split):
    with pytest.raises(SetupError, match=r"--groups .* GTZAN .* --random-split"):
        split(folder)


def test_a_random_split_is_stratified_and_warns_that_it_leaks(folder, split, said):
    sides = split(folder, random_split=True)

    assert [line for line in said if "leaks" in line] == said[:1]
    assert len(set(sides.songs.names) | set(sides.valid.names)) == 12
    assert not set(sides.songs.names) & set(sides.valid.names)
    assert Counter(sides.valid.labels.tolist()) == {0: 1, 1: 1}
    assert sides.provenance()["songs_per_genre"] == {"Drum & Bass": 5, "blues": 5}
    assert (sides.lists, sides.split) == ("audio", "random")


def test_the_seed_decides_who_validates(folder, split):
    same, again, *others = (
        split(folder, random_split=True, seed=seed).valid.names for seed in (0, 0, 1, 2, 3)
    )

    assert same == again
    assert any(other != same for other in others)


def test_no_group_is_on_both_sides_even_across_genres(folder, split, said):
    sides = split(folder, groups=groups_of(folder, lambda number: number // 2))

    artists = [{int(name[-5]) // 2 for name in side.names} for side in (sides.songs, sides.valid)]
    assert not artists[0] & artists[1]
    assert len(artists[1]) == 1
    assert sides.split == "groups"
    assert not any("leaks" in line for line in said)


def test_a_folder_that_is_one_group_has_nothing_to_validate_on(folder, split):
    with pytest.raises(DataUnavailable, match="left to validate on"):
        split(folder, groups=groups_of(folder, lambda _: "one"))


def test_a_genre_with_nothing_to_validate_on_is_named(folder, split, said):
    table = groups_of(folder, lambda number: number)
    table.write_text(re.sub(r"(blues/.*),\d", r"\1,one", table.read_text()))

    split(folder, groups=table)

    assert "no song of blues is left to validate on" in said


def test_gtzans_files_are_split_by_its_lists_and_test_songs_are_not_even_decoded(
    gtzan_folder, lists, split, said
):
    for path in gtzan_folder.glob("*/*.00004.wav"):
        path.write_bytes(b"a test song that would be named if it were read")

    sides = split(gtzan_folder, data=lists)

    assert [int(name[-9:-4]) for name in sides.songs.names] == [0, 1, 0, 1]
    assert [int(name[-9:-4]) for name in sides.valid.names] == [2, 3, 2, 3]
    assert said[0] == "6 of 14 files are on neither list of filtered that training looks at"
    assert not any("left out" in line for line in said)
    assert (sides.lists, sides.split) == ("audio", "filtered")


def test_songs_on_the_lists_that_are_not_in_the_folder_are_counted(gtzan_folder, lists, split, said):
    (gtzan_folder / "rock" / "rock.00001.wav").unlink()

    split(gtzan_folder, data=lists)

    assert "1 of 8 songs on the lists of filtered are not in the folder" in said


def test_gtzans_files_without_its_lists_are_refused(gtzan_folder, split):
    with pytest.raises(DataUnavailable, match="train_filtered"):
        split(gtzan_folder)


def test_a_genre_without_a_song_to_train_on_is_named(gtzan_folder, lists, split):
    for number in (0, 1):
        (gtzan_folder / "rock" / f"rock.0000{number}.wav").unlink()

    with pytest.raises(DataUnavailable, match="No song of rock"):
        split(gtzan_folder, data=lists)


def test_a_genre_whose_files_are_all_broken_is_named(folder, split):
    for path in (folder / "blues").iterdir():
        path.write_bytes(b"no song")

    with pytest.raises(DataUnavailable, match="No song of blues"):
        split(folder, random_split=True)


def test_an_empty_genre_is_named(folder, split):
    (folder / "jazz").mkdir()

    with pytest.raises(DataUnavailable, match="genre jazz"):
        split(folder, random_split=True)


def test_one_genre_is_no_choice(tmp_path, split):
    with pytest.raises(DataUnavailable, match="one genre"):
        split(write_songs(tmp_path / "one", {"blues": 2}), random_split=True)


def test_two_ways_of_splitting_are_refused(folder, split):
    with pytest.raises(SetupError, match="exclude each other"):
        split(folder, random_split=True, groups=folder / "groups.csv")
    with pytest.raises(SetupError, match="exclude each other"):
        split(folder, random_split=True, lists="filtered")


def test_a_way_of_splitting_without_a_folder_is_refused(tmp_path):
    with pytest.raises(SetupError, match="--audio names no folder"):
        audio_source(None, groups=None, random_split=True, cache=None)


def test_the_same_song_is_never_on_both_sides(folder, split, said):
    for number in range(1, 6):
        shutil.copy(folder / "blues" / "0.wav", folder / "blues" / f"copy{number}.wav")

    sides = split(folder, random_split=True)

    heard = [{mel.sha256 for mel in side.mels} for side in (sides.songs, sides.valid)]
    assert not heard[0] & heard[1]
    assert "left out blues/copy1.wav: it is the same song as blues/0.wav" in said


def test_a_copy_that_training_does_not_look_at_takes_nobodys_place(gtzan_folder, lists, split):
    shutil.copy(gtzan_folder / "blues" / "blues.00000.wav", gtzan_folder / "rock" / "rock.00004.wav")

    assert len(split(gtzan_folder, data=lists).songs) == 4


def test_spectrograms_of_the_data_folder_say_on_which_lists_they_are(small_data):
    sides = mel_data(small_data, None)

    provenance = sides.provenance()
    assert (provenance["lists"], provenance["split"]) == ("filtered", "filtered")
    assert provenance["data_sha256"] == sides.songs.sha256()
    assert provenance["songs_per_genre"]["blues"] == 1
