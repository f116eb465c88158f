"""The same work on many things, in some threads at once.

It holds a few things for each thread, and waits for none when whoever reads has had enough.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from queue import SimpleQueue
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")

AHEAD: Final = 2
"""Things for each thread that may be worked on before their results are read."""


def in_threads(work: Callable[[T], R], things: Sequence[T], *, threads: int) -> Iterator[R]:
    """What the work gives for each thing, as it comes; the first exception is raised here."""
    source, turn = iter(things), threading.Lock()
    results: SimpleQueue[Future[R] | None] = SimpleQueue()
    room = threading.Semaphore(AHEAD * threads)
    enough = threading.Event()

    def run() -> None:
        while room.acquire() and not enough.is_set():
            with turn:
                taken = list(islice(source, 1))
            if not taken:
                break
            results.put(_done(work, *taken))
        results.put(None)

    for _ in range(threads):
        # Nobody waits for a daemon: an interrupted command ends at once.
        threading.Thread(target=run, daemon=True).start()
    running = threads
    try:
        while running:
            done = results.get()
            if done is None:
                running -= 1
            else:
                room.release()
                yield done.result()
    finally:
        enough.set()
        room.release(threads)


def _done(work: Callable[[T], R], thing: T) -> "Future[R]":
    done: Future[R] = Future()
    try:
        done.set_result(work(thing))
    except BaseException as error:  # noqa: BLE001  it is raised where somebody can do something about it
        done.set_exception(error)
    return done
