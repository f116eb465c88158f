"""The client for programs that wait: `Client`.

It carries out what the core (`conversation.py`) wants done, and decides nothing.
"""

import random
import time
from collections.abc import Generator, Iterator, Mapping
from types import TracebackType
from typing import Any, TypeVar

import httpx
from httpx_sse import EventSource

from genrewiz.client.conversation import Conversation, Wanted
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
from genrewiz.client.sync_webhooks import SyncWebhooks
from genrewiz.client.transport import (
    BROKEN,
    DEFAULT_URL,
    Address,
    Body,
    answer_of,
    broken,
    frame_of,
    head_of,
)
from genrewiz.client.upload import AudioSource, OnBytes, uploading

T = TypeVar("T")
S = TypeVar("S", bound=Answer | Broken | Frame | None)


class Client(SyncWebhooks):
    """Talks to one GenreWiz server. Threads may share it.

        from genrewiz.client import Client

        with Client() as client:
            job = client.wait(client.submit("song.mp3"))
            print(job.result.genre if job.result else job.error)

    Requests are repeated where that may help: the server cannot be reached, or says 429 or 503 and when to
    come again. What is submitted bears an idempotency key, so that it is one job however often it was sent.

    Every method raises Problem where the server says no, Unreachable where there is no answer,
    UnexpectedAnswer where something else answers: all are ClientErrors. What no server need be asked is said
    at the call: TypeError where a job is neither a Job nor an id, say, ValueError where an id is empty, a
    number is too low, or the client was closed.
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
        http: httpx.Client | None = None,
    ) -> None:
        """api_key: as `genrewiz keys add` has shown it, where the server asks for one.

        timeout_seconds: of silence, before a connection counts as broken. max_attempts: how often a request
        is sent at most; max_pauses_seconds: how long the pauses between may be together. on_pause: told
        before each pause why the request must be repeated (a ClientError), and in how many seconds. http: an
        httpx client of your own, with proxies or certificates, say; you close it.
        """
        self._address = Address(base_url=base_url, api_key=api_key, timeout_seconds=timeout_seconds)
        self._talk = Conversation(
            server=self._address.shown,
            patience=Patience(max_attempts=max_attempts, pauses_seconds=max_pauses_seconds),
            clock=time.monotonic,
            now=time.time,
            dice=random.random,
        )
        self._http = http or httpx.Client(**self._address.options())
        self._is_ours = http is None
        self._is_closed = False
        self._on_pause = on_pause

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all connections; after this the client cannot be used: ValueError."""
        self._is_closed = True
        if self._is_ours:
            self._http.close()

    def submit(  # noqa: PLR0913  all by name
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
        """Send a song; the job that was accepted. A song is read from disk as it is sent.

            job = client.submit("song.mp3", options={"top": 3}, metadata={"station": "fm4"})

        source: a path, an open binary file, or the bytes. A file that cannot be rewound (a pipe) is sent
        once, and not repeated. webhook: who is to hear of the job: a URL, the id of an endpoint, a Webhook or
        an Endpoint. wait_seconds: how long the server may hold its answer (30 at most), so that it
        is the finished job where that was quick. idempotency_key: under the same one the same song is one
        job, also for another process. on_bytes: told how much was sent, and of how much (None where that is
        not known); it begins anew where the upload is repeated.

        Raises OSError where the file cannot be read.
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
        with uploading(source, filename=filename, on_bytes=on_bytes) as upload:
            return self._run(self._talk.submit(upload, wanted))

    def submit_url(
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
        """Have the server fetch a song; the job that was accepted. The rest is as with `submit`.

        job = client.submit_url("https://cdn.example/a.mp3")
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
        return self._run(self._talk.submit_url(url, wanted))

    def get(self, job: str | Job, *, wait_seconds: int | None = None) -> Job:
        """The job as it is now; with wait_seconds (25 at most): when it has finished, or after so long.

        job = client.get("job_0123456789abcdef01234567")
        """
        return self._run(self._talk.get(job, wait_seconds=wait_seconds))

    def wait(self, job: str | Job, *, timeout_seconds: float | None = None) -> Job:
        """The job when it has finished, through restarts of the server; TimedOut after so many seconds.

        try:
            job = client.wait(job, timeout_seconds=60)
        except TimedOut:
            client.cancel(job)
        """
        return self._run(self._talk.wait(job, timeout_seconds=timeout_seconds))

    def events(self, job: str | Job, *, last_event_id: str | None = None) -> Generator[Event, None, None]:
        """What happens to the job, as it happens, until it has finished; close it to hang up before.

            for event in client.events(job):
                if event.name == "window":
                    print(event.data["start_seconds"], event.data["genre"])
                elif event.name == "finished":
                    print(event.job.status)

        A connection that breaks is made again, and goes on behind the event that came last; last_event_id:
        the `id` of the last event that was seen, to do so in another process. Where the server has forgotten
        what came then, another `snapshot` tells the whole job.
        """
        return self._iterate(self._talk.events(job, last_event_id=last_event_id))

    def jobs(self, *, status: str | None = None, limit: int | None = None) -> Generator[Job, None, None]:
        """Your jobs, the newest first, page by page; at most `limit`, else all. Without timelines.

        for job in client.jobs(status="failed", limit=10):
            print(job.id, job.error.code)
        """
        return self._iterate(self._talk.jobs(status=status, limit=limit))

    def jobs_page(
        self, *, status: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> JobPage:
        """One page of your jobs, for who shows them in pages; its `next_cursor` leads to the next one.

        page = client.jobs_page(limit=20)
        """
        return self._run(self._talk.page(status=status, limit=limit, cursor=cursor))

    def cancel(self, job: str | Job) -> Job:
        """Have the job cancelled: a waiting one is at once, a running one is soon (`cancel_requested`).

            job = client.wait(client.cancel(job))

        A job that has finished otherwise is a Problem with the code `job_finished`.
        """
        return self._run(self._talk.cancel(job))

    def delete(self, job: str | Job) -> None:
        """Remove the job with its audio and its answer; Problem with the code `job_running` while it runs.

        client.delete(job)
        """
        self._run(self._talk.delete(job))

    def spectrogram(self, job: str | Job) -> bytes:
        """The PNG of a finished job that was submitted with `options={"spectrogram": True}`.

        Path("song.png").write_bytes(client.spectrogram(job))
        """
        return self._run(self._talk.spectrogram(job))

    def models(self) -> list[dict[str, Any]]:
        """The models of the server: genres, version, accuracy, as it describes them.

        print([model["name"] for model in client.models()])
        """
        return self._run(self._talk.models())

    def model(self, name: str) -> dict[str, Any]:
        """One model of the server.

        print(client.model("pcrnn")["genres"])
        """
        return self._run(self._talk.model(name))

    def _run(self, steps: Steps[T]) -> T:
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
                self._sleep(effect)
            else:
                outcome = self._seen(self._send(effect.request))

    def _check_open(self) -> None:
        if self._is_closed or self._http.is_closed:
            raise ValueError("The client is closed: make another one.")

    def _seen(self, outcome: S) -> S:
        """What came of a request; one that broke because the client was closed meanwhile is not repeated."""
        if isinstance(outcome, Broken):
            self._check_open()
        return outcome

    def _sleep(self, effect: Sleep) -> None:
        if effect.because is not None and self._on_pause is not None:
            self._on_pause(effect.because, effect.seconds)
        time.sleep(effect.seconds)
        self._check_open()

    def _iterate(self, steps: Items[T]) -> Generator[T, None, None]:
        self._check_open()  # at the call, and not when somebody reads
        return self._items(steps)

    def _items(self, steps: Items[T]) -> Generator[T, None, None]:
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
                        outcome = self._seen(stream.read())
                    case Open(request):
                        stream.close()
                        outcome = self._seen(self._open(request, stream))
                    case Send(request):
                        outcome = self._seen(self._send(request))
                    case Sleep():
                        self._sleep(effect)
        finally:
            stream.close()

    def _send(self, request: Request) -> Answer | Broken:
        try:
            return answer_of(self._http.send(self._built(request), follow_redirects=False))
        except BROKEN as error:
            return broken(error)

    def _open(self, request: Request, stream: "_Stream") -> Answer | Broken:
        try:
            response = self._http.send(self._built(request), stream=True, follow_redirects=False)
            head = head_of(response)
            if head.is_stream:
                stream.open(response)
                return head
            try:
                response.read()
            finally:
                response.close()
            return answer_of(response)
        except BROKEN as error:
            return broken(error)

    def _built(self, request: Request) -> httpx.Request:
        built = self._http.build_request(**self._address.parts(request))
        if request.upload is not None:
            built.stream = Body(built.stream, request.upload)
        return built


class _Stream:
    """A stream of events that may be open."""

    def __init__(self) -> None:
        self._response: httpx.Response | None = None
        self._events: Iterator[Any] = iter(())

    def open(self, response: httpx.Response) -> None:
        """Read from this one on."""
        self._response = response
        self._events = EventSource(response).iter_sse()

    def read(self) -> Frame | Broken | None:
        """The next event."""
        try:
            event = next(self._events, None)
        except BROKEN as error:
            return broken(error)
        return None if event is None else frame_of(event)

    def close(self) -> None:
        """Hang up, where it is open."""
        if self._response is not None:
            self._response.close()
        self._response = None
