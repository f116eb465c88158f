"""`genrewiz submit --state`: a batch that is killed and run again does each song once."""

import json
import os
import random
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from genrewiz.client import Client
from genrewiz.serve.ports import free_port
from support.api_server import WAV, ApiServer, api_serving
from support.audio import encode, music_like
from support.commands import CommandLine
from support.redis_server import redis_serving
from support.service import Service
from support.waiting import eventually

SONGS = 40
KILLS = 8


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Songs that differ, some of them in folders."""
    folder = tmp_path / "music"
    for number in range(SONGS):
        song = folder / str(number % 3) / f"{tmp_path.name}-{number}.wav"
        song.parent.mkdir(parents=True, exist_ok=True)
        song.write_bytes(encode(music_like(seconds=3.5, seed=number), "wav16", sample_rate=44_100))
    return folder


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "music.state"


def steps(state: Path) -> list[str]:
    """What the state file says was done, in its order."""
    whole_lines = state.read_bytes().split(b"\n")[1:-1]
    return [json.loads(line)["step"] for line in whole_lines]


def killed_after(lines: int, state: Path, process: "subprocess.Popen[str]") -> None:
    """Kill a run as soon as the state file has so many lines, unless it ends before."""
    with process:
        eventually(lambda: process.poll() is not None or len(steps(state)) >= lines)
        process.kill()
        process.communicate()


def jobs_of(url: str, folder: Path) -> Counter[str]:
    """How many jobs the server has of each song."""
    ours = {path.name for path in folder.rglob("*.wav")}
    with Client(url) as client:
        return Counter(job.source.filename for job in client.jobs() if job.source.filename in ours)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_batch_that_is_killed_at_random_does_each_song_once(
    genrewiz: CommandLine, service: Service, music: Path, state: Path, seed: int
):
    dice = random.Random(seed)
    command = ("submit", "--recursive", music, "--state", state, "--wait", "--json")

    for _ in range(KILLS):
        enough = (len(steps(state)) if state.exists() else 0) + dice.randint(1, 12)
        killed_after(enough, state, genrewiz.start(*command))
    done = genrewiz(*command)
    again = genrewiz(*command)

    assert jobs_of(service.url, music) == {path.name: 1 for path in music.rglob("*.wav")}
    assert done.code == again.code == 0
    for run in (done, again):  # the last run tells of all songs, whoever has done them
        assert sorted(line["file"] for line in run.lines) == sorted(map(str, music.rglob("*.wav")))
        assert {line["status"] for line in run.lines} == {"succeeded"}
    assert sorted(again.out.splitlines()) == sorted(done.out.splitlines())


def test_a_song_that_was_sent_when_nobody_could_write_that_down_is_not_sent_twice(
    silent: CommandLine, silent_api: ApiServer, tmp_path: Path, state: Path
):
    """Killed between the server's promise and the line that says so."""
    song = tmp_path / f"{tmp_path.name}.wav"
    song.write_bytes(WAV)
    silent("submit", song, "--state", state)
    lines = state.read_bytes().splitlines(keepends=True)
    assert [b"sending" in line for line in lines] == [False, True, False]
    state.write_bytes(b"".join(lines[:2]) + lines[2][:30])

    done = silent("submit", song, "--state", state, "--json")

    assert done.code == 0
    assert jobs_of(f"http://127.0.0.1:{silent_api.port}", tmp_path) == {song.name: 1}
    assert done.lines[0]["id"] == json.loads(lines[2])["job"]["id"]


def test_a_song_that_has_changed_is_sent_anew_and_the_others_are_not(
    silent: CommandLine, tmp_path: Path, state: Path
):
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(WAV)
    first = silent("submit", tmp_path, "--state", state, "--json")
    (tmp_path / "b.wav").write_bytes(WAV + b"\0")

    second = silent("submit", tmp_path, "--state", state, "--json")

    old, new = ({Path(line["file"]).name: line["id"] for line in run.lines} for run in (first, second))
    assert old["a.wav"] == new["a.wav"]
    assert old["b.wav"] != new["b.wav"]


def test_songs_that_are_asked_of_otherwise_are_sent_anew(silent: CommandLine, tmp_path: Path, state: Path):
    (tmp_path / "a.wav").write_bytes(WAV)

    ids = [
        silent("submit", tmp_path, "--state", state, "--json", *more).lines[0]["id"]
        for more in ((), ("--top", "1"), ())
    ]

    assert ids[0] == ids[2] != ids[1]


def test_a_job_that_was_deleted_is_done_anew(
    genrewiz: CommandLine, service: Service, sample: bytes, tmp_path: Path, state: Path
):
    (tmp_path / "a.mp3").write_bytes(sample)
    command = ("submit", tmp_path / "a.mp3", "--state", state, "--json")
    first = genrewiz(*command).lines[0]["id"]
    service.finished(first)
    assert service.http.delete(f"/jobs/{first}").status_code == 204

    [job] = genrewiz(*command, "--wait").lines

    assert job["status"] == "succeeded"
    assert job["id"] != first


