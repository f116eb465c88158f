"""The names of all Redis keys, in Python and, generated from the same place, in Lua.

No other module spells a key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.job import JobId
from shared.names import (
    KEY_PREFIX,
    QUEUE_NAMES,
    SOURCE_KINDS,
    QueueName,
    SourceKind,
    broker_queue,
    recovered_queue,
)


@dataclass(frozen=True)
class Keys:
    """Key names under one prefix; another prefix is another GenreWiz on the same server."""

    prefix: str = KEY_PREFIX

    @property
    def running(self) -> str:
        """Sorted set: id of a running job -> when its lease ends."""
        return f"{self.prefix}:running"

    @property
    def active(self) -> str:
        """Sorted set: id of every job that has not finished -> when it was accepted."""
        return f"{self.prefix}:active"

    @property
    def rung(self) -> str:
        """Sorted set: id of every queued job -> when its doorbell was last rung or found ringing."""
        return f"{self.prefix}:rung"

    @property
    def workers(self) -> str:
        """Sorted set: every worker that takes messages -> until when that is believed."""
        return f"{self.prefix}:workers"

    def job(self, job_id: JobId | str) -> str:
        """Hash: the record of a job."""
        return f"{self.prefix}:job:{job_id}"

    def queued(self, queue: QueueName, kind: SourceKind = "upload") -> str:
        """Sorted set: id of every job of a kind that waits in a queue -> when it was accepted."""
        return f"{self.prefix}:queued:{'fetch:' if kind == 'url' else ''}{queue}"

    def lua(self) -> str:
        """The same names as Lua locals."""
        recovered = _table({kind: f"'{recovered_queue(kind)}'" for kind in SOURCE_KINDS})
        return "\n".join(
            [
                f"local RUNNING, ACTIVE = '{self.running}', '{self.active}'",
                f"local RUNG, WORKERS = '{self.rung}', '{self.workers}'",
                f"local RECOVERED_QUEUE = {recovered}",
                f"local BROKER_QUEUE = {_by_kind_and_queue(broker_queue)}",
                f"local QUEUED = {_by_kind_and_queue(self.queued)}",
                f"local function job_key(id) return '{self.job('')}' .. id end",
                "local function queued_key(kind, queue) return QUEUED[kind or 'upload'][queue] end",
            ]
        )


def _by_kind_and_queue(name: Callable[[QueueName, SourceKind], str]) -> str:
    return _table(
        {kind: _table({queue: f"'{name(queue, kind)}'" for queue in QUEUE_NAMES}) for kind in SOURCE_KINDS}
    )


def _table(values: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"['{key}'] = {value}" for key, value in values.items()) + " }"
