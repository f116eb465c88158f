"""Both clients with a whole service: a real song, heard by a real worker."""

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from textwrap import dedent

import pytest

import genrewiz.client
from genrewiz.client import AsyncClient, Client, Problem, Window, verify_webhook
from support.clients import KINDS, Making, clients
from support.long_audio import long_mp3
from support.service import Service


@pytest.fixture(params=KINDS)
def make(request) -> Iterator[Making]:
    with clients(request.param) as make:
        yield make


def test_a_song_is_classified_watched_drawn_and_deleted(service: Service, make, tmp_path):
    path = tmp_path / "long.mp3"
    path.write_bytes(long_mp3(hours=0.033))
    client, sent = make(service.url), []

    job = client.submit(
        path, options={"spectrogram": True, "top": 2}, on_bytes=lambda *told: sent.append(told)
    )
    events = list(client.events(job))
    done = client.wait(job)

    size = path.stat().st_size
    assert (sent[0], sent[-1]) == ((0, size), (size, size))
    assert (done.status, done.source.filename, done.source.codec) == ("succeeded", "long.mp3", "mp3")
    assert len(done.result.top) == 2
    assert done.result.confidence == done.result.top[0].probability
    assert done == events[-1].job == client.get(job)
    heard = tuple(Window.of(event.data) for event in events if event.name == "window")
    assert heard == done.result.timeline
    assert len(heard) > 5
    assert client.spectrogram(done).startswith(b"\x89PNG")
    assert done.id in [each.id for each in client.jobs(status="succeeded")]
    client.delete(done)
    with pytest.raises(Problem, match="result_gone"):
        client.get(done)


def test_a_song_is_waited_for_through_the_death_of_everything(service: Service, make):
    client = make(service.url, max_attempts=200)
    job = client.submit(long_mp3(hours=0.033), filename="long.mp3")

    for role in ("api", "worker"):
        service.kill(role)

    assert client.wait(job).status == "succeeded"


def test_a_song_is_heard_within_the_one_request_that_submits_it(service: Service, make, sample):
    client = make(service.url)

    job = client.submit(sample, filename="nightdrive.mp3", wait_seconds=30)

    if job.is_finished:  # on a machine on which it takes no longer
        assert job.result.genre
    with suppress(Problem):
        client.cancel(job)


def example(text: str) -> str:
    """The indented lines of a docstring."""
    lines = dedent(text.partition("\n")[2]).split("\n")
    return dedent("\n".join(line for line in lines if not line or line.startswith("    ")))


@pytest.mark.parametrize("what", [genrewiz.client, Client, AsyncClient], ids=lambda what: what.__name__)
def test_the_example_of_a_docstring_works_as_it_is_pasted(service: Service, what, sample, tmp_path):
    (tmp_path / "song.mp3").write_bytes(sample)
    code = example(what.__doc__).replace("http://127.0.0.1:8000", service.url)
    code = code.replace("Client()", f'Client("{service.url}")')

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "disco"


def test_every_call_has_an_example_that_is_python():
    calls = [
        method
        for kind in (Client, AsyncClient)
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    ]
    for call in [*calls, verify_webhook]:
        if call.__name__ in ("close", "aclose"):
            continue
        lines = dedent(call.__doc__.partition("\n\n")[2]).split("\n\n")
        code = dedent(lines[0])
        assert "client." in code or "verify_webhook" in code, call
        ast.parse(f"async def example():\n{_indented(code)}")


def _indented(code: str) -> str:
    return "\n".join(f"    {line}" for line in code.split("\n"))
