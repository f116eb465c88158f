"""The text of an event stream: frames as an EventSource reads them.

It knows the format alone, and nothing of jobs.
"""

import json
from typing import Any

RETRY = b"retry: 3000\n\n"
"""After so many milliseconds a client whose stream has ended comes again."""
HEARTBEAT = b":\n\n"
"""A comment: whoever stands between sees that the stream lives."""
MIMETYPE = "text/event-stream"


def frame(event: str, data: dict[str, Any], event_id: str | None = None) -> bytes:
    """One event; the data is one line of JSON, in which no line break stands."""
    name = f"id: {event_id}\n" if event_id else ""
    return f"{name}event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
