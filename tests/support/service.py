"""`genrewiz serve` as a user runs it: a real server, gunicorn and Celery worker, as child processes."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from support.contract import check_http
from support.waiting import eventually

GENREWIZ = str(Path(sys.executable).with_name("genrewiz"))
MAX_UPLOAD_BYTES = 30 * 2**20
LIMITS = {"GENREWIZ_MAX_UPLOAD_BYTES": str(MAX_UPLOAD_BYTES), "GENREWIZ_MAX_AUDIO_SECONDS": "120"}
"""Of the service that tests share: low enough to be reached quickly."""
FINISHED = {"succeeded", "failed", "cancelled", "expired"}


class Service:
    """A service that is up."""

    def __init__(self, process: "subprocess.Popen[str]", lines: list[str]) -> None:
        self.process = process
        self.lines = lines
        self.url = eventually(self._url)
        self.http = httpx.Client(
            base_url=self.url, timeout=60, trust_env=False, event_hooks={"response": [check_http]}
        )

    def post(self, name: str, audio: bytes, **parts: str) -> httpx.Response:
        return self.http.post("/jobs", files={"file": (name, audio)}, data=parts)

    def submit(self, name: str, audio: bytes, **parts: str) -> str:
        response = self.post(name, audio, **parts)
        assert response.status_code == 202, response.text
        return response.json()["id"]

    def get(self, job_id: str) -> dict:
        response = self.http.get(f"/jobs/{job_id}")
        assert response.status_code == 200, response.text
        return response.json()

    def finished(self, job_id: str) -> dict:
        return eventually(lambda: (job := self.get(job_id))["status"] in FINISHED and job)

    def classify(self, name: str, audio: bytes, **parts: str) -> dict:
        return self.finished(self.submit(name, audio, **parts))

    def pid_of(self, role: str) -> int:
        """The process of a role: a direct child of `genrewiz serve`."""
        marks = {
            "worker": "-m\0worker\0",
            "dispatcher": "-m\0worker.webhooks\0",
            "api": "gunicorn",
            "redis": "-server 127.0.0.1",
        }
        return eventually(
            lambda: next(pid for pid in children(self.process.pid) if marks[role] in command_line(pid))
        )

    def kill(self, role: str) -> None:
        os.kill(self.pid_of(role), signal.SIGKILL)

    def metrics(self, role: str) -> str:
        """The /metrics of the api, the worker or the dispatcher, at the port that serve was given."""
        pid = self.pid_of(role)
        environment = dict(
            pair.partition("=")[::2]
            for pair in Path(f"/proc/{pid}/environ").read_text().split("\0")
            if "=" in pair
        )
        port = environment[f"GENREWIZ_{role.upper()}_METRICS_PORT"]
        return httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text

    def _url(self) -> str | None:
        assert self.process.poll() is None, "\n".join(self.lines)
        found = re.search(r"is ready: (\S+)", "\n".join(self.lines))
        return found and found.group(1)


@contextmanager
def serving(directory: Path, *options: str, **environment: str) -> Iterator[Service]:
    """A service on free ports; stopped at the end."""
    process = subprocess.Popen(
        [
            GENREWIZ, "serve", "--port", "0", "--api-metrics-port", "0", "--worker-metrics-port", "0",
            "--dispatcher-metrics-port", "0", "--data", str(directory), *options,
        ],
        # Tests send the same song again and again, and want it heard each time.
        env={**os.environ, "GENREWIZ_RESULT_CACHE": "false", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    lines: list[str] = []
    threading.Thread(target=_collect, args=(process, lines), daemon=True).start()
    try:
        yield Service(process, lines)
    except BaseException:
        print("\n".join(lines[-200:]))
        raise
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()


def _collect(process: "subprocess.Popen[str]", lines: list[str]) -> None:
    for line in process.stdout or ():
        lines.append(line.rstrip("\n"))


def children(pid: int) -> list[int]:
    """The direct children of a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def command_line(pid: int) -> str:
    """Its arguments, separated by NUL."""
    return Path(f"/proc/{pid}/cmdline").read_text()


def genrewiz(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The command line, run to its end."""
    return subprocess.run(
        [GENREWIZ, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
