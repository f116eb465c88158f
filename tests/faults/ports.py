"""Ports for servers that are killed and come back to the same one.

Below the kernel's range for outgoing connections: none of those can take the port of a server that is dead
for now.
"""

import random
import socket

FIRST, LAST = 20_000, 32_000


def free_port() -> int:
    """One that nobody listens on now."""
    while True:
        port = random.randint(FIRST, LAST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
