"""Celery's request, but with an acknowledgement that does not fail in silence.

It runs nothing. Celery logs such a failure and goes on with a doorbell that counts as in hand for ever: one
song less at once, and with the last of them a worker that hears nothing. Here it is a lost connection, which
Celery makes anew with nothing in hand.
"""

from celery.utils.log import get_logger
from celery.worker.request import Request

log = get_logger("celery.worker.request")


class DoorbellRequest(Request):  # type: ignore[misc]  # Celery has no types
    """A doorbell in the hands of Celery's worker."""

    acknowledged: bool

    def acknowledge(self) -> None:
        """Let the broker forget it. A connection that has broken breaks the consumer's loop, too."""
        if not self.acknowledged:
            errors_to_swallow: tuple[type[Exception], ...] = ()
            self._on_ack(log, errors_to_swallow)
            self.acknowledged = True
