"""A power cut: the server is killed, and its append-only file loses what no fsync had brought to the disk.

What was written and synced is read from a trace of the server's system calls.
"""

import random
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.redis_server import RedisServer

CALL = re.compile(r"^(?P<pid>\d+) +(?P<name>write|writev|fdatasync|fsync)\(\d+<(?P<path>[^>]*\.incr\.aof)>")
RESUMED = re.compile(r"^(?P<pid>\d+) +<\.\.\. (?P<name>\w+) resumed>")
RESULT = re.compile(r" = (?P<value>-?\d+)(?: \w+ \(.*\))?$")


def need_strace() -> None:
    """Skip, and say so, where nobody may trace."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed: no power cut was simulated")
    if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody trace: no power cut was simulated")


def traced(trace: Path) -> list[str]:
    """The command that starts a server whose writes and syncs are noted."""
    return ["strace", "-f", "-y", "-s", "0", "-o", str(trace), "-e", "trace=write,writev,fdatasync,fsync"]


@dataclass(frozen=True)
class Written:
    """How much of the append-only file was written, and how much of it is on the disk for sure, in bytes."""

    in_all: int
    synced: int


def written(trace: str) -> Written:
    """What a trace says: a sync that has returned 0 has kept what was written before it began."""
    in_all = synced = 0
    begun: dict[str, tuple[str, int]] = {}  # by pid: a call that has not returned, and the bytes before it
    for line in trace.splitlines():
        if call := CALL.match(line):
            begun[call["pid"]] = call["name"], in_all
        elif not ((resumed := RESUMED.match(line)) and resumed["pid"] in begun):
            continue
        result = RESULT.search(line)
        if result is None:
            continue
        name, before = begun.pop(line.split()[0])
        if name.startswith("write"):
            in_all += max(0, int(result["value"]))
        elif result["value"] == "0":
            synced = max(synced, before)
    return Written(in_all=in_all, synced=synced)


def cut_power(server: RedisServer, trace: Path, chance: random.Random) -> None:
    """End the server at once. Of what was not synced, the disk has kept some part from its beginning."""
    server.kill()
    sizes = written(trace.read_text())
    file = server.append_only_file()
    assert file.stat().st_size >= sizes.in_all >= sizes.synced
    with file.open("r+b") as aof:
        aof.truncate(chance.randint(sizes.synced, file.stat().st_size))
