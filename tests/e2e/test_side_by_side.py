"""The README's table of curl, command line and Python: every cell is run, and what it does is looked at."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from genrewiz.client import Client, Job
from support.readme import table_rows
from support.service import FINISHED, GENREWIZ, Service, serving
from support.waiting import eventually
from support.web import Server, response

PRINTED_SONG = "https://example.com/song.mp3"
WAYS = ("curl", "command line", "Python")
ROWS = {row[0]: row[1:] for row in table_rows("to | curl | command line | Python")}


@dataclass
class World:
    """A service, a server that has a song and one that never ends, a folder with what the lines name."""

    service: Service
    song_url: str
    endless_url: str
    folder: Path

    def shell(self, line: str, job_id: str | None) -> str:
        path = f"{Path(GENREWIZ).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "URL": self.service.url, "GENREWIZ_URL": self.service.url}
        done = subprocess.run(
            line.replace(PRINTED_SONG, self.song_url),
            shell=True,
            cwd=self.folder,
            env=environment | ({"ID": job_id} if job_id else {}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def python(self, line: str, job_id: str | None) -> dict[str, Any]:
        with Client(self.service.url) as client:
            names: dict[str, Any] = {"client": client, "job": client.get(job_id) if job_id else None}
            here = Path.cwd()
            os.chdir(self.folder)
            try:
                exec(line.replace(PRINTED_SONG, self.song_url), names)
            finally:
                os.chdir(here)
        return names

    def do(self, task: str, way: str, job_id: str | None = None) -> Any:
        """What a cell prints; of Python the names that it has set."""
        line = ROWS[task][WAYS.index(way)]
        assert line
        return (self.python if way == "Python" else self.shell)(line, job_id)

    def jobs(self) -> list[dict[str, Any]]:
        return self.service.http.get("/jobs?limit=100").json()["jobs"]

    def finished(self) -> str:
        """The id of a job that has been done."""
        song = (self.folder / "song.mp3").read_bytes()
        return self.service.classify("song.mp3", song)["id"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, sample: bytes) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("readme")
    (folder / "song.mp3").write_bytes(sample)

    def answer(connection: socket.socket, head: str) -> None:
        if "endless" in head:
            for byte in response(sample):
                connection.sendall(bytes([byte]))
                if server.wait(0.05):
                    break
        else:
            connection.sendall(response(sample))

    with (
        Server(answer) as server,
        serving(
            tmp_path_factory.mktemp("service"),
            GENREWIZ_EGRESS_HTTP="true",
            GENREWIZ_EGRESS_ALLOW="127.0.0.0/8",
            GENREWIZ_FETCH_MIN_BYTES_PER_SECOND="1",
        ) as service,
    ):
        yield World(service, server.url("/song.mp3"), server.url("/endless.mp3"), folder)


def test_the_table_has_each_thing_in_each_way():
    assert len(ROWS) >= 10
    assert all(len(cells) == len(WAYS) for cells in ROWS.values())
    assert [task for task, cells in ROWS.items() if not all(cells)] == ["send a folder of thousands"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "task", ["submit a song", "and wait for its genre", "say what you want of it", "name its URL"]
)
def test_a_song_is_submitted_as_printed(world: World, task: str, way: str):
    before = {job["id"] for job in world.jobs()}

    printed = world.do(task, way)

    [new] = [job["id"] for job in world.jobs() if job["id"] not in before]
    if way == "Python":
        assert isinstance(printed["job"], Job)
        assert printed["job"].id == new
    if task == "and wait for its genre":
        shown = printed["job"].result.genre if way == "Python" else printed
        assert world.service.get(new)["result"]["genre"] in shown
    else:
        assert new in (printed["job"].id if way == "Python" else printed)
    job = world.service.finished(new)
    assert job["status"] == "succeeded", job["error"]
    assert job["source"]["kind"] == ("url" if task == "name its URL" else "upload")
    if task == "say what you want of it":
        assert len(job["result"]["top"]) == 3
        assert job["metadata"] == {"id": "7"}


@pytest.mark.parametrize("way", WAYS)
def test_a_job_is_asked_for_as_printed(world: World, way: str):
    job_id = world.finished()
    genre = world.service.get(job_id)["result"]["genre"]

    printed = world.do("ask for a job", way, job_id)

    assert genre in (printed["job"].result.genre if way == "Python" else printed)


@pytest.mark.parametrize("way", WAYS)
def test_a_job_is_watched_as_printed(world: World, way: str, capsys):
    job_id = world.finished()

    printed = world.do("watch it, window by window", way, job_id)

    seen = capsys.readouterr().out if way == "Python" else printed
    assert (world.service.get(job_id)["result"]["genre"] if way == "command line" else "finished") in seen


@pytest.mark.parametrize("way", WAYS)
def test_jobs_are_listed_as_printed(world: World, way: str):
    job_id = world.finished()

    printed = world.do("list your jobs", way)

    if way == "curl":
        assert json.loads(printed)["jobs"][0]["id"] == job_id
    elif way == "Python":
        assert printed["jobs"][0].id == job_id
    else:
        assert job_id in printed.splitlines()[0]


@pytest.mark.parametrize("way", WAYS)
def test_a_job_is_cancelled_as_printed(world: World, way: str):
    job_id = world.service.http.post("/jobs", json={"url": world.endless_url}).json()["id"]
    eventually(lambda: world.service.get(job_id)["status"] == "running")

    world.do("cancel one", way, job_id)

    assert world.service.finished(job_id)["status"] == "cancelled"


@pytest.mark.parametrize("way", WAYS)
def test_a_job_is_done_away_with_as_printed(world: World, way: str):
    job_id = world.finished()

    world.do("do away with one", way, job_id)

    assert world.service.http.get(f"/jobs/{job_id}").status_code == 410


def test_a_folder_is_sent_as_printed_and_again_without_doing_a_song_twice(world: World):
    music = world.folder / "music" / "album"
    music.mkdir(parents=True)
    for number in range(3):
        (music / f"{number}.mp3").write_bytes((world.folder / "song.mp3").read_bytes())
    before = len(world.jobs())

    for _ in range(2):
        world.do("send a folder of thousands", "command line")
        header, *rows = (world.folder / "genres.csv").read_text().splitlines()
        assert "genre" in header.split(",")
        assert len(rows) == 3

    assert len(world.jobs()) == before + 3
    assert all(job["status"] in FINISHED for job in world.jobs())
