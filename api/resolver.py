"""Names -> addresses beside gevent's loop: in real threads of their own.

gevent's own resolver shares its few threads with everything that blocks on a disk: a name whose server never
answers would hold up the uploads.
"""

from collections.abc import Sequence

from gevent import Timeout, monkey
from gevent.threadpool import ThreadPool

from shared.resolve import Addresses, addresses_of, not_resolved

THREADS = 4
"""Where all of them hang, names count as not resolved: their jobs are accepted and the worker asks again."""


class ResolverThreads:
    """A `Resolve` for one gevent hub."""

    def __init__(self) -> None:
        self._pool = ThreadPool(THREADS)
        self._getaddrinfo = monkey.get_original("socket", "getaddrinfo")

    def __call__(self, host: str, port: int, *, seconds: float) -> Sequence[str]:
        """The addresses of a name; FetchFailed where there are none within so many seconds."""
        found: Addresses | None = None
        with Timeout(seconds, False):
            found = self._pool.spawn(self._ask, host, port).get()
        if not found:
            raise not_resolved()
        return found

    def _ask(self, host: str, port: int) -> Addresses:
        try:
            return addresses_of(host, port, getaddrinfo=self._getaddrinfo)
        except (OSError, UnicodeError):
            return ()
