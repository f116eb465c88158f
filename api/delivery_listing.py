"""What a client asks for of the deliveries of its webhooks: the query, and the cursor to the next page.

A cursor is a place in a list and no right, as one of `listing.py`.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from api.pages import DEFAULT_LIMIT, Query, cursor_text, parse_cursor, parse_limit
from api.webhook_ids import is_delivery_id, is_endpoint_id
from shared.job_webhook import EndpointId
from shared.redis_webhooks import DeliveryPlace
from shared.webhook_requests import parse_moment
from shared.webhooks import DeliveryId, DeliveryStatus


@dataclass(frozen=True, kw_only=True)
class WantedDeliveries:
    """Which deliveries a caller wants to see."""

    endpoint: EndpointId | None
    status: DeliveryStatus | None
    since: datetime | None
    limit: int
    after: DeliveryPlace | None

    def link(self, cursor: str) -> str:
        """Where the next page is."""
        asked = {
            "endpoint": self.endpoint,
            "status": self.status and self.status.value,
            "since": self.since and self.since.isoformat(),
            "limit": self.limit,
            "cursor": cursor,
        }
        return f"/webhook-deliveries?{urlencode({name: each for name, each in asked.items() if each})}"


def parse_wanted_deliveries(query: MultiDict[str, str]) -> WantedDeliveries:
    """The query as it is meant; InvalidRequest names each parameter that is wrong."""
    asked = Query(query, ("endpoint", "status", "since", "limit", "cursor"))
    wanted = WantedDeliveries(
        endpoint=asked.parsed("endpoint", _endpoint, None),
        status=asked.parsed("status", _status, None),
        since=asked.parsed("since", parse_moment, None),
        limit=asked.parsed("limit", parse_limit, DEFAULT_LIMIT),
        after=asked.parsed("cursor", _place, None),
    )
    asked.check()
    return wanted


def delivery_cursor(place: DeliveryPlace) -> str:
    """A place as clients are given it."""
    return cursor_text(place.score, place.delivery_id)


def _endpoint(text: str) -> EndpointId | None:
    if not is_endpoint_id(text):
        raise ValueError("the id of an endpoint: whe_ and 24 hexadecimal digits")
    return EndpointId(text)


def _status(text: str) -> DeliveryStatus | None:
    if text not in list(DeliveryStatus):
        raise ValueError(f"one of {', '.join(DeliveryStatus)}")
    return DeliveryStatus(text)


def _place(text: str) -> DeliveryPlace | None:
    score, delivery_id = parse_cursor(text, is_delivery_id)
    return DeliveryPlace(score=score, delivery_id=DeliveryId(delivery_id))
