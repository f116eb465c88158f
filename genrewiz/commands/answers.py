"""What became of one input: a job as the server gave it, or why there is none.

It decides what counts as good, and prints nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from genrewiz.client import Problem

UNFINISHED: Final = frozenset({"queued", "running"})
GOOD: Final = UNFINISHED | {"succeeded"}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """About one input. file: as it was named, where it was a song; job: the body as it came."""

    name: str
    file: str | None = None
    job: Mapping[str, Any] | None = None
    problem: Mapping[str, Any] | None = None

    @property
    def is_good(self) -> bool:
        """Whether a job is on its way or has succeeded."""
        return self.job is not None and self.job.get("status") in GOOD

    @property
    def job_that_goes_on(self) -> str | None:
        """The id of a job whose end is still to come."""
        job = self.job or {}
        return str(job["id"]) if job.get("status") in UNFINISHED else None

    @property
    def error(self) -> Mapping[str, Any] | None:
        """Why it is not good: `code` and `detail`, from the server or from here."""
        if self.is_good:
            return None
        if self.job is None:
            return self.problem
        status = self.job.get("status")
        return self.job.get("error") or {"code": str(status), "detail": f"The job is {status}."}


def of_problem(problem: Problem) -> Mapping[str, Any]:
    """A refusal, as a job's own error is written."""
    detail = problem.explanation
    # A song may have a URL, too: which one is blocked must be told.
    if problem.code == "url_blocked" and is_about_webhook(problem):
        detail = f"The webhook cannot be called: {detail}"
    return here(problem.code, problem.title, detail, retryable=problem.retryable)


def is_about_webhook(problem: Problem) -> bool:
    """Whether what is wrong is the webhook of a job, which all songs share."""
    return any(pointer.startswith("/webhook") for pointer, _ in problem.errors)


def here(code: str, title: str, detail: str, *, retryable: bool = False) -> Mapping[str, Any]:
    """An error that was met on this machine, in the same words."""
    return {"code": code, "title": title, "detail": detail, "retryable": retryable}


def unreadable(detail: str) -> Mapping[str, Any]:
    """A file that cannot be read."""
    return here("unreadable_file", "File cannot be read", detail)
