"""What a client asks for of its list of jobs: the query, and the cursor that leads to the next page.

A cursor is a place in the caller's own list and no right: whoever makes one up sees his own jobs from there.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from api.job_ids import is_job_id
from shared.errors import InvalidRequest, Wrong
from shared.job import JobId, JobStatus
from shared.transitions import Place

MAX_LIMIT: Final = 100
DEFAULT_LIMIT: Final = 20
MAX_CURSOR_CHARACTERS: Final = 200
SCORE: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?(e[+-]?[0-9]{1,2})?")
"""As the server writes a time: one of a hundred or so with an exponent, `1.7954523546473491e+9`."""

T = TypeVar("T")


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
    errors = [
        Wrong("parameter", name, "this parameter is not known here")
        for name in query
        if name not in ("status", "limit", "cursor")
    ]

    def parsed(name: str, parse: Callable[[str], T], default: T) -> T:
        values = query.getlist(name)
        try:
            if len(values) > 1:
                raise ValueError("only one is allowed")
            return parse(values[0]) if values else default
        except ValueError as error:
            errors.append(Wrong("parameter", name, str(error)))
            return default

    wanted = Wanted(
        status=parsed("status", _status, None),
        limit=parsed("limit", _limit, DEFAULT_LIMIT),
        after=parsed("cursor", _place, None),
    )
    if errors:
        raise InvalidRequest("The query asks for what cannot be done.", errors=tuple(errors))
    return wanted


def cursor_of(place: Place) -> str:
    """A place as clients are given it."""
    return urlsafe_b64encode(f"{place.score} {place.job_id}".encode()).decode().rstrip("=")


def _status(text: str) -> JobStatus | None:
    if text not in list(JobStatus):
        raise ValueError(f"one of {', '.join(JobStatus)}")
    return JobStatus(text)


def _limit(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise ValueError(f"a number from 1 to {MAX_LIMIT}")
    return int(text)


def _place(text: str) -> Place | None:
    if len(text) <= MAX_CURSOR_CHARACTERS and text.isascii() and len(text) % 4 != 1:
        decoded = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        score, _, job_id = decoded.decode("ascii", "replace").partition(" ")
        if SCORE.fullmatch(score) and is_job_id(job_id):
            return Place(score=score, job_id=JobId(job_id))
    raise ValueError("not a cursor of ours")
