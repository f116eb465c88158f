"""The names of all Redis keys, in Python and, generated from the same place, in Lua.

No other module spells a key.
"""

from dataclasses import dataclass

from shared.job import JobId
from shared.names import KEY_PREFIX, QUEUE_NAMES, RECOVERED_QUEUE, QueueName, broker_queue


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

    def queued(self, queue: QueueName | str) -> str:
        """Sorted set: id of every job that waits in a queue -> when it was accepted."""
        return f"{self.prefix}:queued:{queue}"

    def lua(self) -> str:
        """The same names as Lua locals."""
        brokers = ", ".join(f"['{name}'] = '{broker_queue(name)}'" for name in QUEUE_NAMES)
        return "\n".join(
            [
                f"local RUNNING, ACTIVE = '{self.running}', '{self.active}'",
                f"local RUNG, WORKERS = '{self.rung}', '{self.workers}'",
                f"local RECOVERED_QUEUE = '{RECOVERED_QUEUE}'",
                f"local BROKER_QUEUE = {{ {brokers} }}",
                f"local function job_key(id) return '{self.job('')}' .. id end",
                f"local function queued_key(queue) return '{self.queued('')}' .. queue end",
            ]
        )
