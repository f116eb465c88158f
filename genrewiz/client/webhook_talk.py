"""What is said to a server about endpoints and deliveries of webhooks, and what its answers mean.

As `conversation.py`, which it is a part of, it does no I/O.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from genrewiz.client.arguments import check_least, check_text
from genrewiz.client.asking import Asking
from genrewiz.client.delivery import Delivery, DeliveryPage, delivery_id
from genrewiz.client.effects import Give, Items, Request, Send, Steps
from genrewiz.client.endpoint import (
    UNCHANGED,
    BasicAuth,
    Endpoint,
    Unchanged,
    basic_auth_body,
    destination,
    endpoint_id,
)
from genrewiz.client.job import Json

PAGE_DELIVERIES: Final = 100

Time = datetime | str
"""A time with its zone, or as ISO 8601 writes it."""


@dataclass(frozen=True, kw_only=True)
class WebhookTalk(Asking):
    """What a client can ask of one server about webhooks."""

    def create_endpoint(
        self,
        url: str,
        *,
        events: Sequence[str] | None,
        description: str | None,
        basic_auth: BasicAuth | None,
        secret: str | None,
    ) -> Steps[Endpoint]:
        """Make an endpoint. Heard twice, there would be two."""
        body = destination(url=check_text("url", url), events=events, basic_auth=basic_auth, secret=secret)
        body |= {} if description is None else {"description": description}
        return self._endpoint(_request("POST", "/webhook-endpoints", body, is_idempotent=False))

    def endpoints(self) -> Steps[list[Endpoint]]:
        """The caller's endpoints."""
        answer = yield from self.asked(Send(_request("GET", "/webhook-endpoints")))
        return self.read(answer, _endpoints)

    def endpoint(self, endpoint: str | Endpoint) -> Steps[Endpoint]:
        """An endpoint as it is."""
        return self._endpoint(_request("GET", _endpoint_path(endpoint)))

    def change_endpoint(
        self,
        endpoint: str | Endpoint,
        *,
        url: str | None,
        events: Sequence[str] | None,
        description: str | None,
        basic_auth: BasicAuth | Unchanged | None,
        enabled: bool | None,
    ) -> Steps[Endpoint]:
        """Change what is given of an endpoint."""
        body = destination(url=url, events=events)
        body |= {} if description is None else {"description": description}
        body |= {} if enabled is None else {"enabled": enabled}
        if basic_auth is not UNCHANGED:
            body["basic_auth"] = None if basic_auth is None else basic_auth_body(basic_auth)
        return self._endpoint(_request("PATCH", _endpoint_path(endpoint), body))

    def delete_endpoint(self, endpoint: str | Endpoint) -> Steps[None]:
        """Do away with an endpoint."""
        request = _request("DELETE", _endpoint_path(endpoint))
        yield from self.asked(Send(request), done_before="unknown_endpoint")

    def rotate_secret(self, endpoint: str | Endpoint, *, secret: str | None) -> Steps[Endpoint]:
        """Give an endpoint another secret. Heard twice, the one told first would be replaced at once."""
        body = None if secret is None else {"secret": check_text("secret", secret)}
        return self._endpoint(
            _request("POST", f"{_endpoint_path(endpoint)}/rotate-secret", body, is_idempotent=False)
        )

    def test_endpoint(self, endpoint: str | Endpoint) -> Steps[Delivery]:
        """Have a test sent to an endpoint. Heard twice, there would be two."""
        return self._delivery(_request("POST", f"{_endpoint_path(endpoint)}/test", is_idempotent=False))

    def recover(self, endpoint: str | Endpoint, *, since: Time) -> Steps[int]:
        """Have what failed since then sent again; how many that are."""
        request = _request("POST", f"{_endpoint_path(endpoint)}/recover", {"since": _moment(since)})
        return self._recovered(request)

    def deliveries_page(
        self,
        *,
        endpoint: str | Endpoint | None,
        status: str | None,
        since: Time | None,
        limit: int | None,
        cursor: str | None,
    ) -> Steps[DeliveryPage]:
        """Some of the caller's deliveries."""
        check_least(1, limit=limit)
        said = {
            "endpoint": None if endpoint is None else endpoint_id(endpoint),
            "status": status,
            "since": None if since is None else _moment(since),
            "limit": None if limit is None else str(limit),
            "cursor": cursor,
        }
        query = {name: value for name, value in said.items() if value is not None}
        return self._page(Request(method="GET", path="/webhook-deliveries", query=query))

    def deliveries(
        self, *, endpoint: str | Endpoint | None, status: str | None, since: Time | None, limit: int | None
    ) -> Items[Delivery]:
        """All of the caller's deliveries, or so many, page by page."""
        # Here, and not later: an iterator refuses when it is made.
        check_least(1, limit=limit)
        of_endpoint = None if endpoint is None else endpoint_id(endpoint)
        return self._deliveries(of_endpoint, status, None if since is None else _moment(since), limit)

    def delivery(self, delivery: str | Delivery) -> Steps[Delivery]:
        """A delivery as it is, with its attempts."""
        return self._delivery(_request("GET", _delivery_path(delivery)))

    def redeliver(self, delivery: str | Delivery) -> Steps[Delivery]:
        """Have a delivery sent again."""
        return self._delivery(_request("POST", f"{_delivery_path(delivery)}/redeliver"))

    def _deliveries(
        self, endpoint: str | None, status: str | None, since: str | None, limit: int | None
    ) -> Items[Delivery]:
        left, cursor = limit, None
        while left is None or left > 0:
            size = PAGE_DELIVERIES if left is None else min(left, PAGE_DELIVERIES)
            page = yield from self.deliveries_page(
                endpoint=endpoint, status=status, since=since, limit=size, cursor=cursor
            )
            for delivery in page.deliveries:
                yield Give(delivery)
            left = None if left is None else left - len(page.deliveries)
            cursor = page.next_cursor
            if cursor is None:
                return

    def _endpoint(self, request: Request) -> Steps[Endpoint]:
        answer = yield from self.asked(Send(request))
        return self.read(answer, Endpoint.of)

    def _delivery(self, request: Request) -> Steps[Delivery]:
        answer = yield from self.asked(Send(request))
        return self.read(answer, Delivery.of)

    def _page(self, request: Request) -> Steps[DeliveryPage]:
        answer = yield from self.asked(Send(request))
        return self.read(answer, DeliveryPage.of)

    def _recovered(self, request: Request) -> Steps[int]:
        answer = yield from self.asked(Send(request))
        return self.read(answer, _count)


def _request(method: str, path: str, body: Json | None = None, *, is_idempotent: bool = True) -> Request:
    return Request(
        method=method,
        path=path,
        headers={} if body is None else {"content-type": "application/json"},
        json=None if body is None else json.dumps(body, allow_nan=False).encode(),
        is_idempotent=is_idempotent,
    )


def _endpoint_path(endpoint: str | Endpoint) -> str:
    return f"/webhook-endpoints/{quote(endpoint_id(endpoint), safe='')}"


def _delivery_path(delivery: str | Delivery) -> str:
    return f"/webhook-deliveries/{quote(delivery_id(delivery), safe='')}"


def _moment(since: Time) -> str:
    if not isinstance(since, datetime):
        return check_text("since", since, kind="a datetime, or a time as text")
    if since.tzinfo is None:
        raise ValueError("since has no zone: datetime.now(UTC) has one.")
    return since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _endpoints(body: Any) -> list[Endpoint]:
    listed = body.get("endpoints") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        raise ValueError("this is no list of endpoints")
    return [Endpoint.of(each) for each in listed]


def _count(body: Any) -> int:
    count = body.get("recovered") if isinstance(body, dict) else None
    if not isinstance(count, int):
        raise ValueError("this is no number of deliveries")
    return count
