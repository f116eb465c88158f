"""What a run leaves for people to look at: `metrics.csv`, `curves.png`, TensorBoard where it is installed.

Where a run goes on is in `state.pt` alone; that it has come to its end can be seen here too.
"""

import contextlib
import csv
import io
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from shared.errors import UnwritableFile
from worker.training.learning.curves import curves
from worker.training.learning.state import Row
from worker.whole_file import write_whole

EPOCHS_BETWEEN_DRAWINGS = 5  # a picture takes about a second


class Records:
    """The records of the run in one folder; as a context manager, drawn a last time at its end."""

    def __init__(self, run: Path) -> None:
        """run: a folder that is there."""
        self._run = run
        self._history: list[Row] = []
        self._board: Any = None  # a SummaryWriter, whose package need not be there

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The curves up to the last epoch; what ended the run is not hidden by a disk that is full."""
        if self._board is not None:
            self._board.close()
        with contextlib.suppress(UnwritableFile) if error else contextlib.nullcontext():
            self._draw()

    def add(self, history: list[Row]) -> None:
        """All epochs so far, of which the last is new."""
        if self._board is None:
            self._board = _open_board(self._run / "tensorboard", first_epoch=int(history[-1]["epoch"]))
        self._history = history
        write_whole(self._run / "metrics.csv", _as_csv(history))
        if self._board is not None:
            for name, value in history[-1].items():
                self._board.add_scalar(name, value, int(history[-1]["epoch"]))
        if int(history[-1]["epoch"]) % EPOCHS_BETWEEN_DRAWINGS == 0:
            self._draw()

    def _draw(self) -> None:
        if self._history:
            write_whole(self._run / "curves.png", curves(self._history))


def _as_csv(history: list[Row]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, fieldnames=list(history[0]))
    writer.writeheader()
    writer.writerows({key: round(value, 6) for key, value in row.items()} for row in history)
    return file.getvalue().encode()


def _open_board(folder: Path, *, first_epoch: int) -> Any:  # a SummaryWriter or None
    """first_epoch: what a run that was killed wrote of it and of later ones is hidden."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(folder, purge_step=first_epoch)
