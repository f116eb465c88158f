"""Every way in which a call of the client's ends without what was asked for: one tree.

It decides nothing: what is tried again, and for how long, stands in `retry.py`.
"""

from genrewiz.client.job import Job


class ClientError(Exception):
    """The root: `except ClientError` hears of all that a server, or the way to it, did wrong."""


class Problem(ClientError):
    """The server said no: a problem (RFC 9457). `code` is what a program looks at, `str()` is for people.

    An answer of somebody between (a proxy's page, say) is one, too; its code is `http_` and the status.

        try:
            client.get(job_id)
        except Problem as problem:
            if problem.code != "unknown_job":
                raise
    """

    def __init__(
        self,
        *,
        status: int,
        code: str,
        title: str,
        detail: str,
        retryable: bool = False,
        retry_after_seconds: float | None = None,
        request_id: str | None = None,
        errors: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """retryable: whether the same request may be granted later, retry_after_seconds: when.

        errors: pairs of where something is wrong and what: a JSON pointer into the body (`/options/top`;
        empty for all of it), a parameter of the query (`?limit`), or a header's name.
        """
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds
        self.request_id = request_id
        self.errors = errors
        asked = f", request {request_id}" if request_id else ""
        super().__init__(f"{title}: {self.explanation} ({status} {code}{asked})")

    @property
    def explanation(self) -> str:
        """`detail`, and what is wrong where, each said once."""
        fields = [(where, text) for where, text in self.errors if text and text != self.detail]
        return " ".join([self.detail, *(_sentence(where, text) for where, text in fields)])


def _sentence(where: str, text: str) -> str:
    return f"{where}: {text.rstrip('.')}." if where else f"{text.rstrip('.')}."


class Unreachable(ClientError):
    """The server cannot be reached, or the connection broke each time; `__cause__` says how."""


class UnexpectedAnswer(ClientError):
    """What answers there does so in no way that a GenreWiz server does."""


class TimedOut(ClientError):
    """A job has not finished in the time that the caller gave; it goes on all the same."""

    def __init__(self, message: str, *, job: Job | None = None) -> None:
        """job: as it was when it was last seen; None where it never was."""
        super().__init__(message)
        self.job = job


class WebhookError(ClientError):
    """A delivery that must not be believed: not signed with this secret, changed on the way, or too old."""
