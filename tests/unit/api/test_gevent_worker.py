"""gunicorn's worker, where no request has come yet."""

import signal
import threading
from types import SimpleNamespace

import gevent

from api.gevent_worker import Worker
from support.waiting import eventually


def worker() -> Worker:
    """One that gunicorn has made, and whose application it has not loaded yet."""
    made = Worker.__new__(Worker)
    made.alive = True
    return made


def test_a_process_that_is_stopped_before_it_has_started_stops_without_a_word():
    starting = worker()

    starting.handle_exit(signal.SIGTERM, None)

    assert starting.alive is False


def test_a_process_that_is_stopped_lets_its_watchers_go_first():
    running, let_go = worker(), threading.Event()
    running.wsgi = SimpleNamespace(stop_watching=let_go.set)

    running.handle_exit(signal.SIGTERM, None)

    eventually(lambda: gevent.sleep(0) or let_go.is_set())
    assert running.alive is False
