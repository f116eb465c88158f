"""Keeps processes running as Kubernetes would: what dies is started again, with what it had the first time.

One thread starts them all and lives as long as they may: the kernel kills each child when it is gone.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from faults.journal import Journal
from support.service import children

PERIOD_SECONDS = 0.05
BACKOFF_SECONDS = 0.3
NO_ORPHANS = ("setpriv", "--pdeathsig", "KILL", "--")


@dataclass
class Member:
    """A process with a name, and its place: its ports and settings stay when it is started again."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    is_ready: Callable[[], bool]
    process: "subprocess.Popen[bytes] | None" = None
    is_wanted: bool = True
    is_frozen: bool = False
    start_at: float = 0.0  # not before
    kill_at: float | None = None  # the end of its grace
    starts: int = field(default=0)

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        return self.process.pid if self.process and self.process.returncode is None else None


class Keeper:
    """Starts members, and starts them again, until it is stopped."""

    def __init__(self, journal: Journal, logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._journal = journal
        self._logs = logs
        self._members: dict[str, Member] = {}
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="keeper", daemon=True)
        self._thread.start()

    def add(self, member: Member) -> None:
        """Have it run from now on."""
        with self._lock:
            self._members[member.name] = member

    def __getitem__(self, name: str) -> Member:
        return self._members[name]

    def members(self, prefix: str = "") -> list[Member]:
        """Those that are wanted and whose names begin so."""
        with self._lock:
            return [
                member
                for member in self._members.values()
                if member.is_wanted and member.name.startswith(prefix)
            ]

    def kill(self, name: str, *, down_seconds: float = 0.0) -> int | None:
        """SIGKILL to it and its direct children, as when a container dies. Its id, where it ran."""
        with self._lock:
            member = self._members[name]
            if member.pid is None:
                return None
            member.start_at = time.monotonic() + max(down_seconds, BACKOFF_SECONDS)
            member.is_frozen = False
            for pid in (member.pid, *children(member.pid)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return member.pid

    def signal(self, name: str, number: signal.Signals) -> int | None:
        """A signal to the process alone."""
        with self._lock:
            member = self._members[name]
            if member.pid is None:
                return None
            os.kill(member.pid, number)
            member.is_frozen = (member.is_frozen or number == signal.SIGSTOP) and number != signal.SIGCONT
            return member.pid

    def terminate(self, name: str, *, grace_seconds: float) -> int | None:
        """SIGTERM, and SIGKILL once the grace is over."""
        with self._lock:
            self._members[name].kill_at = time.monotonic() + grace_seconds
        return self.signal(name, signal.SIGTERM)

    def forget(self, name: str) -> None:
        """Start it no more."""
        with self._lock:
            self._members[name].is_wanted = False

    def unwanted(self) -> list[str]:
        """Those that still run."""
        with self._lock:
            return [
                member.name for member in self._members.values() if not member.is_wanted and member.process
            ]

    def are_ready(self, prefix: str = "") -> bool:
        """Whether all of these answer."""
        return all(member.pid is not None and member.is_ready() for member in self.members(prefix))

    def stop(self) -> None:
        """Kill all, and wait until they are gone."""
        self._stop.set()
        self._thread.join()

    def _loop(self) -> None:
        try:
            while not self._stop.wait(PERIOD_SECONDS):
                with self._lock:
                    for member in list(self._members.values()):
                        self._tend(member)
        finally:
            self._end_all()

    def _tend(self, member: Member) -> None:
        if member.process is not None and member.process.poll() is not None:
            self._journal.write(
                "exited", target=member.name, target_pid=member.process.pid, status=member.process.returncode
            )
            member.process, member.kill_at, member.is_frozen = None, None, False
            member.start_at = max(member.start_at, time.monotonic() + BACKOFF_SECONDS)
        if member.process is None:
            if member.is_wanted and time.monotonic() >= member.start_at:
                self._start(member)
        elif member.kill_at is not None and time.monotonic() >= member.kill_at:
            self._journal.write("grace_over", target=member.name, target_pid=member.process.pid)
            member.kill_at = None
            member.process.kill()

    def _start(self, member: Member) -> None:
        with (self._logs / f"{member.name}.log").open("ab") as log:
            member.process = subprocess.Popen(
                [*NO_ORPHANS, *member.command],
                env=member.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._logs,
                start_new_session=True,  # Ctrl-C is for the test
            )
        member.starts += 1
        self._journal.write("spawned", target=member.name, target_pid=member.process.pid)

    def _end_all(self) -> None:
        with self._lock:
            for member in self._members.values():
                member.is_wanted = False
                self.kill(member.name)
            for member in self._members.values():
                if member.process is not None:
                    member.process.wait()
