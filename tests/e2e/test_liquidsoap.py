"""The recipe for Liquidsoap: a signed webhook comes in, and a real Liquidsoap plays the song by its genre."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from shared.model_card import RELEASED, read_model_card
from support.audio import encode, music_like
from support.receivers import FOREIGN_SECRET, WEBHOOKS, Running, event, failure, program, running
from support.waiting import eventually

SETTINGS = """
settings.init.allow_root.set(true)
settings.log.file.set(false)
settings.log.stdout.set(true)
settings.server.socket.set(true)
settings.server.socket.path.set("{socket}")
"""
"""What a test needs beside the radio's own script: a socket to ask for its state."""


class Radio:
    """A Liquidsoap that plays docs/webhooks/radio.liq."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def ask(self, command: str) -> str:
        """The answer to a command of its server."""
        with socket.socket(socket.AF_UNIX) as server:
            server.settimeout(10)
            server.connect(str(self.path))
            server.sendall(f"{command}\nexit\n".encode())
            answer = b""
            while chunk := server.recv(65_536):
                answer += chunk
        return ("\n" + answer.decode()).partition("\nEND")[0].strip()

    def on_air(self) -> tuple[str, str]:
        """The playlist that plays, and the song."""
        latest = self.ask("radio.metadata").rpartition("--- 1 ---")[2].splitlines()
        fields = dict(line.partition("=")[::2] for line in latest)
        return fields["source"].strip('"'), fields["filename"].strip('"')


@contextmanager
def radio_playing(directory: Path, *, hour: int) -> Iterator[Radio]:
    """The radio, where it is some hour of the day."""
    path = directory / "radio.socket"
    before = directory / "settings.liq"
    before.write_text(SETTINGS.format(socket=path))
    offset = (time.gmtime().tm_hour - hour) % 24
    with (
        (directory / "radio.log").open("wb") as log,
        subprocess.Popen(
            [program("liquidsoap"), str(before), str(WEBHOOKS / "radio.liq")],
            env={**os.environ, "GENREWIZ_PLAYLISTS": str(directory / "playlists"), "TZ": f"XXX{offset}"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        radio = Radio(path)
        try:
            eventually(lambda: process.poll() is not None or radio.ask("version"))
            assert process.poll() is None
            yield radio
        except BaseException:
            print((directory / "radio.log").read_text()[-5_000:])
            raise
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    for number, name in enumerate(("one.wav", "two.wav", "say: three.wav", "Vier ü.wav")):
        (folder / name).write_bytes(encode(music_like(seconds=2, seed=number), "wav16"))
    return folder


@contextmanager
def receiving(tmp_path: Path, music: Path) -> Iterator[Running]:
    options = ("--music", str(music), "--playlists", str(tmp_path / "playlists"))
    with running(tmp_path / "webhooks", "playlists.py", *options) as up:
        yield up


def playlists(tmp_path: Path) -> dict[str, list[str]]:
    """What stands in those that are not empty."""
    files = (tmp_path / "playlists").glob("*.m3u")
    return {file.stem: lines for file in files if (lines := file.read_text().splitlines())}


def test_songs_are_played_by_the_genre_that_a_webhook_told(tmp_path: Path, music: Path):
    with receiving(tmp_path, music) as receiver, radio_playing(tmp_path, hour=12) as radio:
        assert receiver.deliver(event("jazz", path="two.wav"), webhook_id="msg_1") == 204
        eventually(lambda: str(music / "two.wav") in radio.ask("jazz.next"))
        assert radio.ask("radio.metadata") == ""  # at noon it plays no jazz

        assert receiver.deliver(event("rock", path="one.wav"), webhook_id="msg_2") == 204
        eventually(lambda: radio.on_air() == ("rock", str(music / "one.wav")))

        # Again: a watch that is lost at the first change would not see it.
        assert receiver.deliver(event("rock", path="say: three.wav"), webhook_id="msg_3") == 204
        eventually(lambda: radio.on_air() == ("rock", str(music / "say: three.wav")))

        # And out of a playlist: the only rock that is left is the third song.
        assert receiver.deliver(event("blues", path="one.wav"), webhook_id="msg_4") == 204
        eventually(lambda: str(music / "one.wav") in radio.ask("blues.next"))


def test_at_night_the_radio_plays_what_the_night_is_for(tmp_path: Path, music: Path):
    with receiving(tmp_path, music) as receiver:
        assert receiver.deliver(event("jazz", path="two.wav"), webhook_id="msg_1") == 204
        assert receiver.deliver(event("rock", path="one.wav"), webhook_id="msg_2") == 204
        with radio_playing(tmp_path, hour=23) as radio:
            eventually(lambda: radio.on_air() == ("jazz", str(music / "two.wav")))


def test_a_song_is_in_one_playlist_and_there_once(tmp_path: Path, music: Path):
    with receiving(tmp_path, music) as receiver:
        told = [("rock", "one.wav"), ("rock", "Vier ü.wav"), ("rock", "one.wav"), ("pop", "one.wav")]
        for number, (genre, path) in enumerate(told):
            assert receiver.deliver(event(genre, path=path), webhook_id=f"msg_{number}") == 204

        assert playlists(tmp_path) == {"rock": [str(music / "Vier ü.wav")], "pop": [str(music / "one.wav")]}


def test_an_event_that_comes_again_later_does_not_bring_back_what_was(tmp_path: Path, music: Path):
    with receiving(tmp_path, music) as receiver:
        for genre, webhook_id in (("rock", "msg_1"), ("pop", "msg_2"), ("rock", "msg_1")):
            assert receiver.deliver(event(genre, path="one.wav"), webhook_id=webhook_id) == 204

        assert playlists(tmp_path) == {"pop": [str(music / "one.wav")]}


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        7,
        "none.wav",
        ".",
        "../secret.wav",
        "/etc/passwd",
        "process:touch x",
        "one.wav\nsay:x",
        "a\0b",
        "x" * 5_000,
    ],
)
def test_what_is_no_song_of_ours_reaches_no_playlist(tmp_path: Path, music: Path, path: object):
    (tmp_path / "secret.wav").touch()
    (music / "one.wav\nsay:x").touch()  # it is there, and would be two lines
    with receiving(tmp_path, music) as receiver:
        assert receiver.deliver(event("rock", path=path)) == 204

        assert playlists(tmp_path) == {}


def test_without_a_genre_no_playlist_changes(tmp_path: Path, music: Path):
    with receiving(tmp_path, music) as receiver:
        for number, each in enumerate(
            (event(None, path="one.wav"), event("../x", path="one.wav"), failure())
        ):
            assert receiver.deliver(each, webhook_id=f"msg_{number}") == 204
        assert receiver.deliver(event(path="one.wav"), secrets=(FOREIGN_SECRET,)) == 401

        assert playlists(tmp_path) == {}


def test_every_genre_of_the_model_has_a_playlist(tmp_path: Path, music: Path):
    with receiving(tmp_path, music):
        made = {file.stem for file in (tmp_path / "playlists").iterdir()}

    assert made == set(read_model_card(RELEASED).genres)
