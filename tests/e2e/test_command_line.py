"""The command line, used wrongly: a sentence and an exit code, never a traceback."""

import pytest
from PIL import Image

from support.service import genrewiz


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nope",),
        ("serve", "--nope"),
        ("classify",),
        ("classify", "a.mp3", "b.mp3", "--spectrogram", "a.png"),
        ("predict-mels", "mels.npz"),
        ("serve", "--port", "99999"),
        ("serve", "--port", "-1"),
    ],
)
def test_wrong_usage_exits_with_2(arguments):
    done = genrewiz(*arguments)

    assert done.returncode == 2
    assert "Usage" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there_is_no_damaged_song(tmp_path):
    done = genrewiz("classify", str(tmp_path / "none.mp3"), str(tmp_path))

    assert done.returncode == 4
    assert done.stderr.count("unreadable_file") == 2


def test_a_song_is_drawn_where_it_is_asked_for(tmp_path, sample):
    song, picture = tmp_path / "song.mp3", tmp_path / "song.png"
    song.write_bytes(sample)

    done = genrewiz("classify", str(song), "--spectrogram", str(picture))

    assert done.returncode == 0, done.stderr
    assert "song.mp3: " in done.stdout
    with Image.open(picture) as image:
        assert (image.format, image.height) == ("PNG", 128)


def test_a_picture_that_cannot_be_written_is_said_so(tmp_path, sample):
    song = tmp_path / "song.mp3"
    song.write_bytes(sample)

    done = genrewiz("classify", str(song), "--spectrogram", str(tmp_path))

    assert done.returncode == 4
    assert "unwritable_file" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_command():
    help_text = genrewiz("--help").stdout

    for command in ("serve", "demo", "classify", "predict-mels", "doctor", "train", "evaluate", "webhooks"):
        assert command in help_text


def test_two_equal_ports_are_refused_before_anything_starts(tmp_path):
    done = genrewiz("serve", "--data", str(tmp_path), "--port", "18790", "--api-metrics-port", "18790")

    assert done.returncode == 1
    assert "given twice" in done.stderr


@pytest.mark.parametrize("command", ["submit", "get", "watch", "cancel", "delete", "list", "listen"])
def test_help_shows_a_newcomer_how_it_is_used(command):
    done = genrewiz(command, "--help", COLUMNS="100")

    assert done.returncode == 0
    assert f"genrewiz {command} " in done.stdout.replace("Usage: genrewiz", "")
    assert "Example" in done.stdout


@pytest.mark.parametrize("command", ["submit", "get", "watch", "cancel", "delete", "list"])
def test_help_says_where_a_key_is_safe(command):
    text = " ".join(genrewiz(command, "--help", COLUMNS="500").stdout.split())

    assert "GENREWIZ_API_KEY" in text
    assert "can be read in the list of processes" in text
