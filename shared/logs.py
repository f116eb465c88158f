"""Logs: an event with fields a line, for people on a terminal, as JSON elsewhere."""

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import Processor

CHATTY = ("celery.worker.strategy", "celery.app.trace")
"""Each says of every message what our own lines say of its job."""

_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_logs(log_format: Literal["auto", "console", "json"], level: str) -> None:
    """Send structlog's and the libraries' own log lines to stderr in one format."""
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    render: list[Processor] = (
        # Not the pretty tracebacks: they print local variables, and with them URLs that are secrets.
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
