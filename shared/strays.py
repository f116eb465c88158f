"""What Python prints by itself, as log lines: warnings, and exceptions that nobody caught.

It mends nothing: whoever dies of an exception still does.
"""

import logging
import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_LOGGER = "uncaught"


def log_strays() -> None:
    """From now on, in this process."""
    logging.captureWarnings(True)
    sys.excepthook = uncaught
    threading.excepthook = _in_a_thread
    sys.unraisablehook = _where_nobody_could_catch_it


def uncaught(kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None) -> None:
    """A line with the traceback."""
    if error is not None:
        logging.getLogger(_LOGGER).critical("uncaught exception", exc_info=(kind, error, traceback))


def _in_a_thread(what: threading.ExceptHookArgs) -> None:
    if not issubclass(what.exc_type, SystemExit):
        uncaught(what.exc_type, what.exc_value, what.exc_traceback)


def _where_nobody_could_catch_it(what: "UnraisableHookArgs") -> None:
    uncaught(what.exc_type, what.exc_value, what.exc_traceback)
