"""Who watches which job: one subscription to Redis for all watchers of this process.

It reads no event and knows no request. A watcher is only woken, and then looks for itself: what is lost on
the way to him (Redis restarts, a connection breaks) is found at his next look.
"""

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeVar

import structlog

from shared.errors import GenreWizError, StoreUnavailable, TooManyWatchers
from shared.job import JobId

WOKEN_AT_ONCE = 16
"""Of many watchers of one job: all at once they would keep every other request waiting."""
TURN_SECONDS = 1e-6
"""To sleep for nothing would not let gevent's loop look at its sockets."""
RETRY_SECONDS = 0.5
"""From a connection that has broken to the next one."""
ROOM_SECONDS = 5
"""After so long one who was refused may find room: most jobs that are watched end within it."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Channel(Protocol):
    """A connection that hears of jobs."""

    def connect(self) -> None:
        """Anew; StoreUnavailable."""
        ...

    def subscribe(self, job_ids: Sequence[JobId]) -> None:
        """Hear of these, too; StoreUnavailable. When it holds, their ids are heard with no kind."""
        ...

    def unsubscribe(self, job_id: JobId) -> None:
        """Hear of this one no more; StoreUnavailable."""
        ...

    def hear(self) -> tuple[JobId, str] | None:
        """The next job of which there is something to read, and of which kind; StoreUnavailable."""
        ...


class Ring:
    """One call to all watchers of a job; what they look for at one place is looked for once.

    A ring is made before anybody looks because of it: what is found holds all that it tells of.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[Hashable, Any] = {}

    def shared(self, place: Hashable, look: Callable[[], T]) -> T:
        """What the first who comes finds there; the others wait for him, and get his error, too."""
        with self._lock:
            if place not in self._found:
                try:
                    self._found[place] = look()
                except GenreWizError as error:
                    self._found[place] = error
            found: T | GenreWizError = self._found[place]
        if isinstance(found, GenreWizError):
            raise type(found)(found.detail)
        return found


class Watch:
    """One watcher of one job."""

    def __init__(self, kinds: frozenset[str] | None) -> None:
        self._kinds = kinds
        self._woken = threading.Event()
        self._ring: Ring | None = None
        self.is_over = False
        """Nobody is there any more to look for: the client has hung up, or the process stops."""

    def wait(self, seconds: float) -> bool:
        """Whether there may be something new; False where the time has passed without."""
        woken = self._woken.wait(seconds)
        self._woken.clear()
        return woken

    def wake(self, kind: str = "", ring: Ring | None = None) -> None:
        """There is something new, of a kind; what has none concerns every watcher."""
        if not kind or self._kinds is None or kind in self._kinds:
            self._ring = ring
            self._woken.set()

    def take_ring(self) -> Ring | None:
        """The last ring that has woken him; None where he looks for himself alone."""
        ring, self._ring = self._ring, None
        return ring

    def end(self) -> None:
        """Wake the watcher for good. Safe in a signal's handler."""
        self.is_over = True
        self._woken.set()


class Hub:
    """All watchers of this process."""

    def __init__(
        self,
        channel: Channel,
        on_change: Callable[[int], None] = lambda _: None,
        *,
        most: int | None = None,
    ) -> None:
        """on_change hears how many more or fewer watchers there are. most: at once; None is no limit."""
        self._channel = channel
        self._on_change = on_change
        self._most = most
        self._count = 0
        self._watches: dict[JobId, set[Watch]] = {}
        self._lock = threading.Lock()
        self._is_up = False
        self._is_over = False
        self._thread: threading.Thread | None = None

    def stop(self) -> None:
        """End every watch, also those that are yet to come. Safe in a signal's handler."""
        self._is_over = True
        for watches in list(self._watches.values()):
            for watch in list(watches):
                watch.end()

    @contextmanager
    def watching(self, job_id: JobId, kinds: Iterable[str] | None = None) -> Iterator[Watch]:
        """A watch for as long as the block runs."""
        watch = self.watch(job_id, kinds)
        try:
            yield watch
        finally:
            self.forget(job_id, watch)

    def watch(self, job_id: JobId, kinds: Iterable[str] | None = None) -> Watch:
        """From now on the watcher is woken; the caller looks once more, and forgets it at the end.

        TooManyWatchers where there are as many as may be.
        """
        watch = Watch(None if kinds is None else frozenset(kinds))
        with self._lock:
            if self._most is not None and self._count >= self._most:
                raise TooManyWatchers(
                    "As many streams and waiting requests are open here as may be.",
                    retry_after_seconds=ROOM_SECONDS,
                )
            self._count += 1
            watches = self._watches.setdefault(job_id, set())
            watches.add(watch)
            self._on_change(1)
            if len(watches) == 1 and self._is_up:
                self._say(lambda: self._channel.subscribe([job_id]))
            elif len(watches) > 1:
                watch.wake()  # the subscription stands, or its beginning wakes all
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="watch-hub", daemon=True)
                self._thread.start()
        if self._is_over:
            watch.end()
        return watch

    def forget(self, job_id: JobId, watch: Watch) -> None:
        """Nobody watches here any more; nothing happens the second time."""
        with self._lock:
            watches = self._watches.get(job_id, set())
            if watch not in watches:
                return
            watches.discard(watch)
            self._count -= 1
            self._on_change(-1)
            if not watches:
                del self._watches[job_id]
                if self._is_up:
                    self._say(lambda: self._channel.unsubscribe(job_id))

    def _say(self, call: Callable[[], Any]) -> None:
        with suppress(StoreUnavailable):  # the loop meets the same, connects anew and subscribes to all
            call()

    def _loop(self) -> None:
        while not self._is_over:
            try:
                self._channel.connect()
                with self._lock:
                    self._is_up = True
                    if self._watches:
                        self._channel.subscribe(list(self._watches))
                while True:
                    if heard := self._channel.hear():
                        self._wake(*heard)
            except StoreUnavailable as error:
                log.warning("events cannot be heard of", error=error.detail)
            except Exception:
                # Without it nobody is woken: the loop outlives what one connection meets.
                log.exception("hub failed")
            with self._lock:
                self._is_up = False
            threading.Event().wait(RETRY_SECONDS)

    def _wake(self, job_id: JobId, kind: str) -> None:
        with self._lock:
            watches = list(self._watches.get(job_id, ()))
        ring = Ring() if len(watches) > 1 else None
        for number, watch in enumerate(watches, start=1):
            watch.wake(kind, ring)
            if number % WOKEN_AT_ONCE == 0:
                time.sleep(TURN_SECONDS)
