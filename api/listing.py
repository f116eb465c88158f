"""What a client asks for of its list of jobs: the query, and the cursor that leads to the next page.

A cursor is a place in the caller's own list and no right: whoever makes one up sees his own jobs from there.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from api.job_ids import is_job_id
from api.pages import DEFAULT_LIMIT, Query, cursor_text, parse_cursor, parse_limit
from shared.job import JobId, JobStatus
from shared.transitions import Place


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which of its jobs a caller wants to see."""

    status: JobStatus | None
    limit: int
    after: Place | None

    def link(self, cursor: str) -> str:
        """Where the next page is."""
        status = {"status": self.status.value} if self.status else {}
        return f"/jobs?{urlencode({**status, 'limit': self.limit, 'cursor': cursor})}"


def parse_wanted(query: MultiDict[str, str]) -> Wanted:
    """The query as it is meant; InvalidRequest names each parameter that is wrong."""
    asked = Query(query, ("status", "limit", "cursor"))
    wanted = Wanted(
        status=asked.parsed("status", _status, None),
        limit=asked.parsed("limit", parse_limit, DEFAULT_LIMIT),
        after=asked.parsed("cursor", _place, None),
    )
    asked.check()
    return wanted


def cursor_of(place: Place) -> str:
    """A place as clients are given it."""
    return cursor_text(place.score, place.job_id)


def _status(text: str) -> JobStatus | None:
    if text not in list(JobStatus):
        raise ValueError(f"one of {', '.join(JobStatus)}")
    return JobStatus(text)


def _place(text: str) -> Place | None:
    score, job_id = parse_cursor(text, is_job_id)
    return Place(score=score, job_id=JobId(job_id))