def test_two_runs_with_one_state_file_are_refused_while_the_first_is_on(
    silent: CommandLine, silent_api: ApiServer, tmp_path: Path, state: Path
):
    (tmp_path / "a.wav").write_bytes(WAV)
    waiting = silent_api.in_flight()
    with silent.start("submit", tmp_path, "--state", state, "--wait") as first:
        eventually(lambda: silent_api.in_flight() == waiting + 1)

        second = silent("submit", tmp_path, "--state", state)

        first.kill()
        first.communicate()
    assert second.code == 2
    assert "Another run" in second.err
    assert silent("submit", tmp_path, "--state", state).code == 0


def test_what_comes_from_a_pipe_cannot_be_remembered_and_a_song_is_no_state_file(
    silent: CommandLine, tmp_path: Path, state: Path
):
    song = tmp_path / "a.wav"
    song.write_bytes(WAV)

    piped = silent("submit", "-", "--state", state, stdin=WAV)
    mistaken = silent("submit", song, "--state", song)

    assert (piped.code, mistaken.code) == (4, 2)
    assert "pipe" in piped.err
    assert "no state file" in mistaken.err
    assert song.read_bytes() == WAV


def test_a_server_that_goes_away_ends_the_batch_with_5_and_the_next_run_goes_on(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, state: Path
):
    for number in range(5):
        (tmp_path / f"{tmp_path.name}-{number}.wav").write_bytes(WAV)
    port, folder = free_port(), tmp_path_factory.mktemp("back")
    genrewiz = CommandLine(f"http://127.0.0.1:{port}")

    away = genrewiz("submit", tmp_path, "--state", state, "--concurrency", "1")
    with redis_serving(folder / "redis") as redis, api_serving(folder, redis.url, port=port):
        done = genrewiz("submit", tmp_path, "--state", state, "--json")
        jobs = jobs_of(f"http://127.0.0.1:{port}", tmp_path)

    assert away.code == 5
    assert "after 0 of 5 songs" in away.err
    assert "goes on where this one stopped" in away.err
    assert done.code == 0
    assert set(jobs.values()) == {1}
    assert len(jobs) == 5


def test_a_state_that_was_begun_with_another_server_is_refused(
    silent: CommandLine, silent_api: ApiServer, tmp_path: Path, state: Path
):
    (tmp_path / "a.wav").write_bytes(WAV)
    assert silent("submit", tmp_path, "--state", state).code == 0

    other = CommandLine("http://127.0.0.1:1")("submit", tmp_path, "--state", state)
    same = silent(
        "submit", tmp_path, "--state", state, "--server", f"HTTP://me:word@127.0.0.1:{silent_api.port}/"
    )

    assert (other.code, same.code) == (2, 0)
    assert f"http://127.0.0.1:{silent_api.port}" in other.err
    assert "--state" in other.err
    assert b"word" not in state.read_bytes()


@pytest.mark.parametrize("name", ["/dev/null", "/dev/full", ".", "pipe"])
def test_what_is_no_file_is_no_state(silent: CommandLine, tmp_path: Path, name: str):
    (tmp_path / "a.wav").write_bytes(WAV)
    os.mkfifo(tmp_path / "pipe")

    done = silent("submit", "a.wav", "--state", name, cwd=tmp_path)

    assert (done.code, done.out) == (2, "")
    assert f"{name}: The state file cannot be opened" in done.err


def test_a_server_without_room_is_asked_again_until_it_has_some(tmp_path: Path, tmp_path_factory):
    for number in range(3):
        (tmp_path / f"{number}.wav").write_bytes(WAV)
    folder = tmp_path_factory.mktemp("full")
    with (
        redis_serving(folder / "redis") as redis,
        api_serving(folder, redis.url, GENREWIZ_MAX_WAITING_JOBS_PER_CALLER="2") as api,
    ):
        url = f"http://127.0.0.1:{api.port}"
        with CommandLine(url).start("submit", tmp_path, "--json") as process:
            jobs = eventually(lambda: (found := listed(api)) and len(found) == 2 and found)
            eventually(lambda: api.metric("jobs_rejected_total") >= 1)
            api.http.post(f"/jobs/{jobs[0]['id']}/cancel")
            out, err = process.communicate()

        assert process.returncode == 0
        assert err == f"{url} asks us to wait (quota_exceeded): trying again …\n"
        assert len(out.splitlines()) == len(listed(api)) == 3


def listed(api: ApiServer) -> list[dict]:
    return api.http.get("/jobs?limit=100").json()["jobs"]
