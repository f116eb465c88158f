"""The file that remembers a batch."""

import json
import os
import random
import stat
from functools import partial
from pathlib import Path

import pytest

from genrewiz.commands.batch_state import ACCEPTED, FINISHED, SENDING, StateUnusable
from genrewiz.commands.batch_state import batch_state as state_of

JOB = {"id": "job_1", "status": "queued", "metadata": {"ü": "\ud800"}}
DONE = JOB | {"status": "succeeded", "result": {"genre": "rock", "timeline": ["…"] * 50_000}}


HERE = "http://127.0.0.1:8000"
batch_state = partial(state_of, server=HERE)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "music.state"


def filled(path: Path, songs: int = 3) -> dict[str, str]:
    """A file in which every song has come to another step; the keys by name."""
    with batch_state(path) as state:
        keys = {name: state.key(name) for name in map(str, range(songs))}
        for number, (name, key) in enumerate(keys.items()):
            state.sending(key, name)
            if number % 3 >= 1:
                state.accepted(key, JOB)
            if number % 3 == 2:
                state.finished(key, DONE)
    return keys


def test_what_a_run_did_the_next_one_knows(path):
    keys = filled(path)

    with batch_state(path) as state:
        assert {name: state.key(name) for name in keys} == keys
        assert state.known(keys["0"]) == (SENDING, None)
        assert state.known(keys["1"]) == (ACCEPTED, JOB)
        assert state.known(keys["2"]) == (FINISHED, DONE)
        assert state.known(state.key("new")) is None


def test_what_a_run_did_it_knows_itself(path):
    with batch_state(path) as state:
        for name in ("a", "b"):
            state.finished(state.key(name), DONE | {"id": name})
        assert state.known(state.key("a")) == (FINISHED, DONE | {"id": "a"})


def test_the_keys_of_two_batches_and_of_two_versions_of_a_song_differ(path, tmp_path):
    with batch_state(path) as one, batch_state(tmp_path / "other") as other:
        keys = {one.key("a", "1"), one.key("a", "2"), one.key("a1"), other.key("a", "1")}

    assert len(keys) == 4
    assert all(len(key) <= 255 and key.isalnum() for key in keys)


def test_a_file_cut_anywhere_is_a_run_that_was_killed_there(path, tmp_path):
    filled(path, songs=6)
    whole = path.read_bytes()
    ends = [at + 1 for at, byte in enumerate(whole) if byte == 10]
    cuts = {
        0,
        1,
        5,
        len(whole) - 1,
        *ends,
        *(end - 1 for end in ends),
        *random.Random(6).sample(range(len(whole)), 20),
    }

    for cut in sorted(cuts):
        torn = tmp_path / "torn"
        torn.write_bytes(whole[:cut])
        with batch_state(torn) as state:
            state.accepted(state.key("after"), JOB)
        lines = [json.loads(line) for line in torn.read_bytes().splitlines()]
        kept = whole[: max((end for end in ends if end <= cut), default=0)].count(b"\n")
        assert len(lines) == max(kept, 1) + 1, cut
        assert lines[-1]["step"] == ACCEPTED
        with batch_state(torn) as state:
            assert state.known(state.key("after")) == (ACCEPTED, JOB)


@pytest.mark.parametrize(
    "content",
    [
        b"ID3\x04 a song that somebody named by mistake",
        b"a line\nanother",
        b'{"genrewiz_batch":"x"}\n',
        b'{"genrewiz_batch":"x","version":1}\n',
        b'{"genrewiz_batch":"x","version":2,"server":"http://127.0.0.1:8000"}\n',
        b"[]\n",
        b"{",
    ],
)
def test_a_strangers_file_is_refused_and_left_as_it_is(path, content):
    path.write_bytes(content)

    if content == b"{":  # as a run leaves it that was killed at its first byte
        with batch_state(path):
            return
    with pytest.raises(StateUnusable, match="no state file"), batch_state(path):
        pass

    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "line", [b"nonsense\n", b'{"step":"sideways","key":"x"}\n', b'{"step":"sending"}\n', b"3\n"]
)
def test_a_file_that_is_damaged_in_the_middle_is_refused_with_the_line(path, line):
    filled(path, songs=1)
    with path.open("ab") as file:
        file.write(line + b'{"step":"sending","key":"x"}\n')

    with pytest.raises(StateUnusable, match="line 3"), batch_state(path):
        pass


def test_two_runs_at_once_are_refused(path):
    with batch_state(path), pytest.raises(StateUnusable, match="Another run"), batch_state(path):
        pass

    with batch_state(path):
        pass


def test_nobody_else_may_read_it(path):
    with batch_state(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_promised_is_on_the_disk_before_anything_else_happens(path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.lseek(descriptor, 0, os.SEEK_END)))

    with batch_state(path) as state:
        assert synced == [path.stat().st_size]
        state.sending("key", "a.mp3")
        state.accepted("key", JOB)
        assert synced[1:] == [path.stat().st_size]
        state.finished("key", JOB)
        assert synced[2:] == [path.stat().st_size]


def test_a_disk_that_is_full_ends_the_run_and_nothing_is_written_behind_half_a_line(path, monkeypatch):
    real = os.write
    with batch_state(path) as state:

        def half(descriptor: int, line: bytes) -> int:
            if len(line) < 20:
                raise OSError(28, "No space left on device")
            return real(descriptor, line[: len(line) // 2])

        monkeypatch.setattr(os, "write", half)
        with pytest.raises(StateUnusable, match="No space left"):
            state.accepted("a", JOB)
        monkeypatch.undo()
        with pytest.raises(StateUnusable, match="No space left"):
            state.accepted("b", JOB)
        assert state.known("a") is None

    with batch_state(path) as state:
        assert state.known("a") is None
        state.accepted("b", JOB)


@pytest.mark.parametrize("name", [".", "none/music.state"])
def test_a_place_that_cannot_be_written_is_said(tmp_path, name):
    with pytest.raises(StateUnusable, match="cannot be opened"), batch_state(tmp_path / name):
        pass


@pytest.mark.parametrize("name", ["/dev/null", "/dev/full", "pipe"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path, name):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(StateUnusable, match="no regular file"), batch_state(tmp_path / name):
        pass


@pytest.mark.parametrize("begin", [b"", b'{"genrewiz_batch":'])
def test_of_a_large_strangers_file_only_the_beginning_is_read(path, begin):
    with path.open("wb") as file:
        file.write(begin + b"\xff" * 100)
        file.truncate(2**40)  # without a single end of a line

    with pytest.raises(StateUnusable, match="no state file"), batch_state(path):
        pass

    assert path.stat().st_size == 2**40


def test_a_state_is_of_the_server_that_it_was_begun_with(path):
    filled(path)

    with (
        pytest.raises(StateUnusable, match=f"server {HERE}.*--server"),
        state_of(path, server="http://127.0.0.1:8001"),
    ):
        pass

    with batch_state(path) as state:
        assert state.known(state.key("1")) == (ACCEPTED, JOB)
