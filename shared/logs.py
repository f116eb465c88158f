"""Logs: an event with fields a line, for people on a terminal, as JSON elsewhere.

Whoever wrote a line, it holds no query of a URL, no key and no password: those are cut out at the last
moment.
"""

import logging
import os
import re
import sys
from typing import Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["auto", "console", "json"]

CHATTY = ("celery.worker.strategy", "celery.app.trace")
"""Each says of every message what our own lines say of its job."""

CUT: Final = "[cut]"
_RUN = (
    r"(?:[^\s'\"\\]|\\\\|\\u[0-9a-f]{4})+"  # up to a blank, a quotation mark, or a line break as JSON has it
)
_SECRETS = re.compile(
    rf"(?P<query>(?<=\S)\?){_RUN}"
    rf"|(?P<password>://)[^\s/@'\"\\]+(?=@)"
    rf"|(?P<credentials>\b(?:[Bb]earer|[Bb]asic) ){_RUN}"
    rf"|(?P<key>\b(?:gw_[A-Za-z0-9]+_|whsec_))[\w+/=-]+"
    r"|(?P<input>\binput_value=).*?(?=, input_type=)"  # pydantic repeats what it was given
)

_SIGNS: Final = ("?", "://", "earer ", "asic ", "gw_", "whsec_", "input_value=")
"""One of them stands in every line that has a secret: to find none is far quicker than to look for all."""

_SHARED: Final[tuple[Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure_logs(log_format: LogFormat, level: str, *, process: str = "genrewiz") -> None:
    """Send structlog's and the libraries' own log lines to stderr in one format.

    process: the part of GenreWiz that speaks, in every line of JSON.
    """
    # Not the pretty tracebacks: they print local variables, and with them URLs that are secrets.
    plain = structlog.dev.plain_traceback
    render: list[Processor] = (
        [_of_process(process), structlog.processors.JSONRenderer()]
        if is_json(log_format)
        else [structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    )
    handler = _Handler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                *render,
                _without_secrets,
            ],
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


def refuse_to_start(process: str, detail: str, *, as_json: bool) -> None:
    """The one line of a process that cannot start."""
    if as_json:
        configure_logs("json", "info", process=process)
        structlog.get_logger(__name__).critical("cannot start", error=detail)
    else:
        sys.stderr.write(f"genrewiz {process}: {detail}\n")


def is_json(log_format: LogFormat) -> bool:
    """Whether lines are JSON: where nobody reads along, unless something else was said."""
    return log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())


def without_secrets(line: str) -> str:
    """The line, with what only its sender may know cut out."""
    if not any(sign in line for sign in _SIGNS):
        return line
    return _SECRETS.sub(lambda found: f"{found[found.lastgroup or 0]}{CUT}", line)


def _without_secrets(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    return without_secrets(str(line))  # type: ignore[return-value]  # behind the renderer it is text


def _of_process(process: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["process"], event["pid"] = process, os.getpid()
        return event

    return add


class _Handler(logging.StreamHandler[TextIO]):
    """Where a line cannot be written as it was meant: logging would print its arguments, as plain text."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        broken = logging.LogRecord(record.name, logging.ERROR, "", 0, "log line not written", (), None)
        try:
            self.stream.write(self.format(broken) + self.terminator)
        except Exception:  # noqa: BLE001  whatever it is, there is nowhere to log it
            return  # nobody is left to be told
