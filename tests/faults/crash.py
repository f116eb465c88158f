"""Named points at which a process kills or freezes itself, once for each time that it was armed.

A point is armed by a file. To remove the file is to die of it, so that no two processes die of one.
"""

import os
import signal
import uuid
from pathlib import Path

from faults.journal import Journal

WORKER_POINTS = (
    "before_claim",  # the doorbell is in hand
    "after_claim",
    "during_run",
    "before_finish",  # the answer is known to nobody else
    "after_finish",  # the reply has come; the audio is still there
    "after_audio_delete",
)
API_POINTS = ("after_audio_durable", "after_accept", "after_ring")
DISPATCHER_POINTS = (
    "after_deliveries_claimed",
    "before_attempt_recorded",  # the receiver has it, and nobody else knows
    "after_attempt_recorded",
)


def arm(directory: Path, point: str, number: signal.Signals) -> Path:
    """The first process that comes to this point sends itself this signal; the file is there until then."""
    file = directory / f"{point}-{number.name}-{uuid.uuid4().hex}"
    file.touch()
    return file


class CrashPoints:
    """The points of this process."""

    def __init__(self, directory: Path, journal: Journal) -> None:
        self._directory = directory
        self._journal = journal
        self._target = os.environ["FAULTS_NAME"]

    def reach(self, point: str) -> None:
        """Die or freeze here, if that was armed."""
        for file in self._directory.glob(f"{point}-*"):
            try:
                file.unlink()
            except FileNotFoundError:
                continue  # another process has died of it
            number = signal.Signals[file.name.split("-")[1]]
            kind = "crash" if number == signal.SIGKILL else "freeze"
            self._journal.write("fault", kind=kind, target=self._target, point=point)
            os.kill(os.getpid(), number)
