"""Free TCP ports of the loopback interface. It listens on none.

Below the kernel's range for outgoing connections: none of those can take the port of a server that is not
up yet, or dead for now. Each process begins at a place of its own: a port that was given out may not be in
use yet.
"""

import itertools
import os
import socket
import threading

FIRST, COUNT = 20_000, 12_000
STRIDE = 97  # from where one process begins to where that with the next id does

_lock = threading.Lock()
_numbers = (FIRST + (os.getpid() * STRIDE + step) % COUNT for step in itertools.count())


def free_port() -> int:
    """One that nobody listens on now, and that was not given out here before."""
    with _lock:
        return next(filter(_is_free, _numbers))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
