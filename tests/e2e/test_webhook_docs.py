"""The lines of docs/webhooks.md, run as printed against a whole service: api, worker and dispatcher."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from genrewiz.serve.ports import free_port
from support.api_server import api_serving
from support.audio import encode, music_like
from support.azuracast import KEY, azuracast_serving
from support.receivers import Running, running
from support.redis_server import redis_serving
from support.waiting import eventually

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
INSIDE = {"GENREWIZ_EGRESS_HTTP": "true", "GENREWIZ_EGRESS_ALLOW": "10.0.0.0/8,127.0.0.0/8"}
LINES = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines() if line
]


def printed(*parts: str) -> str:
    """The one line of the page that has all these parts."""
    [line] = [line for line in LINES if all(part in line for part in parts)]
    return line


RUN = {
    "listen": printed("genrewiz listen"),
    "submit": printed("webhook_url"),
    "make endpoint": printed('"url"', "$URL/webhook-endpoints"),
    "submit with endpoint": printed("webhook_endpoint"),
    "submit with metadata": printed('"id": "7"'),
    "deliveries": printed("webhook-deliveries?endpoint"),
    "delivery": printed("curl -sf $URL/webhook-deliveries/$DELIVERY"),
    "redeliver": printed("/redeliver"),
    "enable": printed("PATCH"),
    "recover": printed("/recover"),
    "test": printed("/test"),
    "rotate": printed("/rotate-secret"),
    "azuracast.py": printed("python3 azuracast.py"),
    "submit for AzuraCast": printed("media_id"),
    "playlists.py": printed("python3 playlists.py"),
}


class Reader:
    """Somebody who does what the page says, in a folder with a song."""

    def __init__(self, folder: Path, url: str, redis_url: str) -> None:
        self.folder = folder
        self.variables = {"URL": url, "GENREWIZ_REDIS_URL": redis_url}

    def environment(self) -> dict[str, str]:
        """What the shell knows."""
        return {**os.environ, **self.variables}

    def run(self, line: str, **variables: str) -> Any:
        """A line's answer."""
        self.variables |= variables
        done = subprocess.run(
            ["bash", "-euc", line], cwd=self.folder, env=self.environment(), capture_output=True, check=False
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def make_endpoint(self, port: int) -> str:
        """The secret of a new endpoint, whose id the next lines name."""
        endpoint = self.run(RUN["make endpoint"], HOOK=f"http://127.0.0.1:{port}/hook")
        self.variables["ENDPOINT"] = endpoint["id"]
        return endpoint["secret"]

    def delivered(self, delivery_id: str, attempts: int) -> dict[str, Any]:
        """A delivery, once it has arrived by so many attempts."""
        return eventually(
            lambda: (
                (found := self.run(RUN["delivery"], DELIVERY=delivery_id))["status"] == "delivered"
                and found["attempts_made"] == attempts
                and found
            )
        )


@contextmanager
def process(directory: Path, module: str, **environment: str) -> Iterator[None]:
    """`python -m …` until the end of the block."""
    with (
        (directory / f"{module}.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", module], env={**os.environ, **environment}, stdout=log, stderr=log
        ) as started,
    ):
        try:
            yield
        except BaseException:
            print((directory / f"{module}.log").read_text()[-5_000:])
            raise
        finally:
            started.terminate()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("reader")
    (folder / "song.mp3").write_bytes(encode(music_like(seconds=4, seed=3), "mp3"))
    with ExitStack() as stack:
        redis = stack.enter_context(redis_serving(folder / "redis"))
        api = stack.enter_context(api_serving(folder, redis.url, **INSIDE))
        ours = {
            **INSIDE,
            "GENREWIZ_REDIS_URL": redis.url,
            "GENREWIZ_AUDIO_DIR": str(api.audio),
            "GENREWIZ_WORKER_METRICS_PORT": str(free_port()),
            "GENREWIZ_DISPATCHER_METRICS_PORT": str(free_port()),
        }
        stack.enter_context(process(folder, "worker", **ours))
        stack.enter_context(process(folder, "worker.webhooks", **ours))
        yield Reader(folder, f"http://127.0.0.1:{api.port}", redis.url)


def shape(value: Any) -> Any:
    """The names in a JSON object, level by level."""
    return {name: shape(each) for name, each in value.items()} if isinstance(value, dict) else None


