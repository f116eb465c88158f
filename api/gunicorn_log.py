"""gunicorn's own lines, in the format of all others.

It writes no access line: `request_log.py` does, which knows the route.
"""

from typing import Any

from gunicorn.glogging import Logger


class GunicornLog(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Hands every line on to the root logger, which the configuration has set up before."""

    def setup(self, cfg: Any) -> None:
        """As gunicorn does, but with no handler and no format of its own."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True
