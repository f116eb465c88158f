"""Webhooks in Redis, from their owners' side: endpoints, their secrets, and the log of deliveries.

It sends nothing, and asks nobody whose an endpoint or a delivery is.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from redis import Redis

from shared.errors import EndpointDisabled, TooManyEndpoints, UnknownDelivery, UnknownEndpoint
from shared.job_record import read_record
from shared.job_webhook import EndpointId
from shared.redis_keys import Keys
from shared.redis_scripts import OF_WEBHOOKS, away_is_ours, scripts
from shared.webhook_record import (
    of_changes,
    of_new_endpoint,
    to_delivery,
    to_endpoint,
    to_secrets,
)
from shared.webhook_secrets import new_secret
from shared.webhooks import (
    TEST_EVENT,
    Delivery,
    DeliveryId,
    DeliveryStatus,
    Endpoint,
    NewEndpoint,
    SigningSecret,
    new_endpoint_id,
    new_test_id,
)

SCRIPTS = (
    "add_endpoint",
    "show_endpoints",
    "change_endpoint",
    "remove_endpoint",
    "rotate_secret",
    "test_endpoint",
    "recover",
    "resend",
    "show_delivery",
    "list_deliveries",
)
MAX_ENDPOINTS: Final = 100
"""Of one caller."""
ROTATION_SECONDS: Final = 24 * 60 * 60
"""For so long a secret goes on to sign beside the one that has taken its place."""
LOOKS_PER_PAGE: Final = 1_000
RECOVERED_PER_CALL: Final = 500


@dataclass(frozen=True, kw_only=True)
class DeliveryPlace:
    """Where in a list of deliveries a page has ended; the one that stood there may be gone."""

    score: str  # as Redis writes it
    delivery_id: DeliveryId


@dataclass(frozen=True, kw_only=True)
class DeliveryPage:
    """Some deliveries, without their attempts."""

    deliveries: tuple[Delivery, ...]
    end: DeliveryPlace | None  # None where nothing is behind it


class RedisWebhooks:
    """Endpoints and deliveries. StoreUnavailable where Redis is away."""

    def __init__(self, redis: "Redis", keys: Keys) -> None:
        self._scripts = scripts(redis, keys, SCRIPTS, libraries=OF_WEBHOOKS)

    def add(self, caller: str, new: NewEndpoint) -> Endpoint:
        """A new endpoint; TooManyEndpoints."""
        fields = of_new_endpoint(new, new.secret or new_secret())
        text, failing = self._run("add_endpoint", new_endpoint_id(), caller, MAX_ENDPOINTS, *_flat(fields))
        if not text:
            raise TooManyEndpoints(f"There are {MAX_ENDPOINTS} endpoints already: delete one first.")
        return to_endpoint(read_record(text), failing)

    def endpoint(self, endpoint_id: EndpointId) -> Endpoint:
        """The endpoint as it is now; UnknownEndpoint."""
        [shown] = self._run("show_endpoints", "", endpoint_id)
        return _endpoint(*shown)

    def endpoints(self, caller: str) -> list[Endpoint]:
        """All of a caller, the newest first."""
        return [_endpoint(*shown) for shown in self._run("show_endpoints", caller, "")]

    def change(self, endpoint_id: EndpointId, **changes: Any) -> Endpoint:
        """Change its url, events, description, basic_auth (None: none) or enabled; UnknownEndpoint."""
        # Another receiver, or one that is said to be mended, is not judged by what was before.
        anew = "1" if "url" in changes else "enabled" if changes.get("enabled") else ""
        return _endpoint(*self._run("change_endpoint", endpoint_id, anew, *_flat(of_changes(changes))))

    def remove(self, endpoint_id: EndpointId) -> None:
        """Delete it: what waits for it fails. UnknownEndpoint."""
        if not self._run("remove_endpoint", endpoint_id):
            raise _unknown_endpoint()

    def rotate(self, endpoint_id: EndpointId, secret: str | None = None) -> Endpoint:
        """Put a new secret in force; the one before signs for a day more. UnknownEndpoint."""
        new = secret or new_secret()
        if not self._run("rotate_secret", endpoint_id, new, new, ROTATION_SECONDS):
            raise _unknown_endpoint()
        return self.endpoint(endpoint_id)

    def test(self, endpoint_id: EndpointId) -> Delivery:
        """Send it a `webhook.test`, also where it is disabled; UnknownEndpoint."""
        text, *rest = self._run("test_endpoint", endpoint_id, new_test_id())
        if not text:
            raise _unknown_endpoint()
        return to_delivery(read_record(text), *rest)

    def recover(self, endpoint_id: EndpointId, *, since: float) -> int:
        """Send what has failed since then, or waits to be tried again; how much.

        UnknownEndpoint, EndpointDisabled.
        """
        self._check_enabled(endpoint_id)
        recovered, place = 0, (f"{since:.6f}", "")
        while place[0]:
            count, *place = self._run("recover", endpoint_id, *place, RECOVERED_PER_CALL)
            recovered += count
        return recovered

    def deliveries(
        self,
        caller: str,
        *,
        endpoint: EndpointId | None = None,
        status: DeliveryStatus | None = None,
        since: float | None = None,
        limit: int,
        after: DeliveryPlace | None = None,
    ) -> DeliveryPage:
        """A caller's deliveries, the newest first, from behind the place at which another page has ended."""
        score, delivery_id, shown = self._run(
            "list_deliveries",
            caller,
            endpoint or "",
            status or "",
            "-inf" if since is None else since,
            limit,
            LOOKS_PER_PAGE,
            *(("", "") if after is None else (after.score, after.delivery_id)),
        )
        end = DeliveryPlace(score=score, delivery_id=DeliveryId(delivery_id)) if delivery_id else None
        return DeliveryPage(
            deliveries=tuple(to_delivery(read_record(text), *rest) for text, *rest in shown), end=end
        )

    def delivery(self, delivery_id: DeliveryId) -> Delivery:
        """The delivery as it is now, with its attempts; UnknownDelivery."""
        return _delivery(*self._run("show_delivery", delivery_id))

    def redeliver(self, delivery_id: DeliveryId) -> Delivery:
        """Send it now, under the same id, whatever became of it; UnknownDelivery, EndpointDisabled."""
        delivery = self.delivery(delivery_id)
        if delivery.endpoint is not None and delivery.event != TEST_EVENT:
            with suppress(UnknownEndpoint):  # what was for a deleted one fails, and says so itself
                self._check_enabled(delivery.endpoint)
        return _delivery(*self._run("resend", delivery_id))

    def instance_secrets(self) -> tuple[SigningSecret, ...]:
        """What signs where a job brings no secret, the one in force first; made at the first call."""
        return to_secrets(self._run("rotate_secret", "", "", new_secret(), 0))

    def rotate_instance_secret(self) -> tuple[SigningSecret, ...]:
        """The same, with a new one in force; the one before signs for a day more."""
        new = new_secret()
        return to_secrets(self._run("rotate_secret", "", new, new, ROTATION_SECONDS))

    def _check_enabled(self, endpoint_id: EndpointId) -> None:
        if not self.endpoint(endpoint_id).is_enabled:
            raise EndpointDisabled("The endpoint is disabled: enable it first.")

    def _run(self, script: str, *args: str | float) -> Any:
        with away_is_ours():
            return self._scripts[script](args=args)


def _endpoint(text: str, failing_since: str) -> Endpoint:
    if not text:
        raise _unknown_endpoint()
    return to_endpoint(read_record(text), failing_since)


def _delivery(text: str, due_at: str, attempts: list[str]) -> Delivery:
    if not text:
        raise UnknownDelivery("There is no delivery with this id.")
    return to_delivery(read_record(text), due_at, attempts)


def _unknown_endpoint() -> UnknownEndpoint:
    return UnknownEndpoint("There is no endpoint with this id.")


def _flat(fields: dict[str, str]) -> list[str]:
    return [part for pair in fields.items() for part in pair]
