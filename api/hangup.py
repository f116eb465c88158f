"""Tells when a client hangs up while nobody reads from it or writes to it.

It waits on the loop, so that an idle connection costs nothing. It reads no byte.
"""

import socket
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from gevent import get_hub

READ = 1


def on_hang_up(environ: Mapping[str, Any], call: Callable[[], None]) -> Callable[[], None]:
    """Calls once the client of a request has hung up; what this returns ends the waiting.

    Of a client that has sent more already (the next request), nothing is known until that is read.
    """
    connection = environ["gunicorn.socket"]
    watcher = get_hub().loop.io(connection.fileno(), READ)

    def look() -> None:
        watcher.stop()
        try:
            gone = connection._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            watcher.start(look)
            return
        except OSError:
            gone = True
        if gone:
            gevent.spawn(call)  # here is the loop itself, which must not wait for a lock

    def cancel() -> None:
        watcher.stop()
        watcher.close()

    watcher.start(look)
    return cancel
