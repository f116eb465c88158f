import io
import zipfile

import numpy as np
import pytest
import torch

from shared.errors import DataUnavailable
from worker.training.songs.gtzan import find_data, load_gtzan


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


def npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros((2, 640, 128), np.uint8))
    return file.getvalue()


def crumpled() -> bytes:
    """An archive whose compressed data begins with a block of no known kind."""
    file = io.BytesIO()
    np.savez_compressed(file, X=np.zeros((2, 640, 128), np.uint8))
    data = bytearray(file.getvalue())
    start = 30 + int.from_bytes(data[26:28], "little") + int.from_bytes(data[28:30], "little")
    data[start : start + 8] = b"\xff" * 8
    return bytes(data)


def no_array() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("X", "no array")
    return file.getvalue()


@pytest.mark.parametrize("data", [b"", npy(), crumpled(), no_array()], ids=["empty", "npy", "zlib", "text"])
def test_a_file_that_is_no_archive_of_arrays_is_named_in_a_sentence(small_data, data):
    (small_data / "gtzan" / "mel_rebuilt.npz").write_bytes(data)

    with pytest.raises(DataUnavailable, match=r"mel_rebuilt\.npz .*\.$"):
        load_gtzan(small_data)


def with_first(array: np.ndarray, value: object) -> np.ndarray:
    changed = array.copy()
    changed.flat[0] = value
    return changed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda old: {"X": None}, "no array X"),
        (lambda old: {"y": None}, "no array y"),
        (lambda old: {"X": old["X"].astype(np.int16)}, "array X of another kind"),
        (lambda old: {"X": old["X"].astype(np.uint16)}, "not uint8"),
        (lambda old: {"X": old["X"][0]}, "array X of another kind or shape"),
        (lambda old: {"X": old["X"][:29]}, "shape"),
        (lambda old: {"y": old["y"].astype(str)}, "array y"),
        (lambda old: {"y": old["y"].astype(float)}, "array y"),
        (lambda old: {"y": old["y"][:29]}, "array y of shape"),
        (lambda old: {"y": with_first(old["y"], 10)}, "outside of its 10 genres"),
        (lambda old: {"y": with_first(old["y"], -1)}, "outside of its 10 genres"),
        (lambda old: {"names": old["names"][:29]}, "array names of shape"),
        (lambda old: {"names": np.arange(30)}, "array names"),
        (lambda old: {"names": with_first(old["names"], old["names"][1])}, "equal names"),
        (lambda old: {"genres": np.arange(10)}, "array genres"),
        (lambda old: {"genres": with_first(old["genres"], "rock")}, "equal genres"),
        (lambda old: {"genres": with_first(old["genres"], "")}, "empty"),
        (lambda old: {"gap": old["gap"][:29]}, "array gap of shape"),
        (lambda old: {"gap": old["gap"][:, :600]}, "array gap of shape"),
        (lambda old: {"gap": old["gap"].astype(np.int8)}, "array gap"),
        (lambda old: {"gap": with_first(old["gap"], 5)}, "gaps of kind 5"),
        (lambda old: {"rough": old["rough"][:29]}, "array rough of shape"),
        (lambda old: {"rough": with_first(old["rough"], np.nan)}, "not finite"),
        (lambda old: {"rough": old["rough"].astype(str)}, "array rough"),
        (lambda old: {"resq": old["resq"][0]}, "array resq"),
        (lambda old: {"resq": old["resq"][:, :0]}, "resq without residuals"),
        (lambda old: {"resq": with_first(old["resq"], np.inf)}, "not finite"),
        (lambda old: {"resq": None}, "residuals, resq, of 0 kinds"),
        (lambda old: {key: old[key][:0] for key in ("X", "y", "names", "gap", "rough")}, "no songs"),
    ],
)  # fmt: skip
def test_arrays_that_are_no_songs_or_do_not_fit_together_are_refused(small_data, change, reason):
    path = small_data / "gtzan" / "mel_rebuilt.npz"
    with np.load(path) as file:
        old = {key: file[key] for key in file.files}
    new = old | change(old)
    np.savez(path, **{key: array for key, array in new.items() if array is not None})

    with pytest.raises(DataUnavailable, match=rf"mel_rebuilt\.npz .*{reason}.*\.$"):
        load_gtzan(small_data)


def test_the_published_lists_share_no_song(data_folder):
    gtzan = load_gtzan(data_folder)

    lists = [set(gtzan.listed(split)) for split in ("train", "valid", "test")]

    assert [len(names) for names in lists] == [443, 197, 290]
    assert len(set.union(*lists)) == 443 + 197 + 290
