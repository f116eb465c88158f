"""The receivers of docs/webhooks, run as their readers run them, and deliveries as GenreWiz signs them."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from genrewiz.serve.ports import free_port
from shared.webhook_secrets import signatures
from support.waiting import eventually

WEBHOOKS = Path(__file__).parents[2] / "docs" / "webhooks"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW_SECRET = "whsec_" + "bmV3" * 8
FOREIGN_SECRET = "whsec_" + "Zm9l" * 8
PACKAGES = {"node": "nodejs", "php": "php-cli", "liquidsoap": "liquidsoap"}


def program(name: str) -> str:
    """A program that a receiver needs; AssertionError says how to get it."""
    found = shutil.which(name)
    assert found, (
        f"{name} is missing: `make test` installs it, and so does `apt-get install {PACKAGES[name]}`."
    )
    return found


def event(genre: str | None = "rock", *, job: str = "job_1", **metadata: object) -> dict[str, Any]:
    """A job has succeeded."""
    result = {"genre": genre, "confidence": 0.9, "top": [], "abstained_because": None}
    if genre is None:
        result["abstained_because"] = "low_confidence"
    data = {"id": job, "status": "succeeded", "result": result, "error": None, "metadata": metadata}
    return {"type": "job.succeeded", "timestamp": "2026-01-01T00:00:00.000Z", "sequence": 1, "data": data}


def failure(code: str = "audio_silent") -> dict[str, Any]:
    """A job has failed."""
    data = {"id": "job_2", "status": "failed", "result": None, "error": {"code": code}, "metadata": {}}
    return {"type": "job.failed", "timestamp": "2026-01-01T00:00:00.000Z", "sequence": 1, "data": data}


def signed_headers(body: bytes, secrets: Sequence[str], webhook_id: str, timestamp: int) -> dict[str, str]:
    """As `worker/webhooks` sends them."""
    return {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures(secrets, webhook_id=webhook_id, timestamp=timestamp, body=body),
    }


class Running:
    """A receiver that is up."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path, url: str, said: list[str]) -> None:
        self.process, self.folder, self.url, self.said = process, folder, url, said

    def deliver(
        self,
        what: Any = None,
        *,
        secrets: Sequence[str] = (SECRET,),
        webhook_id: str = "msg_1",
        seconds_ago: int = 0,
        sent: bytes | None = None,
    ) -> int:
        """The status of its answer. sent: bytes in the place of those that were signed."""
        body = what if isinstance(what, bytes) else json.dumps(what or event()).encode()
        headers = signed_headers(body, secrets, webhook_id, int(time.time()) - seconds_ago)
        return self.post(body if sent is None else sent, headers)

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        """The status of its answer to anything."""
        response = httpx.post(self.url, content=body, headers=headers, trust_env=False, timeout=60)
        return response.status_code

    def acted(self) -> list[str]:
        """The lines that it has written."""
        table = self.folder / "genres.csv"
        return table.read_text().splitlines() if table.exists() else []

    def requests_read(self) -> int:
        """How many connections it has from which it has read all that came."""
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        mine = f":{httpx.URL(self.url).port:04X}"
        return sum(row[1].endswith(mine) and row[3:5] == ["01", "00000000:00000000"] for row in rows)

    def text(self) -> str:
        """What it has said."""
        return "".join(self.said)

    def kill(self) -> None:
        """As the kernel would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def running(
    folder: Path, *command: str, secret: str = SECRET, port: int | None = None, **environment: str
) -> Iterator[Running]:
    """A receiver of docs/webhooks: `receiver.py --overwrite`, `receiver.mjs` or `receiver.php`."""
    folder.mkdir(exist_ok=True)
    file, port = str(WEBHOOKS / command[0]), port or free_port()
    started = {
        ".py": [sys.executable, file, "--port", str(port), "--folder", str(folder), *command[1:]],
        ".mjs": [*_found("node", file), file],
        ".php": [*_found("php", file), "-S", f"127.0.0.1:{port}", file],
    }[Path(file).suffix]
    ours = {
        "GENREWIZ_WEBHOOK_SECRET": secret,
        "GENREWIZ_WEBHOOK_FOLDER": str(folder),
        "PORT": str(port),
        "PHP_CLI_SERVER_WORKERS": "4",  # as Apache has several
    }
    said: list[str] = []
    with subprocess.Popen(
        started,
        env={**os.environ, **ours, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # PHP's server leaves its children behind
    ) as process:
        reader = threading.Thread(target=said.extend, args=(process.stdout,), daemon=True)
        reader.start()
        try:
            eventually(lambda: process.poll() is not None or _is_open(port))
            if process.poll() is not None:
                reader.join()
                raise AssertionError(f"the receiver has ended: {''.join(said)}")
            yield Running(process, folder, f"http://127.0.0.1:{port}/", said)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            reader.join()


def _found(name: str, file: str) -> list[str]:
    suffix = {"node": ".mjs", "php": ".php"}[name]
    return [program(name)] if file.endswith(suffix) else []


def _is_open(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port)):
        return True
