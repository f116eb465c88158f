"""Receivers of webhooks, good ones and hostile ones, on a thread of their own.

Each has an address of its own on the loopback network, for what shares an origin shares its luck. It judges
nothing: every request that comes goes into a journal, with what the public `standardwebhooks` package says of
its signature, and with what the api answers at that moment to whoever asks for the job.
"""

import asyncio
import contextlib
import hashlib
import json
import random
import socket
import struct
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

import httpx
from standardwebhooks import Webhook, WebhookVerificationError

from faults.journal import Journal
from faults.load import FINISHED, Hook
from genrewiz.serve.ports import free_port
from shared.job_webhook import ENDS, EVENTS, EventName
from shared.redis_client import connect
from shared.redis_keys import Keys
from shared.redis_webhooks import RedisWebhooks
from shared.settings import Settings
from shared.webhook_secrets import new_secret
from shared.webhooks import NewEndpoint

Mode = Literal[
    "good",
    "slow",  # but in time
    "http_500",
    "http_429",  # with Retry-After
    "redirect",
    "garbage",  # which is no HTTP
    "endless",  # 200, and a body without an end
    "drip",  # a header without an end
    "close",
    "reset",
    "black_hole",
]
MODES: tuple[Mode, ...] = get_args(Mode)
TAKING: frozenset[Mode] = frozenset({"good", "slow", "endless"})
"""In these a receiver has what it was sent, and says so by a 2xx."""
HOSTILE: tuple[Mode, ...] = tuple(mode for mode in MODES if mode != "good")

HOOK_PATH = "/hook"
SLOW_SECONDS = 1.5
DRIP_SECONDS = 0.3
RETRY_AFTER_SECONDS = 1
ASKERS = 16
ASK_SECONDS = 3.0  # one try
ASK_PATIENCE_SECONDS = 30.0  # an api that is away is asked again
ASK_AGAIN_SECONDS = 0.2
MOST_HEAD_BYTES = 2**16
LINGER_NONE = struct.pack("ii", 1, 0)  # close() sends a RST
PIECE = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"


@dataclass
class Receiver:
    """One of them."""

    name: str
    address: str
    secret: str
    mode: Mode = "good"
    endpoint: str | None = None  # where jobs name one; its own list of events holds then
    events: tuple[EventName, ...] = ()  # that list


@dataclass(frozen=True)
class _Request:
    path: str
    headers: dict[str, str]
    body: bytes


