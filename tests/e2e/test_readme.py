"""The README's own commands, as printed."""

import json
import re
from pathlib import Path

import pytest

from support.audio import encode, music_like
from support.readme import README, curl, printed_lines
from support.service import FINISHED, Service, genrewiz
from support.waiting import eventually

SONGS = {"wav": "wav16", "mp3": "mp3", "flac": "flac16", "ogg": "ogg", "m4a": "m4a"}


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """A folder with song.wav, song.mp3, …"""
    for name, kind in SONGS.items():
        (tmp_path / f"song.{name}").write_bytes(encode(music_like(seconds=5, seed=4), kind))
    return tmp_path


@pytest.mark.parametrize("name", SONGS)
def test_the_upload_lines_work_as_printed_for_each_format(service: Service, songs: Path, name: str):
    lines = printed_lines("curl -F file=@song.mp3 ")
    assert lines

    for line in lines:
        accepted = json.loads(curl(line.replace("song.mp3", f"song.{name}"), service, songs))
        job = service.finished(accepted["id"])
        assert job["status"] == "succeeded", job["error"]


def test_the_line_that_asks_for_a_job_works_as_printed(service: Service, songs: Path):
    job_id = service.submit("song.mp3", (songs / "song.mp3").read_bytes())
    [line] = printed_lines("curl http")

    answer = eventually(
        lambda: (
            (job := json.loads(curl(line.replace("job_…", job_id), service, songs)))["status"] in FINISHED
            and job
        )
    )

    assert answer["id"] == job_id
    assert answer["result"]["genre"]


def test_the_classify_lines_work_as_printed(songs: Path):
    lines = printed_lines(".venv/bin/genrewiz classify ")
    assert lines

    for line in lines:
        arguments = [str(songs / part) if part.startswith("song.") else part for part in line.split()[1:]]
        done = genrewiz(*arguments)
        assert done.returncode == 0, done.stderr
        assert done.stdout


def test_every_command_the_readme_names_is_there():
    named = set(re.findall(r"`genrewiz ([a-z-]+)", README))
    help_text = genrewiz("--help").stdout

    assert named
    assert all(re.search(rf"^│ {name} ", help_text, re.MULTILINE) for name in named), named
