import pytest
import torch

from shared.errors import DataUnavailable
from worker.training.gtzan import find_data, load_gtzan


def test_a_folder_without_spectrograms_is_refused_with_the_way_to_name_another(tmp_path):
    with pytest.raises(DataUnavailable, match="GENREWIZ_DATA"):
        find_data(tmp_path)


def test_a_named_folder_is_taken(small_data):
    assert find_data(small_data) == small_data


def test_chosen_songs_come_in_the_order_of_the_list_with_their_own_spectrograms(small_data):
    songs = load_gtzan(small_data).rebuilt

    chosen = songs.chosen(("rock.00001", "blues.00002"))

    assert chosen.names == ("rock.00001", "blues.00002")
    assert [chosen.genres[label] for label in chosen.labels] == ["rock", "blues"]
    assert torch.equal(chosen.levels[1], songs.levels[songs.names.index("blues.00002")])


def test_a_listed_song_without_a_spectrogram_is_left_out(small_data):
    assert load_gtzan(small_data).rebuilt.chosen(("jazz.00054", "jazz.00001")).names == ("jazz.00001",)


def test_songs_with_real_audio_have_no_gaps(small_data):
    assert not load_gtzan(small_data).true.gap.any()


def test_the_hash_tells_other_songs_apart(small_data):
    songs = load_gtzan(small_data).rebuilt

    assert songs.chosen(songs.names).sha256() == songs.sha256()
    assert songs.chosen(songs.names[:-1]).sha256() != songs.sha256()


def test_a_missing_list_is_named(small_data):
    (small_data / "gtzan" / "splits" / "test_filtered.txt").unlink()

    with pytest.raises(DataUnavailable, match="test_filtered"):
        load_gtzan(small_data).listed("test")


def test_a_damaged_file_of_spectrograms_is_named(small_data):
    (small_data / "gtzan" / "mel_true.npz").write_bytes(b"PK\x03\x04 no archive")

    with pytest.raises(DataUnavailable, match="mel_true"):
        load_gtzan(small_data)


def test_the_published_lists_share_no_song(data_folder):
    gtzan = load_gtzan(data_folder)

    lists = [set(gtzan.listed(split)) for split in ("train", "valid", "test")]

    assert [len(names) for names in lists] == [443, 197, 290]
    assert len(set.union(*lists)) == 443 + 197 + 290
