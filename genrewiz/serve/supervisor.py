"""Starts child processes in phases, restarts what dies, stops all in reverse.

It knows nothing of what the children do: each says by a callable whether it is ready.
"""

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

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
    """Runs services until it is stopped. Only its own thread may call it, but for `stop`."""

    def __init__(self, phases: Sequence[Sequence[Service]]) -> None:
        """phases: services of one phase start together, when those of the phase before are ready."""
        self._phases = phases
        self._children: list[list[_Child]] = []
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ask `watch` to return; safe in a signal handler."""
        self._stop.set()

    def start(self) -> None:
        """Start every phase; StartFailed where a child ends first. Returns early when asked to stop."""
        for phase in self._phases:
            children = [_spawn(service) for service in phase]
            self._children.append(children)
            for child in children:
                self._await_ready(child)

    def watch(self) -> None:
        """Restart what dies, until `stop`."""
        while not self._stop.wait(POLL_SECONDS):
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
                    _say(child.service.name, f"still running after {GRACE_SECONDS} s: killed")
                    child.process.kill()
                    child.process.wait()

    def _await_ready(self, child: _Child) -> None:
        end = time.monotonic() + START_SECONDS
        while not self._stop.is_set() and not child.service.is_ready():
            if child.process.poll() is not None:
                raise StartFailed(f"{child.service.name} ended with status {child.process.returncode}.")
            if time.monotonic() > end:
                raise StartFailed(f"{child.service.name} was not ready within {START_SECONDS} s.")
            self._stop.wait(POLL_SECONDS / 4)

    def _watched(self, child: _Child) -> _Child:
        status = child.process.poll()
        if status is None:
            return child
        if child.restart_at is None:
            if time.monotonic() - child.started_at > STABLE_SECONDS:
                child.backoff_seconds = FIRST_BACKOFF_SECONDS
            _say(child.service.name, f"ended with status {status}; again in {child.backoff_seconds:g} s")
            child.restart_at = time.monotonic() + child.backoff_seconds
        if time.monotonic() < child.restart_at:
            return child
        again = _spawn(child.service)
        again.backoff_seconds = min(child.backoff_seconds * 2, MAX_BACKOFF_SECONDS)
        return again


def _spawn(service: Service) -> _Child:
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
    threading.Thread(target=_relay, args=(service.name, process), daemon=True).start()
    return _Child(service, process)


def _relay(name: str, process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        _say(name, line.rstrip("\n"))


def _say(name: str, line: str) -> None:
    sys.stderr.write(f"{name:<7}| {line}\n")
    sys.stderr.flush()


def stop_on_signals(supervisor: Supervisor) -> None:
    """Let SIGINT and SIGTERM end the watch."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: supervisor.stop())
