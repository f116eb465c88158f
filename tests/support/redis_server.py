"""A Valkey server of the test's own: with another configuration, to be hurt and started again."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis import Redis

from genrewiz.serve.embedded import EmbeddedServer, prepare
from shared.redis_client import connect
from shared.settings import Settings
from support.service import children
from support.waiting import eventually


class RedisServer:
    """A server with the embedded configuration and lines of its own; it can be started again and again."""

    def __init__(
        self,
        directory: Path,
        *lines: str,
        before: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        restore_signals: bool = True,
    ) -> None:
        """before: a command that the server is started by, as `strace`."""
        self.directory = directory
        self.log = directory / "server.log"
        self._server: EmbeddedServer = prepare(directory)
        self.url = self._server.url
        with (directory / "server.conf").open("a") as config:
            config.write("".join(f"{line}\n" for line in lines))
        self._before = before
        self._environment = {**os.environ, **(environment or {})}
        self._restore_signals = restore_signals
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "RedisServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self, *, before: Sequence[str] | None = None) -> None:
        """Returns when it answers."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*(self._before if before is None else before), *self._server.command],
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                restore_signals=self._restore_signals,
            )
        try:
            with Redis.from_url(self.url) as client:
                eventually(lambda: self._alive() and client.ping())
        except BaseException:
            print(self.log.read_text()[-5_000:])
            raise

    def client(self, *, retries: int = 0) -> "Redis":
        """As the service connects."""
        return connect(Settings(redis_url=self.url), retries=retries)

    @property
    def pid(self) -> int:
        """Of the server itself, whatever started it."""
        started = self.process.pid
        return next(iter(children(started)), started)

    def kill(self) -> None:
        """`kill -9`, and wait for the end; nothing happens where it does not run."""
        if self.process is None:
            return
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
        self.process.wait()

    def append_only_file(self) -> Path:
        """Where the server appends now."""
        files = (self.directory / "appendonlydir").glob("*.incr.aof")
        return max(files, key=lambda path: path.stat().st_mtime)

    def _alive(self) -> bool:
        assert self.process.poll() is None, f"the server has ended with {self.process.returncode}"
        return True


@contextmanager
def redis_serving(directory: Path, *lines: str, **options: Any) -> Iterator[RedisServer]:
    """A server that is up; killed at the end."""
    with RedisServer(directory, *lines, **options) as server:
        server.start()
        yield server
