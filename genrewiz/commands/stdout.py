"""stdout of a whole command: where it takes no more, the command ends with a sentence.

It prints nothing else, and knows nothing of what is data.
"""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from genrewiz.commands.exits import NOBODY_READS, UNEXPECTED
from genrewiz.commands.talk import say


class _Noted(io.FileIO):
    """stdout's descriptor; why it took no more is kept: an OSError itself does not say whose it is."""

    refusal: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write some of it."""
        try:
            return super().write(data)
        except OSError as error:
            self.refusal = error
            raise


@contextmanager
def whole_or_said() -> Iterator[None]:
    """Within, a disk that is full ends the process with 1 and a sentence, a reader that has gone with 141."""
    if sys.stdout is None:  # closed by who has started us: he wants nothing of what is written there
        with open(os.devnull, "w") as sys.stdout:  # noqa: PTH123
            yield
        return
    raw = _Noted(sys.stdout.fileno(), "wb", closefd=False)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=sys.stdout.encoding,
        errors=sys.stdout.errors,
        line_buffering=bool(sys.stdout.line_buffering),
        write_through=getattr(sys.stdout, "write_through", False),
    )
    try:
        yield
    finally:
        with suppress(OSError):
            sys.stdout.flush()
        if raw.refusal is not None:
            nobody_reads()
            _end(raw.refusal)


def nobody_reads() -> None:
    """Whatever is still to be written goes nowhere: the end of the process must not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _end(refusal: OSError) -> None:
    if isinstance(refusal, BrokenPipeError):
        raise SystemExit(NOBODY_READS) from None
    say(f"genrewiz: The output cannot be written: {refusal.strerror}.")
    raise SystemExit(UNEXPECTED) from None
