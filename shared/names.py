"""Names that processes agree on: tasks, queues and the prefix of all Redis keys."""

from typing import Final, Literal, get_args

KEY_PREFIX: Final = "gw"

CLASSIFY_TASK: Final = "genrewiz.classify"

SourceKind = Literal["upload", "url"]
"""How a song comes to us. Each kind waits in queues of its own: a slow server holds up no upload."""

QueueName = Literal["high", "standard", "batch"]
"""A queue as clients name it, first served first."""
QUEUE_NAMES: Final[tuple[QueueName, ...]] = get_args(QueueName)


def broker_queue(name: QueueName, kind: SourceKind = "upload") -> str:
    """The Celery queue (a Redis list) that carries the doorbells of a queue."""
    return f"{_broker_prefix(kind)}.{name}"


def recovered_queue(kind: SourceKind) -> str:
    """The Celery queue with the doorbells of jobs whose worker was lost; read before all others."""
    return f"{_broker_prefix(kind)}.recovered"


def broker_queues(kind: SourceKind) -> tuple[str, ...]:
    """Every Celery queue of a kind in the order of priority."""
    return (recovered_queue(kind), *(broker_queue(name, kind) for name in QUEUE_NAMES))


def _broker_prefix(kind: SourceKind) -> str:
    return f"{KEY_PREFIX}.fetch" if kind == "url" else KEY_PREFIX


SOURCE_KINDS: Final[tuple[SourceKind, ...]] = get_args(SourceKind)
RECOVERED_QUEUE: Final = recovered_queue("upload")
BROKER_QUEUES: Final = tuple(queue for kind in SOURCE_KINDS for queue in broker_queues(kind))
"""Every Celery queue there is."""
