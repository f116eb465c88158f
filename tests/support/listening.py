"""`genrewiz listen` beside a test: what it is sent, and what it prints."""

import base64
import hashlib
import hmac
import queue
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from support.commands import CommandLine
from support.waiting import PATIENCE_SECONDS

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Listening:
    """A receiver that is up."""

    def __init__(self, process) -> None:
        self.process = process
        self.said: list[str] = []
        self._lines: queue.SimpleQueue[str] | None = None
        while not self.said or "Listening" not in self.said[-1]:
            self.said.append(process.stderr.readline())
        self.port = int(self.said[-1].split("/ ")[0].rpartition(":")[2])
        self.url = re.search(r"http://\S+", self.said[-1]).group()
        threading.Thread(target=lambda: self.said.extend(process.stderr), daemon=True).start()

    def post(self, body: bytes, **headers: str) -> int:
        return httpx.post(self.url, content=body, headers=headers, trust_env=False, timeout=60).status_code

    def deliver(self, body: bytes, *, secret: str = SECRET, seconds_ago: int = 0, **headers: str) -> int:
        """As the service sends it, by Standard Webhooks 1.0.0."""
        timestamp = str(int(time.time()) - seconds_ago)
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signature = hmac.digest(key, f"msg_1.{timestamp}.".encode() + body, hashlib.sha256)
        return self.post(
            body,
            **{
                "webhook-id": "msg_1",
                "webhook-timestamp": timestamp,
                "webhook-signature": "v1," + base64.b64encode(signature).decode(),
                **headers,
            },
        )

    def line(self) -> str:
        """The next line of its output, which must come."""
        if self._lines is None:
            self._lines = queue.SimpleQueue()
            threading.Thread(target=lambda: [*map(self._lines.put, self.process.stdout)], daemon=True).start()
        return self._lines.get(timeout=PATIENCE_SECONDS).rstrip("\n")


@contextmanager
def listening(*options: str, port: int = 0, **environment: str) -> Iterator[Listening]:
    """One, until the end; port: that of another one which has ended."""
    command = CommandLine("http://127.0.0.1:1", **environment)
    with command.start("listen", "--port", port, *options) as process:
        try:
            yield Listening(process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()
    assert process.returncode == 130
