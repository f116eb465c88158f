"""What Celery prints at a signal, past every logger: as a line of JSON like all others.

Celery writes it inside the signal's handler, where a logger may be in the middle of another line. It logs
nothing itself.
"""

import json
import os
from datetime import UTC, datetime

import celery.apps.worker

_STDERR = 2


def print_json() -> None:
    """From now on, in this process."""
    celery.apps.worker.safe_say = _say


def _say(text: str, _stream: object = None) -> None:
    line = {
        "event": text,
        "level": "info",
        "logger": celery.apps.worker.__name__,
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "process": "worker",
        "pid": os.getpid(),
    }
    os.write(_STDERR, f"{json.dumps(line)}\n".encode())
