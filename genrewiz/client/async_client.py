"""The client for asyncio and trio: `AsyncClient`.

It carries out what the core (`conversation.py`) wants done, and decides nothing.
"""

import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, TypeVar

import anyio
import httpx
from httpx_sse import EventSource, ServerSentEvent

from genrewiz.client.async_webhooks import AsyncWebhooks
from genrewiz.client.conversation import Conversation, Wanted
from genrewiz.client.early_answer import EarlyAnswer
from genrewiz.client.effects import (
    Answer,
    Broken,
    Frame,
    Give,
    Items,
    OnPause,
    Open,
    Read,
    Request,
    Send,
    Sleep,
    Steps,
)
from genrewiz.client.endpoint import WebhookLike
from genrewiz.client.job import Event, Job, JobPage
from genrewiz.client.retry import Patience
from genrewiz.client.transport import (
    BROKEN,
    DEFAULT_URL,
    Address,
    answer_of,
    broken,
    frame_of,
    head_of,
)
from genrewiz.client.upload import AudioSource, OnBytes, Upload, uploading

T = TypeVar("T")
S = TypeVar("S", bound=Answer | Broken | Frame | None)


class AsyncClient(AsyncWebhooks):
    """Talks to one GenreWiz server. Tasks may share it; a task that is cancelled hangs up.

        import asyncio
        from genrewiz.client import AsyncClient

        async def main():
            async with AsyncClient() as client:
                job = await client.wait(await client.submit("song.mp3"))
                print(job.result.genre if job.result else job.error)

        asyncio.run(main())

    It does what `Client` does, in the same way: what is repeated, and what is raised, stands there.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        timeout_seconds: float = 30.0,
        max_attempts: int = Patience.max_attempts,
        max_pauses_seconds: float = Patience.pauses_seconds,
        on_pause: OnPause | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        """The same as Client's."""
        self._address = Address(base_url=base_url, api_key=api_key, timeout_seconds=timeout_seconds)
        self._talk = Conversation(
            server=self._address.shown,
            patience=Patience(max_attempts=max_attempts, pauses_seconds=max_pauses_seconds),
            clock=time.monotonic,
            now=time.time,
            dice=random.random,
        )
        self._http = http or httpx.AsyncClient(**self._address.options())
        # An upload has a connection of its own: see `early_answer.py`.
        self._uploads = http or httpx.AsyncClient(**self._address.options(keep=False))
        self._is_ours = http is None
        self._is_closed = False
        self._on_pause = on_pause

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End all connections; after this the client cannot be used: ValueError."""
        self._is_closed = True
        if self._is_ours:
            await self._http.aclose()
            await self._uploads.aclose()

    async def submit(  # noqa: PLR0913  all by name
        self,
        source: AudioSource,
        *,
        filename: str | None = None,
        options: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        queue: str | None = None,
        deadline_seconds: int | None = None,
        webhook: WebhookLike | None = None,
        idempotency_key: str | None = None,
        wait_seconds: int | None = None,
        on_bytes: OnBytes | None = None,
    ) -> Job:
        """Send a song; the job that was accepted. A song is read from disk as it is sent, in a thread.

        job = await client.submit("song.mp3", options={"top": 3}, metadata={"station": "fm4"})
        """
        wanted = Wanted(
            options=options,
            metadata=metadata,
            queue=queue,
            deadline_seconds=deadline_seconds,
            webhook=webhook,
            idempotency_key=idempotency_key,
            wait_seconds=wait_seconds,
        )
        async with _uploading(source, filename, on_bytes) as upload:
            return await self._run(self._talk.submit(upload, wanted))

    async def submit_url(
        self,
        url: str,
        *,
        options: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        queue: str | None = None,
        deadline_seconds: int | None = None,
        webhook: WebhookLike | None = None,
        idempotency_key: str | None = None,
        wait_seconds: int | None = None,
    ) -> Job:
        """Have the server fetch a song; the job that was accepted.

        job = await client.submit_url("https://cdn.example/a.mp3")
        """
        wanted = Wanted(
            options=options,
            metadata=metadata,
            queue=queue,
            deadline_seconds=deadline_seconds,
            webhook=webhook,
            idempotency_key=idempotency_key,
            wait_seconds=wait_seconds,
        )
        return await self._run(self._talk.submit_url(url, wanted))

    async def get(self, job: str | Job, *, wait_seconds: int | None = None) -> Job:
        """The job as it is now; with wait_seconds (25 at most): when it has finished, or after so long.

        job = await client.get("job_0123456789abcdef01234567")
        """
        return await self._run(self._talk.get(job, wait_seconds=wait_seconds))

    async def wait(self, job: str | Job, *, timeout_seconds: float | None = None) -> Job:
        """The job when it has finished, through restarts of the server; TimedOut after so many seconds.

        jobs = await asyncio.gather(*(client.wait(job) for job in jobs))
        """
        return await self._run(self._talk.wait(job, timeout_seconds=timeout_seconds))

    def events(self, job: str | Job, *, last_event_id: str | None = None) -> AsyncGenerator[Event, None]:
        """What happens to the job, as it happens, until it has finished.

            async with contextlib.aclosing(client.events(job)) as events:
                async for event in events:
                    print(event.name, event.data)

        Without `aclosing`, who leaves the loop early hangs up only when Python clears the iterator away.
        """
        return self._iterate(self._talk.events(job, last_event_id=last_event_id))

    def jobs(self, *, status: str | None = None, limit: int | None = None) -> AsyncGenerator[Job, None]:
        """Your jobs, the newest first, page by page; at most `limit`, else all. Without timelines.

        async for job in client.jobs(status="failed", limit=10):
            print(job.id, job.error.code)
        """
        return self._iterate(self._talk.jobs(status=status, limit=limit))

    async def jobs_page(
        self, *, status: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> JobPage:
        """One page of your jobs, for who shows them in pages; its `next_cursor` leads to the next one.

        page = await client.jobs_page(limit=20)
        """
        return await self._run(self._talk.page(status=status, limit=limit, cursor=cursor))

    async def cancel(self, job: str | Job) -> Job:
        """Have the job cancelled: a waiting one is at once, a running one is soon (`cancel_requested`).

        job = await client.wait(await client.cancel(job))
        """
        return await self._run(self._talk.cancel(job))

    async def delete(self, job: str | Job) -> None:
        """Remove the job with its audio and its answer; Problem with the code `job_running` while it runs.

        await client.delete(job)
        """
        await self._run(self._talk.delete(job))

    async def spectrogram(self, job: str | Job) -> bytes:
        """The PNG of a finished job that was submitted with `options={"spectrogram": True}`.

        Path("song.png").write_bytes(await client.spectrogram(job))
        """
        return await self._run(self._talk.spectrogram(job))

    async def models(self) -> list[dict[str, Any]]:
        """The models of the server: genres, version, accuracy, as it describes them.

        print([model["name"] for model in await client.models()])
        """
        return await self._run(self._talk.models())

    async def model(self, name: str) -> dict[str, Any]:
        """One model of the server.

        print((await client.model("pcrnn"))["genres"])
        """
        return await self._run(self._talk.model(name))

    async def _run(self, steps: Steps[T]) -> T:
        self._check_open()
        outcome: object = None
        while True:
            try:
                effect = steps.send(outcome)
            except StopIteration as end:
                value: T = end.value
                return value
            outcome = None
            if isinstance(effect, Sleep):
                await self._sleep(effect)
            else:
                outcome = self._seen(await self._send(effect.request))

    def _check_open(self) -> None:
        if self._is_closed or self._http.is_closed:
            raise ValueError("The client is closed: make another one.")

    def _seen(self, outcome: S) -> S:
        """What came of a request; one that broke because the client was closed meanwhile is not repeated."""
        if isinstance(outcome, Broken):
            self._check_open()
        return outcome

    async def _sleep(self, effect: Sleep) -> None:
        if effect.because is not None and self._on_pause is not None:
            self._on_pause(effect.because, effect.seconds)
        await anyio.sleep(effect.seconds)
        self._check_open()

    def _iterate(self, steps: Items[T]) -> AsyncGenerator[T, None]:
        self._check_open()  # at the call, and not when somebody reads
        return self._items(steps)

    async def _items(self, steps: Items[T]) -> AsyncGenerator[T, None]:
        stream = _Stream()
        outcome: object = None
        try:
            while True:
                try:
                    effect = steps.send(outcome)
                except StopIteration:
                    return
                outcome = None
                match effect:
                    case Give(item):
                        yield item
                    case Read():
                        outcome = self._seen(await stream.read())
                    case Open(request):
                        await stream.close()
                        outcome = self._seen(await self._open(request, stream))
                    case Send(request):
                        outcome = self._seen(await self._send(request))
                    case Sleep():
                        await self._sleep(effect)
        finally:
            await stream.close()

    async def _send(self, request: Request) -> Answer | Broken:
        if request.upload is not None:
            return await self._upload(request, request.upload)
        try:
            return answer_of(await self._http.send(self._built(request), follow_redirects=False))
        except BROKEN as error:
            return broken(error)

    async def _upload(self, request: Request, upload: Upload) -> Answer | Broken:
        early = EarlyAnswer()
        try:
            built = self._built(request)
            built.stream = _ThreadedBody(built.stream, upload)
            built.extensions = {**built.extensions, "trace": early.trace}
            return answer_of(await self._uploads.send(built, follow_redirects=False))
        except BROKEN as error:
            return early.read() or broken(error)
        finally:
            early.close()

    async def _open(self, request: Request, stream: "_Stream") -> Answer | Broken:
        try:
            response = await self._http.send(self._built(request), stream=True, follow_redirects=False)
            head = head_of(response)
            if head.is_stream:
                stream.open(response)
                return head
            try:
                await response.aread()
            finally:
                await response.aclose()
            return answer_of(response)
        except BROKEN as error:
            return broken(error)

    def _built(self, request: Request) -> httpx.Request:
        return self._http.build_request(**self._address.parts(request))


class _Stream:
    """A stream of events that may be open."""

    def __init__(self) -> None:
        self._response: httpx.Response | None = None
        self._events: AsyncGenerator[ServerSentEvent, None] | None = None

    def open(self, response: httpx.Response) -> None:
        """Read from this one on."""
        self._response = response
        self._events = EventSource(response).aiter_sse()

    async def read(self) -> Frame | Broken | None:
        """The next event."""
        if self._events is None:
            return None
        try:
            event = await anext(self._events, None)
        except BROKEN as error:
            return broken(error)
        return None if event is None else frame_of(event)

    async def close(self) -> None:
        """Hang up, where it is open."""
        events, response = self._events, self._response
        self._events = self._response = None
        if events is not None:
            await events.aclose()
        if response is not None:
            await response.aclose()


class _ThreadedBody(httpx.AsyncByteStream):
    """The body of an upload, read where a slow disk or pipe holds up no other task."""

    def __init__(self, pieces: Any, upload: Upload) -> None:
        self._pieces = pieces
        self._upload = upload

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces: Iterator[bytes] = iter(self._pieces)
        while True:
            # Who is cancelled must not wait for a pipe into which nobody writes.
            piece = await anyio.to_thread.run_sync(next, pieces, None, abandon_on_cancel=True)
            if piece is None:
                return
            yield piece
            self._upload.tell()


@asynccontextmanager
async def _uploading(
    source: AudioSource, filename: str | None, on_bytes: OnBytes | None
) -> AsyncIterator[Upload]:
    opened = uploading(source, filename=filename, on_bytes=on_bytes)
    # A named pipe is open only once somebody writes into it.
    upload = await anyio.to_thread.run_sync(opened.__enter__, abandon_on_cancel=True)
    try:
        yield upload
    finally:
        opened.__exit__(None, None, None)
