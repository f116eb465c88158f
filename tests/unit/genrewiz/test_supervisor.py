"""Child processes in phases."""

import os
import sys
from pathlib import Path

import pytest

from genrewiz.serve.supervisor import Service, StartFailed, Supervisor
from support.waiting import eventually

WRITES = "import sys, time; open(sys.argv[1], 'w').write({what}); time.sleep(600)"


def child(script: str, *arguments: object, name: str = "child", is_ready=lambda: True) -> Service:
    return Service(
        name=name,
        command=[sys.executable, "-uc", script, *map(str, arguments)],
        environment=dict(os.environ),
        is_ready=is_ready,
    )


def written(path: Path):
    return lambda: path.exists() and path.read_text()


def test_what_children_say_is_heard_with_their_names():
    heard = []
    supervisor = Supervisor(
        [[child("print('hello'); import time; time.sleep(600)", name="greeter")]],
        say=lambda name, line: heard.append((name, line)),
    )

    supervisor.start()

    eventually(lambda: ("greeter", "hello") in heard)
    supervisor.shut_down()


def test_a_child_that_ends_before_it_is_ready_ends_the_start():
    supervisor = Supervisor(
        [[child("raise SystemExit(3)", name="api", is_ready=lambda: False)]], say=lambda *_: None
    )

    with pytest.raises(StartFailed, match=r"api ended with status 3\."):
        supervisor.start()


def test_a_phase_starts_when_the_one_before_is_ready(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    supervisor = Supervisor(
        [
            [child(WRITES.format(what="'up'"), first, is_ready=written(first))],
            [child(WRITES.format(what="open(sys.argv[2]).read()"), second, first, is_ready=written(second))],
        ],
        say=lambda *_: None,
    )

    supervisor.start()

    assert second.read_text() == "up"
    supervisor.shut_down()


def test_to_shut_down_ends_every_child(tmp_path):
    pid = tmp_path / "pid"
    script = WRITES.format(what="str(__import__('os').getpid())")
    supervisor = Supervisor([[child(script, pid, is_ready=written(pid))]], say=lambda *_: None)
    supervisor.start()

    supervisor.shut_down()

    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
