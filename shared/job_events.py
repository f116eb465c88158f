"""What happens to a job while somebody watches, as values.

It knows neither how Redis keeps events (`redis_events.py`) nor how clients see them (`wire.py`).
"""

import re
from dataclasses import dataclass
from typing import Final

from shared.classification import TimelineEntry
from shared.job import Job, JobStatus

BEFORE_ALL: Final = "0-0"
"""The id that stands before every event's."""
_ID = re.compile(r"(\d{1,20})-(\d{1,20})", re.ASCII)
_MOST = 2**64


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Answers of a run's next windows; the first of them is its `first`th, counted from 0."""

    first: int
    entries: tuple[TimelineEntry, ...]


NO_WINDOWS: Final = Windows(first=0, entries=())


@dataclass(frozen=True, kw_only=True)
class ProgressEvent:
    """Another status, stage or fraction, or the wish that the job be cancelled."""

    id: str
    status: JobStatus
    attempt: int
    stage: str | None
    fraction: float
    cancel_requested: bool


@dataclass(frozen=True, kw_only=True)
class WindowEvent:
    """One more window of an attempt is known."""

    id: str
    attempt: int
    entry: TimelineEntry


JobEvent = ProgressEvent | WindowEvent


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What a new watcher is told: the job, and what came of the attempt that runs."""

    job: Job
    position: str  # the event after which the windows come
    windows: tuple[WindowEvent, ...]
    last: str  # the event from which on to read


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What happened since an event."""

    events: tuple[JobEvent, ...] = ()
    last: str  # the newest event that this reading knows of
    job: Job | None = None  # as it finished; None before its end, and while there is more to read
    is_lost: bool = False  # nobody knows any more what came next
    is_over: bool = False  # that event was the last of all
    is_full: bool = False  # there may be more to read at once


def event_id(text: str) -> str | None:
    """The id of an event, or None where the text is none."""
    found = _ID.fullmatch(text)
    if not found or any(int(part) >= _MOST for part in found.groups()):
        return None
    return "-".join(str(int(part)) for part in found.groups())
