"""What `AsyncClient` can do with webhooks: endpoints that jobs name, and what was delivered to them.

It carries nothing out and decides nothing.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from typing import TypeVar

from genrewiz.client.conversation import Conversation
from genrewiz.client.delivery import Delivery, DeliveryPage
from genrewiz.client.effects import Items, Steps
from genrewiz.client.endpoint import UNCHANGED, BasicAuth, Endpoint, Unchanged
from genrewiz.client.webhook_talk import Time

T = TypeVar("T")


class AsyncWebhooks(ABC):
    """A part of `AsyncClient`."""

    _talk: Conversation

    @abstractmethod
    async def _run(self, steps: Steps[T]) -> T: ...

    @abstractmethod
    def _iterate(self, steps: Items[T]) -> AsyncGenerator[T, None]: ...

    async def create_endpoint(
        self,
        url: str,
        *,
        events: Sequence[str] | None = None,
        description: str | None = None,
        basic_auth: BasicAuth | None = None,
        secret: str | None = None,
    ) -> Endpoint:
        """Make an endpoint, a receiver that jobs can name; its `secret` is told this once.

        endpoint = await client.create_endpoint("https://radio.example/hook", events=["job.succeeded"])
        job = await client.submit("song.mp3", webhook=endpoint)

        """
        return await self._run(
            self._talk.create_endpoint(
                url, events=events, description=description, basic_auth=basic_auth, secret=secret
            )
        )

    async def endpoints(self) -> list[Endpoint]:
        """Your endpoints, the newest first.

        print([endpoint.id for endpoint in await client.endpoints() if not endpoint.enabled])
        """
        return await self._run(self._talk.endpoints())

    async def endpoint(self, endpoint: str | Endpoint) -> Endpoint:
        """The endpoint as it is now; without its secret.

        endpoint = await client.endpoint("whe_0123456789abcdef01234567")
        """
        return await self._run(self._talk.endpoint(endpoint))

    async def change_endpoint(
        self,
        endpoint: str | Endpoint,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        description: str | None = None,
        basic_auth: BasicAuth | Unchanged | None = UNCHANGED,
        enabled: bool | None = None,
    ) -> Endpoint:
        """Change what is given of the endpoint; `basic_auth=None` takes that away.

        endpoint = await client.change_endpoint(endpoint, enabled=True)
        """
        return await self._run(
            self._talk.change_endpoint(
                endpoint,
                url=url,
                events=events,
                description=description,
                basic_auth=basic_auth,
                enabled=enabled,
            )
        )

    async def delete_endpoint(self, endpoint: str | Endpoint) -> None:
        """Remove the endpoint; what waits to be delivered to it fails.

        await client.delete_endpoint(endpoint)
        """
        await self._run(self._talk.delete_endpoint(endpoint))

    async def rotate_secret(self, endpoint: str | Endpoint, *, secret: str | None = None) -> Endpoint:
        """Give the endpoint another secret, which is told this once; the old one signs for 24 hours more.

        secret = (await client.rotate_secret(endpoint)).secret
        """
        return await self._run(self._talk.rotate_secret(endpoint, secret=secret))

    async def test_endpoint(self, endpoint: str | Endpoint) -> Delivery:
        """Have a `webhook.test` sent to the endpoint, also to one that is disabled.

        delivery = await client.test_endpoint(endpoint)
        """
        return await self._run(self._talk.test_endpoint(endpoint))

    async def recover(self, endpoint: str | Endpoint, *, since: Time) -> int:
        """Have all that failed to reach the endpoint since then sent now; how many. Not to a disabled one.

        count = await client.recover(endpoint, since=datetime.now(UTC) - timedelta(days=1))
        """
        return await self._run(self._talk.recover(endpoint, since=since))

    def deliveries(
        self,
        *,
        endpoint: str | Endpoint | None = None,
        status: str | None = None,
        since: Time | None = None,
        limit: int | None = None,
    ) -> AsyncGenerator[Delivery, None]:
        """What was sent for you, the newest first, page by page; at most `limit`, else all. Without attempts.

        async for delivery in client.deliveries(status="failed", limit=10):
            print(delivery.id, delivery.failed_because)
        """
        return self._iterate(
            self._talk.deliveries(endpoint=endpoint, status=status, since=since, limit=limit)
        )

    async def deliveries_page(
        self,
        *,
        endpoint: str | Endpoint | None = None,
        status: str | None = None,
        since: Time | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> DeliveryPage:
        """One page of your deliveries; its `next_cursor` leads to the next one.

        page = await client.deliveries_page(limit=20)
        """
        return await self._run(
            self._talk.deliveries_page(
                endpoint=endpoint, status=status, since=since, limit=limit, cursor=cursor
            )
        )

    async def delivery(self, delivery: str | Delivery) -> Delivery:
        """The delivery as it is now, with every attempt and what the receiver answered.

        for attempt in (await client.delivery(delivery)).attempts:
            print(attempt.number, attempt.status_code, attempt.error, attempt.reply)
        """
        return await self._run(self._talk.delivery(delivery))

    async def redeliver(self, delivery: str | Delivery) -> Delivery:
        """Have the delivery sent again, now, with the same id.

        async for delivery in client.deliveries(status="failed"):
            await client.redeliver(delivery)
        """
        return await self._run(self._talk.redeliver(delivery))
