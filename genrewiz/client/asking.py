"""A request and its answer, over as many attempts as patience allows: what every call of the core is made of.

It knows of no route. It does no I/O and has no clock of its own: it yields effects, drivers carry them out.
"""

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final, TypeVar

from genrewiz.client.effects import Answer, Broken, Open, Request, Send, Sleep
from genrewiz.client.errors import ClientError, Problem, TimedOut, UnexpectedAnswer, Unreachable
from genrewiz.client.job import Job, Json
from genrewiz.client.retry import (
    Patience,
    may_heal,
    nothing_has_arrived,
    pause_seconds,
    retry_after_seconds,
)

DONE_PERHAPS: Final = " (it may have been done all the same: look before it is done again)"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Asks one server."""

    server: str
    """Its URL, for people."""
    patience: Patience
    clock: Callable[[], float]
    """Seconds that never run backwards."""
    now: Callable[[], float]
    """Seconds since 1970."""
    dice: Callable[[], float]
    """At random from 0 to 1."""

    def asked(
        self,
        effect: Send | Open,
        *,
        end: float | None = None,
        seen: Job | None = None,
        done_before: str | None = None,
    ) -> Generator[Send | Open | Sleep, Any, Answer]:
        """A good answer, after as many attempts as patience allows; Problem, Unreachable.

        end: by the clock; then it is TimedOut. done_before: the code that says of a repeated request that
        it was done the first time, though its answer was lost.
        """
        attempt, paused_seconds, is_lost = 0, 0.0, False
        while True:
            outcome: Answer | Broken = yield effect if end is None else self._hurried(effect, end)
            if isinstance(outcome, Answer) and HTTPStatus(200) <= outcome.status < HTTPStatus(300):
                return outcome
            attempt += 1
            error = self._error(outcome, effect.request)
            if is_lost and isinstance(error, Problem) and error.code == done_before:
                return Answer(status=HTTPStatus.NO_CONTENT)
            is_lost |= not nothing_has_arrived(outcome)
            error.__cause__ = outcome.cause if isinstance(outcome, Broken) else None
            if end is not None and may_heal(outcome) and self.left(end) <= 0:
                raise TimedOut(
                    f"The time is up, and the last that was heard is: {error}", job=seen
                ) from error
            pause = pause_seconds(
                outcome,
                attempt=attempt,
                paused_seconds=paused_seconds,
                patience=self.patience,
                now=self.now(),
                dice=self.dice(),
            )
            if pause is None or not _can_be_repeated(effect.request, outcome):
                raise error
            paused_seconds += pause
            yield Sleep(min(pause, self.left(end)), because=error)

    def left(self, end: float | None) -> float:
        """The seconds until then, by the clock."""
        return float("inf") if end is None else max(0.0, end - self.clock())

    def read(self, answer: Answer, parse: Callable[[Any], T]) -> T:
        """What the answer tells; UnexpectedAnswer where it tells no such thing (ValueError)."""
        try:
            return parse(json.loads(answer.body))
        except ValueError as error:
            raise self.unexpected(f"{answer.status} with a body that it cannot have made") from error

    def unexpected(self, what: str) -> UnexpectedAnswer:
        """What answers there is something else."""
        return UnexpectedAnswer(f"{self.server} answers as no GenreWiz server does: {what}.")

    def _hurried(self, effect: Send | Open, end: float) -> Send | Open:
        return replace(effect, request=replace(effect.request, left_seconds=self.left(end)))

    def _error(self, outcome: Answer | Broken, request: Request) -> ClientError:
        if isinstance(outcome, Answer):
            return problem_of(outcome, now=self.now())
        perhaps = "" if request.is_idempotent or nothing_has_arrived(outcome) else DONE_PERHAPS
        return Unreachable(f"{self.server} cannot be reached: {outcome.reason}{perhaps}")


def problem_of(answer: Answer, *, now: float) -> Problem:
    """What an answer that is none of the good ones says, as far as it can be read."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        body = None
    said: Json = body if isinstance(body, dict) else {}
    phrase = _phrase(answer.status)
    elsewhere = answer.headers.get("location")
    told = retry_after_seconds(answer, now=now)
    errors = said.get("errors")
    return Problem(
        status=answer.status,
        code=str(said.get("code") or f"http_{answer.status}"),
        title=str(said.get("title") or phrase),
        detail=str(
            said.get("detail")
            or (f"The server is at {elsewhere}" if elsewhere else "The server says no more.")
        ),
        retryable=bool(said.get("retryable", may_heal(answer))),
        retry_after_seconds=_number(said.get("retry_after_seconds")) if told is None else told,
        request_id=said.get("request_id") or answer.headers.get("x-request-id"),
        errors=tuple(
            (_where(each), str(each.get("detail", "")))
            for each in (errors if isinstance(errors, list) else ())
            if isinstance(each, dict)
        ),
    )


def _can_be_repeated(request: Request, outcome: Answer | Broken) -> bool:
    return request.can_be_repeated and (request.is_idempotent or nothing_has_arrived(outcome))


def _where(error: Json) -> str:
    """What of a request is wrong, in one word."""
    for name, sign in (("pointer", ""), ("parameter", "?"), ("header", "")):
        if error.get(name) is not None:
            return f"{sign}{error[name]}"
    return ""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
