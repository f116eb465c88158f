"""The lines that processes write in JSON, and those of them that are about one thing."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from genrewiz.serve.embedded import free_port
from support.api_server import ApiServer, api_serving
from support.redis_server import redis_serving
from support.service import children
from support.waiting import eventually

Line = dict[str, Any]
JSON = {"GENREWIZ_LOG_FORMAT": "json"}
NEEDED = {"timestamp", "level", "event", "logger", "process", "pid"}
PROGRESS = {"request answered"}
"""Of a request for a job that somebody watches: no step of the job's story."""


def read_lines(*logs: Path) -> list[Line]:
    """Every line of some logs in the order of their times; AssertionError where one is not as all must be."""
    lines = []
    for log in logs:
        for text in log.read_text().split("\n")[:-1]:  # a line that is being written is none yet
            try:
                line = json.loads(text)
            except ValueError:
                raise AssertionError(f"no JSON: {text!r}") from None
            assert set(line) >= NEEDED, text
            lines.append(line)
    return sorted(lines, key=lambda line: line["timestamp"])


def about(lines: list[Line], **fields: str) -> list[Line]:
    """The lines with these fields."""
    return [line for line in lines if fields.items() <= line.items()]


def story(lines: list[Line], **fields: str) -> list[tuple[str, str]]:
    """What befell a job: the process and the event of each line about it."""
    found = [line for line in about(lines, **fields) if line["event"] not in PROGRESS]
    return [(line["process"], line["event"]) for line in found]


class Speaking:
    """An api and workers that speak JSON, with a server of their own."""

    def __init__(self, directory: Path, api: ApiServer, redis_url: str, environment: dict[str, str]) -> None:
        self.directory = directory
        self.api = api
        self._environment = {
            **os.environ,
            "GENREWIZ_REDIS_URL": redis_url,
            "GENREWIZ_AUDIO_DIR": str(api.audio),
            **environment,
        }
        self._logs = [directory / "api.log"]
        self._workers: list[subprocess.Popen[bytes]] = []

    def lines(self) -> list[Line]:
        """All that was said so far."""
        return read_lines(*self._logs)

    def text(self) -> str:
        """The same, as it was written."""
        return "".join(log.read_text() for log in self._logs)

    def start_worker(self) -> "subprocess.Popen[bytes]":
        """One more worker, ready."""
        port, log = free_port(), self.directory / f"worker-{len(self._workers)}.log"
        with log.open("wb") as output:
            worker = subprocess.Popen(
                [sys.executable, "-m", "worker"],
                env={**self._environment, "GENREWIZ_WORKER_METRICS_PORT": str(port)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._logs.append(log)
        self._workers.append(worker)
        url = f"http://127.0.0.1:{port}/readyz"
        eventually(lambda: httpx.get(url, trust_env=False).status_code == httpx.codes.OK)
        return worker

    def kill(self, worker: "subprocess.Popen[bytes]") -> None:
        """As the kernel would for want of memory."""
        worker.kill()
        worker.wait()

    def kill_gunicorn_workers(self) -> None:
        """The arbiter makes new ones."""
        before = set(children(self.api.process.pid))
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: (now := set(children(self.api.process.pid))) and not now & before)

    def stop(self) -> None:
        """SIGTERM to every process of ours."""
        for process in (*self._workers, self.api.process):
            if process.poll() is None:
                process.terminate()
        for process in (*self._workers, self.api.process):
            process.wait()


@contextmanager
def speaking(directory: Path, redis_url: str | None = None, **environment: str) -> Iterator[Speaking]:
    """An api that speaks JSON, without a worker yet."""
    environment = JSON | environment
    with ExitStack() as stack:
        url = redis_url or stack.enter_context(redis_serving(directory / "redis")).url
        api = stack.enter_context(api_serving(directory, url, **environment))
        both = Speaking(directory, api, url, environment)
        try:
            yield both
        except BaseException:
            print(both.text()[-20_000:])
            raise
        finally:
            both.stop()
