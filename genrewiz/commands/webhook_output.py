"""Endpoints and deliveries of webhooks on stdout: JSON lines for programs, columns for people.

It talks to nobody. What a receiver has answered is shown as nothing that a terminal would act on.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import typer

from genrewiz.client import Attempt, Delivery, Endpoint
from genrewiz.client.job import Json
from genrewiz.commands.inputs import shown


def as_json_line(body: Json) -> None:
    """What the server said, in one line."""
    typer.echo(json.dumps(body))


def endpoint_row(endpoint: Endpoint) -> str:
    """An endpoint in a list; the columns stand below each other."""
    cells = (endpoint.id, f"{_state(endpoint):<21}", f"{time_shown(endpoint.created_at):<20}", endpoint.url)
    return "  ".join(filter(None, (*cells, endpoint.description and f"({endpoint.description})")))


def delivery_row(delivery: Delivery) -> str:
    """A delivery in a list; the columns stand below each other."""
    tries = f"{delivery.attempts_made:>2} attempt{'' if delivery.attempts_made == 1 else 's'}"
    return "  ".join(
        filter(
            None,
            (
                f"{delivery.id:<32}",
                f"{delivery.status:<9}",
                f"{delivery.event:<13}",
                f"{tries:<11}",
                f"{time_shown(delivery.created_at):<20}",
                delivery.endpoint or delivery.url,
                delivery.failed_because or _next(delivery),
            ),
        )
    )


def endpoint_lines(endpoint: Endpoint) -> Iterator[str]:
    """All about one endpoint."""
    yield endpoint.id
    yield from _named(
        url=endpoint.url,
        state=_state(endpoint),
        events=" ".join(endpoint.events),
        description=endpoint.description,
        basic_auth=endpoint.username,
        failing_since=time_shown(endpoint.failing_since),
        created_at=time_shown(endpoint.created_at),
        updated_at=time_shown(endpoint.updated_at),
        old_secret_signs_until=time_shown(endpoint.previous_secret_expires_at),
    )


def delivery_lines(delivery: Delivery) -> Iterator[str]:
    """All about one delivery, and every attempt."""
    yield delivery.id
    because = f" ({delivery.failed_because})" if delivery.failed_because else ""
    yield from _named(
        status=f"{delivery.status}{because}",
        event=delivery.event,
        job=delivery.job,
        endpoint=delivery.endpoint,
        url=delivery.url,
        created_at=time_shown(delivery.created_at),
        next_attempt_at=time_shown(delivery.next_attempt_at),
        finished_at=time_shown(delivery.finished_at),
    )
    for attempt in delivery.attempts:
        yield f"  {_attempt(attempt)}"


def echo(lines: Iterable[str]) -> None:
    """Each as a line; whatever strangers have put into one, it stays one."""
    for line in lines:
        typer.echo(shown(line))


def time_shown(moment: datetime | None) -> str:
    """To the second, in UTC; nothing where there is none."""
    if moment is None:
        return ""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _named(**values: str | None) -> Iterator[str]:
    for name, value in values.items():
        if value:
            yield f"  {name.replace('_', ' '):<22}  {value}"


def _attempt(attempt: Attempt) -> str:
    said = str(attempt.status_code) if attempt.status_code is not None else "no answer"
    error = f"  {attempt.error.code}: {attempt.error.detail}" if attempt.error else ""
    seconds = "" if attempt.duration_seconds is None else f"  {attempt.duration_seconds:.3f} s"
    reply = f"  {attempt.reply}" if attempt.reply else ""
    return f"attempt {attempt.number:<14}  {time_shown(attempt.at)}{seconds}  {said}{error}{reply}"


def _state(endpoint: Endpoint) -> str:
    if not endpoint.enabled:
        because = (endpoint.disabled_because or "").replace("_", " ")
        return f"disabled ({because})" if because else "disabled"
    return "failing" if endpoint.failing_since else "enabled"


def _next(delivery: Delivery) -> str:
    return f"next {time_shown(delivery.next_attempt_at)}" if delivery.next_attempt_at else ""
