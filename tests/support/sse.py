"""An event stream as a client reads it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Event:
    """One event; id: the last one that was said."""

    name: str
    data: dict[str, Any]
    id: str | None


def events_in(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a stream's lines, as the standard reads them; comments are passed over."""
    fields: dict[str, str] = {}
    last_id = None
    for line in lines:
        if not line:
            if "data" in fields:
                last_id = fields.get("id", last_id)
                yield Event(fields["event"], json.loads(fields["data"]), last_id)
            fields = {}
            continue
        name, _, value = line.partition(":")
        if name:
            fields[name] = value.removeprefix(" ")


class Watcher:
    """A client that watches one job; leaving the block hangs up."""

    def __init__(self, url: str, *, last_event_id: str | None = None) -> None:
        self._client = httpx.Client(timeout=60, trust_env=False)
        headers = {"Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        self._request = self._client.build_request("GET", url, headers=headers)

    def __enter__(self) -> "Watcher":
        self.response = self._client.send(self._request, stream=True)
        self.lines = self.response.iter_lines()
        self.events = events_in(self.lines)
        return self

    def __exit__(self, *_: object) -> None:
        self.response.close()
        self._client.close()

    def until(self, name: str) -> list[Event]:
        """The next events up to the first of this name."""
        seen = []
        for event in self.events:
            seen.append(event)
            if event.name == name:
                break
        return seen