class Receivers:
    """Receivers that are up. All have the same port."""

    def __init__(self, journals: Path, api_urls: Sequence[str], names: Sequence[str]) -> None:
        """api_urls: who is asked for a job when news of its end comes; nobody where there are none."""
        self.port = free_port()
        self._journal = Journal(journals, "receivers")
        self._api_urls = list(api_urls)
        self._receivers = {
            name: Receiver(name, f"127.0.1.{number}", new_secret()) for number, name in enumerate(names, 1)
        }
        self._known: set[str] = set()  # ids of which the api was asked
        self._tasks: set[asyncio.Task[None]] = set()
        self._stop = threading.Event()
        self._askers = ThreadPoolExecutor(ASKERS, thread_name_prefix="asker")
        self._http = httpx.Client(
            timeout=ASK_SECONDS, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self._loop = asyncio.new_event_loop()
        self._servers: list[asyncio.Server] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="receivers", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def __enter__(self) -> "Receivers":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getitem__(self, name: str) -> Receiver:
        return self._receivers[name]

    @property
    def names(self) -> list[str]:
        return list(self._receivers)

    def url(self, name: str) -> str:
        return f"http://{self._receivers[name].address}:{self.port}{HOOK_PATH}"

    def hook(self, name: str, events: Sequence[EventName] = ENDS) -> Hook:
        """What a job says to have its events sent here."""
        receiver = self._receivers[name]
        if receiver.endpoint is not None:
            return Hook(receiver=name, events=receiver.events, document={"endpoint": receiver.endpoint})
        document = {"url": self.url(name), "secret": receiver.secret, "events": list(events)}
        return Hook(receiver=name, events=tuple(events), document=document)

    def make_endpoint(
        self, name: str, redis_url: str, caller: str, events: Sequence[EventName] = EVENTS
    ) -> None:
        """Jobs name it from now on."""
        receiver = self._receivers[name]
        new = NewEndpoint(url=self.url(name), events=tuple(events), secret=receiver.secret)
        with connect(Settings.model_validate({"redis_url": redis_url}), retries=3) as redis:
            receiver.endpoint = RedisWebhooks(redis, Keys()).add(caller, new).id
        receiver.events = new.events

    def turn(self, name: str, mode: Mode) -> None:
        """From the next request on it behaves so."""
        self._receivers[name].mode = mode
        self._journal.write("turned", receiver=name, mode=mode)

    def heal(self) -> None:
        """All are good."""
        for name in self.names:
            self.turn(name, "good")

    def close(self) -> None:
        """Listen no more; whatever hangs is cut."""
        self._stop.set()
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._askers.shutdown(cancel_futures=True)
        self._http.close()

    async def _listen(self) -> None:
        for receiver in self._receivers.values():

            async def serve(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter, receiver: Receiver = receiver
            ) -> None:
                await self._serve(receiver, reader, writer)

            self._servers.append(
                await asyncio.start_server(serve, receiver.address, self.port, limit=MOST_HEAD_BYTES)
            )

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(
        self, receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            mode = receiver.mode
            if mode == "black_hole":
                await asyncio.Event().wait()
            request = await _read(reader)
            self._tell(receiver, request, mode)
            await _ANSWERS[mode](writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # whoever asked is gone, or we are to be
        finally:
            self._tasks.discard(task)
            writer.close()

    def _tell(self, receiver: Receiver, request: _Request, mode: Mode) -> None:
        arrived = time.time()  # of the clock that the server stamps events by
        seen: dict[str, Any] = {"receiver": receiver.name, "mode": mode}
        if request.path != HOOK_PATH:
            self._journal.write("strayed", path=request.path, **seen)  # a redirect was followed
            return
        headers = request.headers
        seen["id"] = headers.get("webhook-id")
        try:
            news = json.loads(request.body)
            data = news["data"]
            seen |= {
                "type": news["type"],
                "sequence": news["sequence"],
                "job": data.get("id"),
                "status": data.get("status"),
                "lag": arrived - datetime.fromisoformat(news["timestamp"]).timestamp(),
            }
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            self._journal.write("unreadable", why=repr(error), body=repr(request.body[:300]), **seen)
            return
        self._journal.write(
            "received",
            attempt=headers.get("genrewiz-attempt"),
            reason=headers.get("genrewiz-retry-reason"),
            digest=hashlib.sha256(request.body).hexdigest()[:16],
            bytes=len(request.body),
            signature=_signature(receiver.secret, request),
            taken=mode in TAKING,
            **seen,
        )
        if self._api_urls and seen["type"] in ENDS and seen["id"] not in self._known:
            self._known.add(seen["id"])
            self._askers.submit(self._ask, seen["id"], seen["job"], time.monotonic())

    def _ask(self, webhook_id: str, job: str, since: float) -> None:
        """What the api says of the job now: whether what we were told of can be read."""
        while not self._stop.is_set() and time.monotonic() < since + ASK_PATIENCE_SECONDS:
            with contextlib.suppress(httpx.HTTPError):
                response = self._http.get(f"{random.choice(self._api_urls)}/jobs/{job}")
                if response.status_code < 500:
                    found = response.json() if response.status_code == 200 else {}
                    status = found.get("status", f"http_{response.status_code}")
                    is_there = status in FINISHED and (status != "succeeded" or bool(found.get("result")))
                    self._journal.write(
                        "asked",
                        id=webhook_id,
                        job=job,
                        status=status,
                        readable=is_there,
                        after=time.monotonic() - since,
                    )
                    return
            self._stop.wait(ASK_AGAIN_SECONDS)


def _signature(secret: str, request: _Request) -> str:
    """ "good", or what is wrong with it."""
    try:
        Webhook(secret).verify(request.body, request.headers)
    except WebhookVerificationError as error:
        return str(error) or "bad"
    return "good"


async def _read(reader: asyncio.StreamReader) -> _Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    start, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return _Request(path=start.split(" ")[1], headers=headers, body=body)


def _answer(head: str) -> Any:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()

    return answer


async def _slow(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(SLOW_SECONDS)
    await _answer("200 OK")(writer)


async def _garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x16\x03\x01 no HTTP \0\xff\r\n" * 20)
    await writer.drain()


async def _endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(PIECE)
        await writer.drain()
        await asyncio.sleep(0.01)


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(DRIP_SECONDS)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
    writer.transport.abort()


_ANSWERS: dict[Mode, Any] = {
    "good": _answer("204 No Content"),
    "slow": _slow,
    "http_500": _answer("500 Internal Server Error"),
    "http_429": _answer(f"429 Too Many Requests\r\nRetry-After: {RETRY_AFTER_SECONDS}"),
    "redirect": _answer("302 Found\r\nLocation: /strayed"),
    "garbage": _garbage,
    "endless": _endless,
    "drip": _drip,
    "close": _close,
    "reset": _reset,
}
