"""One delivery -> one request to its receiver, and what came of that.

A receiver may do what it likes: everything it does is an attempt with an outcome, never an exception. It is
believed nothing but its status.
"""

import base64
import codecs
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from shared.deadline import Deadline
from shared.egress import EgressGuard
from shared.errors import FetchFailed, FetchTimeout, UrlBlocked
from shared.framing import BadAnswer
from shared.pinned_http import Answer, PinnedHttp, Request
from shared.webhook_secrets import signatures
from shared.webhooks import Attempt, AttemptError, DueDelivery
from worker.webhooks.retry import retry_after_seconds

MAX_READ_BYTES: Final = 16 * 2**10
MAX_KEPT_BYTES: Final = 2**10
BODY_SECONDS: Final = 1.0
"""From the header's end: who drips a body that decides nothing must not hold a slot."""
HARMLESS: Final = "\n\t"
"""Of what cannot be printed."""
REPLACED: Final = "\ufffd"


class Sender:
    """Sends deliveries under the egress policy, in any number of threads."""

    def __init__(
        self,
        *,
        guard: EgressGuard,
        http: PinnedHttp,
        seconds: float,
        user_agent: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """seconds: for everything, from the name's resolution to the answer's header."""
        self._guard = guard
        self._http = http
        self._seconds = seconds
        self._user_agent = user_agent
        self._clock = clock

    def send(self, due: DueDelivery) -> Attempt:
        """Ask once, and say what came of it."""
        started = self._clock()
        try:
            with Deadline(self._seconds) as deadline:
                target = self._guard.check(due.destination.url, seconds=deadline.remaining_seconds)
                deadline.check()
                request = Request(method="POST", headers=self._headers(due), body=due.body)
                with self._http.ask(target, deadline, request, read_seconds=self._seconds) as answer:
                    deadline.shorten(BODY_SECONDS)
                    return self._answered(due, started, answer)
        except UrlBlocked as error:
            failure = AttemptError(code="url_blocked", detail=error.detail)
        except FetchTimeout:
            failure = AttemptError(code="timeout", detail=f"No answer within {self._seconds:g} seconds.")
        except BadAnswer as error:
            failure = AttemptError(code="bad_answer", detail=error.detail)
        except FetchFailed as error:
            failure = AttemptError(code="connection_failed", detail=error.detail)
        return Attempt(
            number=due.number, at=due.claimed_at, duration_seconds=self._clock() - started, error=failure
        )

    def _answered(self, due: DueDelivery, started: float, answer: Answer) -> Attempt:
        """The status has come, and with it all that decides: the rest is for people who look for a fault."""
        reply = _shown(_beginning(answer))
        seconds = self._clock() - started
        attempt = Attempt(
            number=due.number,
            at=due.claimed_at,
            duration_seconds=seconds,
            status_code=answer.status,
            reply=reply,
        )
        if attempt.is_success:
            return attempt
        asked = retry_after_seconds(answer.headers.get("Retry-After"), now=due.claimed_at + seconds)
        return replace(attempt, retry_after_seconds=asked)

    def _headers(self, due: DueDelivery) -> Mapping[str, str]:
        timestamp = math.floor(due.claimed_at)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._user_agent,
            "webhook-id": due.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signatures(
                due.destination.secrets, webhook_id=due.id, timestamp=timestamp, body=due.body
            ),
            "GenreWiz-Attempt": str(due.number),
        }
        if due.retry_reason is not None:
            headers["GenreWiz-Retry-Reason"] = due.retry_reason
        if due.origin is not None:
            headers["traceparent"] = due.origin.span.child().traceparent
        if due.destination.basic_auth is not None:
            login = due.destination.basic_auth
            pair = f"{login.username}:{login.password}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        return headers


def _beginning(answer: Answer) -> bytes:
    """The first bytes of an answer's body, as far as they came."""
    read = bytearray()
    try:
        while len(read) < MAX_READ_BYTES and (data := answer.read(MAX_READ_BYTES - len(read))):
            read += data
    except (FetchFailed, FetchTimeout):
        pass  # an end like others: the body decides nothing
    return bytes(read)


def _shown(body: bytes) -> str:
    """How a body begins, as text that does nothing to whoever looks at it."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(body[:MAX_KEPT_BYTES], final=len(body) <= MAX_KEPT_BYTES)
    text = text.replace("\r\n", "\n")
    return "".join(char if char.isprintable() or char in HARMLESS else REPLACED for char in text)
