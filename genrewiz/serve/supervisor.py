"""Starts child processes in phases, restarts what dies, stops all in reverse.

It knows nothing of what the children do: each says by a callable whether it is ready.
"""

import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

Say = Callable[[str, str], None]
"""Takes a child's name and one line of its output."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)
POLL_SECONDS = 0.2
START_SECONDS = 120  # the first import of torch on a slow disk
GRACE_SECONDS = 40  # running jobs end within it; what does not is killed, and its job recovered
FIRST_BACKOFF_SECONDS = 0.5
MAX_BACKOFF_SECONDS = 30.0
STABLE_SECONDS = 60  # after so long a child counts as well again


class StartFailed(Exception):
    """A child ended, or stayed unready, before everything was up."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One child process."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    is_ready: Callable[[], bool]


@dataclass
class _Child:
    service: Service
    process: "subprocess.Popen[str]"
    started_at: float = field(default_factory=time.monotonic)
    backoff_seconds: float = FIRST_BACKOFF_SECONDS
    restart_at: float | None = None


class Supervisor:
    """Runs services from one thread: children are told when that thread is gone."""

    def __init__(self, phases: Sequence[Sequence[Service]], *, say: Say) -> None:
        """phases: services of one phase start together, when those of the phase before are ready.

        say: hears every line of every child.
        """
        self._phases = phases
        self._say = say
        self._children: list[list[_Child]] = []

    def start(self) -> None:
        """Start every phase; StartFailed where a child ends before it is ready."""
        for phase in self._phases:
            children: list[_Child] = []
            self._children.append(children)
            for service in phase:
                children.append(self._spawn(service))
            for child in children:
                self._await_ready(child)

    def watch(self) -> NoReturn:
        """Restart what dies, until an exception (KeyboardInterrupt, say) ends it."""
        while True:
            time.sleep(POLL_SECONDS)
            for phase in self._children:
                for index, child in enumerate(phase):
                    phase[index] = self._watched(child)

    def shut_down(self) -> None:
        """End all children, the last phase first: SIGTERM, then, after the grace, SIGKILL."""
        for phase in reversed(self._children):
            for child in phase:
                if child.process.poll() is None:
                    child.process.terminate()
            end = time.monotonic() + GRACE_SECONDS
            for child in phase:
                try:
                    child.process.wait(max(0.0, end - time.monotonic()))
                except subprocess.TimeoutExpired:
                    self._say(child.service.name, f"still running after {GRACE_SECONDS} s: killed")
                    child.process.kill()
                    child.process.wait()

    def _await_ready(self, child: _Child) -> None:
        end = time.monotonic() + START_SECONDS
        while not child.service.is_ready():
            if child.process.poll() is not None:
                raise StartFailed(f"{child.service.name} ended with status {child.process.returncode}.")
            if time.monotonic() > end:
                raise StartFailed(f"{child.service.name} was not ready within {START_SECONDS} s.")
            time.sleep(POLL_SECONDS / 4)

    def _watched(self, child: _Child) -> _Child:
        status = child.process.poll()
        if status is None:
            return child
        if child.restart_at is None:
            if time.monotonic() - child.started_at > STABLE_SECONDS:
                child.backoff_seconds = FIRST_BACKOFF_SECONDS
            self._say(child.service.name, f"ended with status {status}; again in {child.backoff_seconds:g} s")
            child.restart_at = time.monotonic() + child.backoff_seconds
        if time.monotonic() < child.restart_at:
            return child
        again = self._spawn(child.service)
        again.backoff_seconds = min(child.backoff_seconds * 2, MAX_BACKOFF_SECONDS)
        return again

    def _spawn(self, service: Service) -> _Child:
        # The child gets SIGTERM when the thread that started it is gone: `kill -9` of ours leaves no orphans.
        setpriv = shutil.which("setpriv")
        prefix = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
        process = subprocess.Popen(
            [*prefix, *service.command],
            env=dict(service.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # else Ctrl-C reaches the children before their turn
        )
        threading.Thread(target=self._relay, args=(service.name, process), daemon=True).start()
        return _Child(service, process)

    def _relay(self, name: str, process: "subprocess.Popen[str]") -> None:
        for line in process.stdout or ():
            self._say(name, line.rstrip("\n"))


@contextmanager
def signals_interrupt() -> Iterator[None]:
    """SIGTERM ends what runs as Ctrl-C does; once it has, further signals wait until the block is over."""

    def interrupt(*_: object) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
