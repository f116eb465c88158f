"""How many connections an api process holds at once, and how many of them may belong to those who only watch.

It opens none: it counts by the files that the process may open.
"""

import resource
from typing import Final

MOST: Final = 1_000
OTHER_FILES: Final = 200
"""For Redis and the process itself."""


def most_connections() -> int:
    """Of one gunicorn worker at each of its ports; more wait in the backlog."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (
        MOST if files == resource.RLIM_INFINITY else min(MOST, (files - OTHER_FILES) // 2)
    )  # one may need two


def most_watchers() -> int:
    """A quarter of the connections is left for requests that are over soon."""
    return most_connections() * 3 // 4
