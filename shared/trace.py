"""Which request a job came with: its id, and its place in the caller's trace (W3C Trace Context, level 1).

Pure: it reads headers and makes ids. It sends nothing, and knows no log.
"""

import re
import secrets
from dataclasses import dataclass, replace
from typing import Final

MAX_REQUEST_ID_CHARACTERS: Final = 128
_REQUEST_ID = re.compile(rf"[A-Za-z0-9._:-]{{1,{MAX_REQUEST_ID_CHARACTERS}}}")
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_OUR_VERSION, _NO_VERSION = "00", "ff"
_SAMPLED = 0x01  # of the flags, the one whose meaning is known here; the others are not passed on


@dataclass(frozen=True, kw_only=True)
class Span:
    """One piece of work in a trace; what it causes is a child of it."""

    trace_id: str  # 32 hex digits, not all 0
    span_id: str  # 16 hex digits, not all 0
    sampled: bool = False

    @classmethod
    def first(cls) -> "Span":
        """The first one of a new trace."""
        return cls(trace_id=secrets.token_hex(16), span_id=_new_span_id())

    def child(self) -> "Span":
        """A new span of the same trace."""
        return replace(self, span_id=_new_span_id())

    @property
    def traceparent(self) -> str:
        """As the header says it."""
        return f"{_OUR_VERSION}-{self.trace_id}-{self.span_id}-{_SAMPLED if self.sampled else 0:02x}"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The request that made a job, and the span in which it did."""

    request_id: str
    span: Span

    @property
    def fields(self) -> dict[str, str]:
        """What a log line says of it."""
        return {
            "request_id": self.request_id,
            "trace_id": self.span.trace_id,
            "span_id": self.span.span_id,
        }


def read_traceparent(header: str | None) -> Span | None:
    """The caller's span; None where the header is none that the standard lets one believe."""
    found = _TRACEPARENT.fullmatch(header.strip(" \t")) if header else None
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    # What a later version adds stands behind these four parts, which stay as they are.
    if version == _NO_VERSION or (version == _OUR_VERSION and more):
        return None
    if not int(trace_id, 16) or not int(span_id, 16):
        return None
    return Span(trace_id=trace_id, span_id=span_id, sampled=bool(int(flags, 16) & _SAMPLED))


def begin_span(header: str | None) -> Span:
    """The span of a request: in its caller's trace where it names one, else the first of a new trace."""
    parent = read_traceparent(header)
    return parent.child() if parent else Span.first()


def new_request_id() -> str:
    """An id for a request that brought none."""
    return f"req_{secrets.token_hex(8)}"


def request_id(header: str | None) -> str:
    """The caller's own id where it can stand in a log line and a header as it is; else a new one."""
    return header if header and _REQUEST_ID.fullmatch(header) else new_request_id()


def kept_origin(request_id: str | None, traceparent: str | None) -> Origin | None:
    """The origin that a record keeps; None where it is of a time when none was kept."""
    span = read_traceparent(traceparent)
    return Origin(request_id=request_id, span=span) if request_id and span else None


def _new_span_id() -> str:
    # All zeros would be no id: 8 random bytes are that once in 18 quintillion times.
    return secrets.token_hex(8)
