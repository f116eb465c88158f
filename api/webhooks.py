"""Webhook endpoints and deliveries of a caller: whose they are, and what may be asked of them.

It sends nothing (the dispatcher does), and shows neither secrets nor URLs to the logs.
"""

from typing import Final, TypeVar

import structlog
from flask import Request
from pydantic import BaseModel

from api.checked_url import checked_url
from api.delivery_listing import WantedDeliveries
from api.identity import whoever_asks
from api.json_bodies import json_body, parse_json
from api.webhook_ids import parse_delivery_id, parse_endpoint_id, unknown_delivery, unknown_endpoint
from shared.egress import EgressGuard
from shared.errors import UnsupportedMediaType
from shared.redis_webhooks import DeliveryPage, RedisWebhooks
from shared.webhook_requests import EndpointChange, EndpointRequest, Recovery, SecretRotation
from shared.webhooks import Delivery, Endpoint, NewEndpoint

JSON: Final = ("application/json",)
PATCHES: Final = (*JSON, "application/merge-patch+json")

Asked = TypeVar("Asked", bound=BaseModel)

log = structlog.get_logger(__name__)


class WebhookService:
    """What the routes under /webhook-endpoints and /webhook-deliveries do."""

    def __init__(self, *, webhooks: RedisWebhooks, guard: EgressGuard) -> None:
        self._webhooks = webhooks
        self._guard = guard

    def add(self, request: Request) -> Endpoint:
        """Make an endpoint of the caller's; a RequestError or UrlBlocked leaves nothing behind."""
        asked = _asked(request, EndpointRequest)
        checked_url(self._guard, asked.url)
        endpoint = self._webhooks.add(
            whoever_asks().caller,
            NewEndpoint(
                url=asked.url,
                events=asked.events,
                description=asked.description,
                basic_auth=asked.basic_auth.value if asked.basic_auth else None,
                secret=asked.secret,
            ),
        )
        log.info("webhook endpoint made", endpoint=endpoint.id, events=list(endpoint.events))
        return endpoint

    def endpoints(self) -> list[Endpoint]:
        """All of the caller's."""
        return self._webhooks.endpoints(whoever_asks().caller)

    def endpoint(self, id_text: str) -> Endpoint:
        """The endpoint; UnknownEndpoint also where it is another's."""
        endpoint = self._webhooks.endpoint(parse_endpoint_id(id_text))
        if not whoever_asks().may_see(endpoint.caller):
            raise unknown_endpoint()
        return endpoint

    def change(self, id_text: str, request: Request) -> Endpoint:
        """Change what is asked for, and nothing else; UnknownEndpoint, RequestError, UrlBlocked."""
        endpoint = self.endpoint(id_text)
        asked = _asked(request, EndpointChange, PATCHES)
        if "url" in asked.changes:
            checked_url(self._guard, asked.url)
        if not asked.changes:
            return endpoint
        changed = self._webhooks.change(endpoint.id, **asked.changes)
        log.info("webhook endpoint changed", endpoint=endpoint.id, fields=sorted(asked.changes))
        return changed

    def remove(self, id_text: str) -> None:
        """Delete the endpoint: what waits for it is not sent any more; UnknownEndpoint."""
        endpoint = self.endpoint(id_text)
        self._webhooks.remove(endpoint.id)
        log.info("webhook endpoint deleted", endpoint=endpoint.id)

    def rotate(self, id_text: str, request: Request) -> Endpoint:
        """Put another secret in force, a new one where the request names none; UnknownEndpoint."""
        endpoint = self.endpoint(id_text)
        asked = _asked(request, SecretRotation, may_be_empty=True)
        rotated = self._webhooks.rotate(endpoint.id, asked.secret)
        log.info("webhook secret rotated", endpoint=endpoint.id)
        return rotated

    def test(self, id_text: str) -> Delivery:
        """Send it a test; UnknownEndpoint."""
        delivery = self._webhooks.test(self.endpoint(id_text).id)
        log.info("webhook test asked for", endpoint=delivery.endpoint, delivery_id=delivery.id)
        return delivery

    def recover(self, id_text: str, request: Request) -> int:
        """Send again what has failed there; how much. UnknownEndpoint, EndpointDisabled."""
        endpoint = self.endpoint(id_text)
        since = _asked(request, Recovery).since
        recovered = self._webhooks.recover(endpoint.id, since=since.timestamp())
        log.info("webhook deliveries recovered", endpoint=endpoint.id, deliveries=recovered)
        return recovered

    def deliveries(self, wanted: WantedDeliveries) -> DeliveryPage:
        """A page of the caller's deliveries, or of those at one of his endpoints; UnknownEndpoint."""
        if wanted.endpoint is not None:
            self.endpoint(wanted.endpoint)  # the store gives all of an endpoint's, whoever asks
        return self._webhooks.deliveries(
            whoever_asks().caller,
            endpoint=wanted.endpoint,
            status=wanted.status,
            since=wanted.since.timestamp() if wanted.since else None,
            limit=wanted.limit,
            after=wanted.after,
        )

    def delivery(self, id_text: str) -> Delivery:
        """The delivery; UnknownDelivery also where it is another's."""
        delivery = self._webhooks.delivery(parse_delivery_id(id_text))
        if not whoever_asks().may_see(delivery.caller):
            raise unknown_delivery()
        return delivery

    def redeliver(self, id_text: str) -> Delivery:
        """Send it once more, under the same id; UnknownDelivery, EndpointDisabled."""
        delivery = self._webhooks.redeliver(self.delivery(id_text).id)
        log.info("webhook redelivery asked for", endpoint=delivery.endpoint, delivery_id=delivery.id)
        return delivery


def _asked(
    request: Request, kind: type[Asked], media: tuple[str, ...] = JSON, *, may_be_empty: bool = False
) -> Asked:
    """What the body asks for; UnsupportedMediaType, MalformedRequest, InvalidRequest."""
    text = json_body(request)
    if may_be_empty and not text:
        return parse_json(None, kind, what="body")
    if request.mimetype not in media:
        raise UnsupportedMediaType(f"Send the body as {' or '.join(media)}.")
    return parse_json(text, kind, what="body")
