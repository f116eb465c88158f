"""What stands on the command line, and the songs that are meant by it."""

import os
from pathlib import Path

import pytest

from genrewiz.commands.inputs import File, Missing, Stdin, Url, inputs, shown


@pytest.fixture
def music(tmp_path, monkeypatch):
    """A folder that we stand in."""
    for name in (
        "a.mp3", "b.FLAC", "cover.jpg", "notes.txt", ".hidden.mp3", "[x].mp3", "one/c.wav", "one/two/d.ogg",
        ".cache/e.mp3", "empty/readme",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*arguments: str, recursive: bool = False) -> list[str]:
    return [each.name for each in inputs(arguments, recursive=recursive, say=lambda _: None)]


def said(*arguments: str, recursive: bool = False) -> list[str]:
    heard: list[str] = []
    inputs(arguments, recursive=recursive, say=heard.append)
    return heard


@pytest.mark.usefixtures("music")
@pytest.mark.parametrize("name", ["a.mp3", "notes.txt", "not-there.mp3", ".hidden.mp3", "[x].mp3"])
def test_a_file_that_is_named_outright_is_sent_whatever_it_is(name):
    assert inputs([name], recursive=False, say=lambda _: None) == [File(name)]


@pytest.mark.usefixtures("music")
def test_of_a_folder_only_its_own_songs_are_sent():
    assert names(".") == ["./[x].mp3", "./a.mp3", "./b.FLAC"]


@pytest.mark.usefixtures("music")
def test_folders_within_are_looked_into_where_that_is_asked_for():
    assert names(".", recursive=True) == [
        "./[x].mp3", "./a.mp3", "./b.FLAC", "./one/c.wav", "./one/two/d.ogg",
    ]  # fmt: skip


@pytest.mark.usefixtures("music")
def test_a_folder_without_songs_is_said_with_the_way_out():
    assert said("empty") == ["No song was found in empty."]
    assert said("one/two/..", recursive=True) == []
    assert "--recursive" not in said("empty")[0]
    Path("one/c.wav").unlink()
    assert "--recursive" in said("one")[0]


def test_a_link_back_to_a_folder_leads_nowhere(music):
    (music / "one" / "loop").symlink_to(music)
    (music / "one" / "link.mp3").symlink_to(music / "a.mp3")

    assert names("one", recursive=True) == ["one/c.wav", "one/link.mp3", "one/two/d.ogg"]


def test_a_song_that_is_a_link_to_nothing_is_an_input_that_fails_however_it_was_found(music):
    (music / "one" / "gone.mp3").symlink_to("nowhere")
    (music / "one" / "ring.mp3").symlink_to("ring.mp3")
    (music / "one" / "gone.txt").symlink_to("nowhere")

    assert names("one") == ["one/c.wav", "one/gone.mp3", "one/ring.mp3"]
    assert names("one/*.mp3") == ["one/gone.mp3", "one/ring.mp3"]


@pytest.mark.usefixtures("music")
def test_patterns_are_expanded_though_the_shell_did_not():
    assert names("*.mp3") == ["[x].mp3", "a.mp3"]
    assert names("one/**/*.ogg") == ["one/two/d.ogg"]
    assert names("on?") == ["one/c.wav"]
    assert names("one/**") == ["one/c.wav", "one/two/d.ogg"]


@pytest.mark.usefixtures("music")
def test_a_pattern_that_nothing_fits_is_an_input_that_fails():
    assert inputs(["*.xyz"], recursive=False, say=lambda _: None) == [
        Missing("*.xyz", "Nothing is called like this.")
    ]


def test_a_song_that_is_meant_twice_is_sent_once(music):
    assert names("a.mp3", ".", str(music / "a.mp3"), "*.mp3") == ["a.mp3", "./[x].mp3", "./b.FLAC"]


def test_urls_and_standard_input_are_known():
    urls = ["https://cdn.example/a.mp3?sig=*", "ftp://x/y", "HTTP://x"]

    assert inputs(["-", *urls], recursive=False, say=lambda _: None) == [Stdin(), *map(Url, urls)]


def test_a_folder_that_cannot_be_read_fails_and_the_others_do_not(music, monkeypatch):
    real = os.scandir

    def scandir(path):
        if path.endswith("two"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)

    found = inputs([str(music / "one")], recursive=True, say=lambda _: None)

    assert [type(each) for each in found] == [File, Missing]
    assert "Permission denied" in found[1].reason


def test_a_name_that_is_no_text_is_found_and_shown_without_moving_the_cursor(tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff\x1b[2Jx.mp3"
    Path(os.fsdecode(name)).touch()

    [song] = inputs([str(tmp_path)], recursive=False, say=lambda _: None)

    assert os.fsencode(song.name) == name
    assert shown(song.name).isprintable()
    assert shown("Motörhead – Ω.mp3") == "Motörhead – Ω.mp3"
