"""A TCP proxy that breaks the way between one process and its server, and mends it again.

It understands nothing of what flows. One thread with an event loop of its own a proxy.
"""

import asyncio
import contextlib
import socket
import struct
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

PIECE_BYTES = 2**16
LINGER_NONE = struct.pack("ii", 1, 0)  # close() sends a RST

T = TypeVar("T")


class Proxy:
    """Listens on a port of the loopback interface and passes on to another."""

    def __init__(self, port: int, target_port: int) -> None:
        """It passes everything from the start."""
        self.port = port
        self._target_port = target_port
        self._latency_seconds = 0.0
        self._links: set[asyncio.StreamWriter] = set()
        self._stranded: weakref.WeakSet[asyncio.StreamWriter] = weakref.WeakSet()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{port}", daemon=True)
        self._thread.start()
        self._do(self._listen())
        self._call(self._flows.set)

    def heal(self) -> None:
        """Everything flows again; what a black hole held back arrives late, as after a retransmission."""
        self._latency_seconds = 0.0
        self._do(self._listen())
        self._call(self._flows.set)

    def black_hole(self) -> None:
        """Nothing flows. Connections stay open; new ones are taken and met with silence."""
        self._call(self._flows.clear)

    def strand(self) -> None:
        """The connections of now stay open and fall silent for good, as if a router had forgotten them."""
        self._call(lambda: self._stranded.update(self._links))

    def slow(self, seconds: float) -> None:
        """Whatever is sent arrives so much later, either way."""
        self._latency_seconds = seconds

    def reset(self) -> None:
        """A RST to both ends of every connection; new ones pass."""
        self._call(self._reset_all)

    def refuse(self) -> None:
        """The same, and nobody listens until it is healed."""
        self._do(self._close_door())
        self._call(self._reset_all)

    def close(self) -> None:
        """End all, the thread as well."""
        if not self._thread.is_alive():
            return
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _call(self, call: Callable[[], None]) -> None:
        async def now() -> None:
            call()

        self._do(now())

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(
                self._link, "127.0.0.1", self.port, reuse_address=True, backlog=128
            )

    async def _close_door(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _end(self) -> None:
        await self._close_door()
        self._reset_all()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._links.add(writer)
        far: asyncio.StreamWriter | None = None
        try:
            await self._flows.wait()
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._target_port)
            self._links.add(far)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, far))
                group.create_task(self._pump(far_reader, writer))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            for end in (writer, far):
                if end is not None:
                    self._links.discard(end)
                    _reset(end)
            self._tasks.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(PIECE_BYTES):
            await asyncio.sleep(self._latency_seconds)
            await self._passage(writer)
            writer.write(piece)
            await writer.drain()
        await self._passage(writer)  # that one end has closed is not known beyond a black hole either
        with contextlib.suppress(OSError):
            writer.write_eof()

    async def _passage(self, writer: asyncio.StreamWriter) -> None:
        await self._flows.wait()
        if writer in self._stranded:
            await asyncio.Event().wait()

    def _reset_all(self) -> None:
        for writer in list(self._links):
            _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    end = writer.get_extra_info("socket")
    if end is not None and not writer.transport.is_closing():
        with contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
    writer.transport.abort()
