"""The README's table about webhooks, of curl, command line and Python: every cell is run, and looked at."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from genrewiz.client import Client
from support.listening import Listening, listening
from support.readme import table_rows
from support.service import GENREWIZ, Service, serving
from support.waiting import eventually

PRINTED_HOOK = "https://radio.example/hook"
WAYS = ("curl", "command line", "Python")
ROWS = {row[0]: row[1:] for row in table_rows("with webhooks, to | curl | command line | Python")}


@dataclass
class World:
    """A service, a receiver that takes what comes, and a folder with what the lines name."""

    service: Service
    receiver: Listening
    folder: Path

    def do(self, task: str, way: str, **names: str) -> Any:
        """What a cell prints; of Python the names that it has set. names: the ids that stand in the lines."""
        line = ROWS[task][WAYS.index(way)].replace(PRINTED_HOOK, self.receiver.url)
        return self._python(line, names) if way == "Python" else self._shell(line, names)

    def _shell(self, line: str, names: dict[str, str]) -> str:
        environment = {
            **os.environ,
            "PATH": f"{Path(GENREWIZ).parent}{os.pathsep}{os.environ['PATH']}",
            "URL": self.service.url,
            "GENREWIZ_URL": self.service.url,
            **{name.upper(): text for name, text in names.items()},
        }
        done = subprocess.run(
            line, shell=True, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _python(self, line: str, names: dict[str, str]) -> dict[str, Any]:
        here = Path.cwd()
        os.chdir(self.folder)
        try:
            with Client(self.service.url) as client:
                found: dict[str, Any] = {"client": client, **names}
                exec(line, found)
        finally:
            os.chdir(here)
        return found

    def endpoint(self) -> str:
        """A new one, at the receiver."""
        made = self.service.http.post("/webhook-endpoints", json={"url": self.receiver.url})
        return made.json()["id"]

    def delivered(self) -> dict[str, Any]:
        """A delivery that was attempted once."""
        sent = self.service.http.post(f"/webhook-endpoints/{self.endpoint()}/test").json()
        self.receiver.line()
        return eventually(lambda: (found := self.delivery(sent["id"]))["status"] == "delivered" and found)

    def delivery(self, delivery_id: str) -> dict[str, Any]:
        return self.service.http.get(f"/webhook-deliveries/{delivery_id}").json()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, sample: bytes) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("readme")
    (folder / "song.mp3").write_bytes(sample)
    environment = {"GENREWIZ_EGRESS_HTTP": "true", "GENREWIZ_EGRESS_ALLOW": "127.0.0.0/8"}
    with (
        serving(tmp_path_factory.mktemp("service"), **environment) as service,
        listening() as receiver,
    ):
        yield World(service, receiver, folder)


def test_the_table_has_each_thing_in_each_way():
    assert len(ROWS) == 8
    assert all(len(cells) == len(WAYS) and all(cells) for cells in ROWS.values())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("task", ["have the end of a job told", "have it told to an endpoint"])
def test_the_end_of_a_job_is_told_as_printed(world: World, task: str, way: str):
    printed = world.do(task, way, endpoint=world.endpoint())

    line = world.receiver.line()
    job_id = next(word for word in line.split() if word.startswith("job_"))
    assert "job.succeeded" in line
    assert job_id in (printed["job"].id if way == "Python" else printed)


@pytest.mark.parametrize("way", WAYS)
def test_an_endpoint_is_made_and_its_secret_is_shown_as_printed(world: World, way: str):
    printed = world.do("make an endpoint", way)

    newest = world.service.http.get("/webhook-endpoints").json()["endpoints"][0]["id"]
    shown = f"{printed['endpoint']!r} {printed['endpoint'].secret}" if way == "Python" else printed
    assert newest in shown
    assert "whsec_" in shown


@pytest.mark.parametrize("way", WAYS)
def test_an_endpoint_is_tried_as_printed(world: World, way: str):
    printed = world.do("try it", way, endpoint=world.endpoint())

    delivery_id = next(word for word in world.receiver.line().split() if word.startswith("msg_"))
    assert delivery_id in (printed["delivery"].id if way == "Python" else printed)


@pytest.mark.parametrize("way", WAYS)
def test_another_secret_is_made_as_printed(world: World, way: str):
    endpoint = world.endpoint()

    printed = world.do("give it another secret", way, endpoint=endpoint)

    assert "whsec_" in (printed["secret"] if way == "Python" else printed)
    shown = world.service.http.get(f"/webhook-endpoints/{endpoint}").json()
    assert shown["previous_secret_expires_at"]


@pytest.mark.parametrize("way", WAYS)
def test_what_has_failed_is_listed_as_printed(world: World, way: str):
    endpoint = world.endpoint()
    world.service.http.patch(f"/webhook-endpoints/{endpoint}", json={"enabled": False})
    song = (world.folder / "song.mp3").read_bytes()
    job = world.service.classify("a.mp3", song, webhook_endpoint=endpoint)
    path = f"/webhook-deliveries?status=failed&endpoint={endpoint}"
    [failed] = eventually(lambda: world.service.http.get(path).json()["deliveries"])

    printed = world.do("see what has failed", way)

    assert failed["job"] == job["id"]
    ids = [each.id for each in printed["failed"]] if way == "Python" else printed
    assert failed["id"] in ids


@pytest.mark.parametrize("way", WAYS)
def test_each_attempt_is_shown_as_printed(world: World, way: str):
    delivery = world.delivered()

    printed = world.do("see each attempt", way, delivery=delivery["id"])

    if way == "curl":
        assert json.loads(printed)["attempts"] == delivery["attempts"]
    elif way == "Python":
        assert [attempt.status_code for attempt in printed["attempts"]] == [204]
    else:
        assert "204" in printed


@pytest.mark.parametrize("way", WAYS)
def test_a_delivery_is_sent_again_as_printed(world: World, way: str):
    delivery = world.delivered()

    world.do("send it again", way, delivery=delivery["id"])

    line = world.receiver.line()
    assert delivery["id"] in line
    assert line.endswith("attempt 2  again")
