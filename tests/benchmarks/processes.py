"""CPU seconds of running processes, from /proc."""

import os
import time
from pathlib import Path

from support.service import Service, children, command_line

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
ROLES = ("api", "worker", "redis")


def cpu_seconds(service: Service) -> dict[str, float]:
    """User and system time so far of each role, its children counted in."""
    return {role: tree_seconds(service.pid_of(role)) for role in ROLES}


def cpu_seconds_here() -> float:
    """The same of this process and of its decoders, but of no service that it has started."""
    decoders = [pid for pid in children(os.getpid()) if "worker.sandbox" in command_line(pid)]
    return time.process_time() + sum(map(tree_seconds, decoders))


def tree_seconds(pid: int) -> float:
    """Of a process and its descendants, those that have ended among them."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = sum(map(int, fields[11:15])) / TICKS_PER_SECOND  # user, system, and both of ended children
    return own + sum(map(tree_seconds, children(pid)))
