"""Names that processes agree on: tasks, queues and the prefix of all Redis keys."""

from typing import Final, Literal, get_args

KEY_PREFIX: Final = "gw"

CLASSIFY_TASK: Final = "genrewiz.classify"

QueueName = Literal["high", "standard", "batch"]
"""A queue as clients name it, first served first."""
QUEUE_NAMES: Final[tuple[QueueName, ...]] = get_args(QueueName)


def broker_queue(name: QueueName) -> str:
    """The Celery queue (a Redis list) that carries the doorbells of a queue."""
    return f"{KEY_PREFIX}.{name}"


RECOVERED_QUEUE: Final = f"{KEY_PREFIX}.recovered"
"""Doorbells of jobs whose worker was lost; read before all others."""

BROKER_QUEUES: Final = (RECOVERED_QUEUE, *(broker_queue(name) for name in QUEUE_NAMES))
"""Every Celery queue in the order of priority."""
