"""What a server said before it had all of an upload, where a loop has lost it.

Such an answer (too large, no room, no key) comes while the loop writes, and then the server ends the
connection: the loop learns that from a write that fails, closes its socket, and the answer in there is gone.
A second descriptor of the same socket keeps it. (Sockets that block keep it by themselves.)

It changes nothing of the connection, and knows no TLS: there the answer stays lost.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import h11

from genrewiz.client.effects import Answer

RECEIVE_BYTES = 64 * 2**10


class EarlyAnswer:
    """The connection of one upload, once more; whoever makes it closes it."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Hears from httpcore of the connection as it is made; one that was there before stays unknown."""
        if event == "connection.connect_tcp.complete":
            self.close()
            theirs = info["return_value"].get_extra_info("socket")
            self._socket = socket.socket(fileno=os.dup(theirs.fileno()))
        elif event == "connection.start_tls.complete":
            self.close()

    def close(self) -> None:
        """Let go of the connection; nothing happens the second time."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def read(self) -> Answer | None:
        """The whole answer, if it has come and nobody has read it."""
        reader = h11.Connection(h11.CLIENT)
        reader.send(h11.Request(method="POST", target="/", headers=[("Host", "x")]))
        reader.receive_data(self._received())
        head, body = None, b""
        with suppress(h11.RemoteProtocolError):
            while (event := reader.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.Response):
                    head = event
                elif isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.EndOfMessage) and head is not None:
                    headers = {
                        name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers
                    }
                    return Answer(status=head.status_code, headers=headers, body=body)
        return None

    def _received(self) -> bytes:
        pieces = []
        with suppress(OSError):  # nothing more, or reset: what came before that was given
            while self._socket and (piece := self._socket.recv(RECEIVE_BYTES, socket.MSG_DONTWAIT)):
                pieces.append(piece)
        return b"".join(pieces)
