"""A stranger's URL as a request names it: refused at the door where it must not be connected to.

It connects to nothing: whoever does asks the guard again, for what a name means may change.
"""

from typing import Final

from shared.egress import EgressGuard
from shared.errors import FetchFailed
from shared.urls import Url, parse_url

RESOLVE_SECONDS: Final = 3.0
"""For as long a request waits for the DNS; whoever connects asks again anyway."""


def checked_url(guard: EgressGuard, text: str) -> Url:
    """The parts of the URL; UrlBlocked."""
    try:
        return guard.check(text, seconds=RESOLVE_SECONDS).url
    except FetchFailed:
        return parse_url(text)  # a name that cannot be resolved now may be later
