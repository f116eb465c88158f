"""CPU seconds of running processes, from /proc."""

import os
from pathlib import Path

from support.service import Service, children

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
ROLES = ("api", "worker", "redis")


def cpu_seconds(service: Service) -> dict[str, float]:
    """User and system time so far of each role, its children counted in."""
    return {role: _tree_seconds(service.pid_of(role)) for role in ROLES}


def _tree_seconds(pid: int) -> float:
    return _own_seconds(pid) + sum(_tree_seconds(child) for child in children(pid))


def _own_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