def test_a_song_is_told_to_the_receiver_to_try_with(reader: Reader):
    secret = subprocess.run(
        [sys.executable, "-m", "genrewiz", "keys", "webhook-secret"],
        env=reader.environment(), capture_output=True, text=True, check=True,
    ).stdout.split()[0]  # fmt: skip
    port = free_port()
    line = RUN["listen"].replace("8900", str(port)).replace('"$SECRET"', secret)
    command = [sys.executable, "-m", *shlex.split(line), "--json"]
    with subprocess.Popen(
        command, env=reader.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as listening:
        assert "Listening" in eventually(listening.stderr.readline)
        job = reader.run(RUN["submit"], HOOK=f"http://127.0.0.1:{port}/")
        event = json.loads(listening.stdout.readline())
        listening.terminate()

    [shown] = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    assert event["type"] == shown["type"]
    assert event["data"]["id"] == job["id"]
    assert shape(event).keys() == shape(shown).keys()
    assert shape(event["data"]).keys() == shape(shown["data"]).keys()
    for name in ("progress", "result", "model"):
        assert shape(event["data"][name]) == shape(shown["data"][name])
    assert set(shown["data"]["source"]) - {"…"} <= set(event["data"]["source"])


def test_an_endpoint_as_the_page_tells_its_story(reader: Reader):
    port = free_port()
    since = datetime.now(UTC) - timedelta(hours=1)
    secret = reader.make_endpoint(port)
    with running(reader.folder / "webhooks", "receiver.py", secret=secret, port=port) as receiver:
        reader.run(RUN["submit with endpoint"])
        reader.run(RUN["submit with metadata"])
        eventually(lambda: len(receiver.acted()) == 2)
        listed = reader.run(RUN["deliveries"])["deliveries"]
        delivery = listed[0]["id"]
        first = reader.delivered(delivery, attempts=1)
        reader.run(RUN["redeliver"])
        again = reader.delivered(delivery, attempts=2)

        assert len(listed) == 2
        assert first["attempts"][0]["status_code"] == 204
        assert again["attempts"][1]["status_code"] == 204
        assert len(receiver.acted()) == 2  # a receiver that did it already does nothing

        assert reader.run(RUN["enable"])["enabled"] is True
        assert reader.run(RUN["recover"], SINCE=since.strftime("%Y-%m-%dT%H:%M:%SZ")) == {"recovered": 0}
        reader.delivered(reader.run(RUN["test"])["id"], attempts=1)
        assert reader.run(RUN["rotate"])["secret"] != secret
        reader.run(RUN["submit with endpoint"])
        eventually(lambda: len(receiver.acted()) == 3)  # it knows the old secret alone


def test_azuracast_gets_its_genre_by_the_lines_of_the_page(reader: Reader):
    def wrote(receiver: Running) -> bool:
        return bool(azuracast.puts) or "nothing written" in receiver.text()

    with azuracast_serving() as azuracast:
        port = free_port()
        secret = reader.make_endpoint(port)
        options = _options("azuracast.py", {"https://radio.example": azuracast.url})
        with running(
            reader.folder / "azuracast", *options, secret=secret, port=port, AZURACAST_API_KEY=KEY
        ) as receiver:
            job = reader.run(RUN["submit for AzuraCast"])
            eventually(lambda: wrote(receiver))

    assert azuracast.genre, receiver.text()
    assert f"{job['id']} file 123 of station 1" in receiver.text()


def test_a_playlist_gets_its_song_by_the_lines_of_the_page(reader: Reader):
    music, playlists = reader.folder / "music", reader.folder / "playlists"
    (music / "albums").mkdir(parents=True)
    (music / "albums" / "song.mp3").write_bytes((reader.folder / "song.mp3").read_bytes())
    [metadata] = re.findall(r'`("metadata": \{"path": [^`]*)`', PAGE)
    port = free_port()
    secret = reader.make_endpoint(port)
    options = _options("playlists.py", {"/srv/music": str(music), "/srv/playlists": str(playlists)})
    with running(reader.folder / "liquidsoap", *options, secret=secret, port=port):
        reader.run(RUN["submit with metadata"].replace('"metadata": {"id": "7"}', metadata))
        lines = eventually(lambda: [file.read_text() for file in playlists.iterdir() if file.stat().st_size])

    assert lines == [f"{music / 'albums' / 'song.mp3'}\n"]


def test_there_is_no_line_that_is_not_run():
    assert set(LINES) == set(RUN.values())


def _options(file: str, stands_for: dict[str, str]) -> list[str]:
    """The words of the page's line that starts a receiver, with what its example values stand for."""
    return [stands_for.get(word, word) for word in shlex.split(RUN[file])[1:]]
