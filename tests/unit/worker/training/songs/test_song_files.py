"""What is a song in a folder, what is not, and what is said of the rest."""

import os
import unicodedata

import pytest

from shared.errors import DataUnavailable
from worker.training.songs.song_files import list_folder


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"any")
    return folder


def test_songs_are_the_files_of_each_genres_folder_by_name(tmp_path):
    listing = list_folder(
        touch(tmp_path, "rock/b.mp3", "blues/c.opus", "rock/a", "Drum & Bass/zwölf Töne.WAV")
    )

    assert [file.name for file in listing.files] == [
        "Drum & Bass/zwölf Töne.WAV",
        "blues/c.opus",
        "rock/a",
        "rock/b.mp3",
    ]
    assert listing.genres == ("Drum & Bass", "blues", "rock")
    assert listing.left_out == listing.empty == ()


def test_hidden_files_and_what_lies_beside_songs_are_no_songs(tmp_path):
    touch(tmp_path, "rock/a.mp3", "rock/cover.JPG", "rock/.a.mp3", "rock/Thumbs.db", "rock/._b.mp3")
    touch(tmp_path, ".git/x.mp3", "__MACOSX/rock/._a.mp3", "README.txt")

    listing = list_folder(tmp_path)

    assert [file.name for file in listing.files] == ["rock/a.mp3"]
    assert listing.left_out == listing.empty == ()


def test_a_genre_without_a_song_is_named(tmp_path):
    touch(tmp_path, "rock/a.mp3", "blues/cover.jpg")
    (tmp_path / "jazz").mkdir()

    assert list_folder(tmp_path).empty == ("blues", "jazz")


def test_links_to_songs_and_to_genres_are_followed(tmp_path):
    touch(tmp_path / "elsewhere", "a.mp3")
    (tmp_path / "songs" / "rock").mkdir(parents=True)
    (tmp_path / "songs" / "rock" / "linked.mp3").symlink_to(tmp_path / "elsewhere" / "a.mp3")
    (tmp_path / "songs" / "blues").symlink_to(tmp_path / "elsewhere")

    assert [file.name for file in list_folder(tmp_path / "songs").files] == ["blues/a.mp3", "rock/linked.mp3"]


def test_what_is_no_file_is_left_out_with_the_reason(tmp_path):
    touch(tmp_path, "rock/a.mp3", "rock/album/b.mp3", "loose.mp3")
    (tmp_path / "rock" / "broken.mp3").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "rock" / "pipe.mp3")

    listing = list_folder(tmp_path)

    assert [file.name for file in listing.files] == ["rock/a.mp3"]
    assert {each.name: each.reason for each in listing.left_out} == {
        "loose.mp3": "it is in no genre's folder",
        "rock/album": "it is a folder, and songs lie directly in that of their genre",
        "rock/broken.mp3": "it is a link to nothing",
        "rock/pipe.mp3": "it is no file",
    }


def test_a_name_that_no_terminal_can_show_is_spelled_out(tmp_path):
    (tmp_path / "rock").mkdir()
    (tmp_path / "rock" / "\x1b[31m.mp3").write_bytes(b"any")
    (tmp_path / "rock" / os.fsdecode(b"\xfc.mp3")).write_bytes(b"any")

    assert [file.name for file in list_folder(tmp_path).files] == ["rock/\\x1b[31m.mp3", "rock/\\xfc.mp3"]


def test_names_are_composed_however_the_file_system_spells_them(tmp_path):
    touch(tmp_path, unicodedata.normalize("NFD", "Café/zwölf Töne.mp3"))

    listing = list_folder(tmp_path)

    assert [(file.genre, file.name) for file in listing.files] == [("Café", "Café/zwölf Töne.mp3")]
    assert listing.files[0].path.is_file()


def test_of_two_files_with_names_that_are_shown_the_same_one_is_left_out(tmp_path):
    touch(tmp_path, "Café/a.mp3", unicodedata.normalize("NFD", "Café/a.mp3"))

    listing = list_folder(tmp_path)

    assert [file.name for file in listing.files] == ["Café/a.mp3"]
    assert [each.name for each in listing.left_out] == ["Café/a.mp3"]


@pytest.mark.parametrize("kind", ["missing", "file", "flat"])
def test_a_folder_without_genres_is_refused(tmp_path, kind):
    touch(tmp_path, "flat/a.mp3", "file")

    with pytest.raises(DataUnavailable, match=f"{kind}.*(cannot be read|no subfolders)"):
        list_folder(tmp_path / kind)
