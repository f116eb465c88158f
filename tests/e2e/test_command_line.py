"""The command line, used wrongly: a sentence and an exit code, never a traceback."""

import pytest

from support.service import genrewiz


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nope",),
        ("serve", "--nope"),
        ("classify",),
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


def test_help_names_every_command():
    help_text = genrewiz("--help").stdout

    for command in ("serve", "demo", "classify", "predict-mels", "doctor", "train", "evaluate", "version"):
        assert command in help_text


def test_two_equal_ports_are_refused_before_anything_starts(tmp_path):
    done = genrewiz("serve", "--data", str(tmp_path), "--port", "18790", "--api-metrics-port", "18790")

    assert done.returncode == 1
    assert "given twice" in done.stderr
