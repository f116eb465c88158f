"""What a server said before a loop hung up."""

import socket
from types import SimpleNamespace

import anyio
import pytest

from genrewiz.client.early_answer import EarlyAnswer
from support.web import response


@pytest.fixture
def ends():
    ours, server = socket.socketpair()
    server.settimeout(10)
    with ours, server:
        yield ours, server


def heard(early: EarlyAnswer, name: str, ours: socket.socket) -> None:
    stream = SimpleNamespace(get_extra_info=lambda _: ours)
    anyio.run(early.trace, name, {"return_value": stream})


def test_an_answer_outlives_the_socket_that_it_came_on(ends):
    ours, server = ends
    early = EarlyAnswer()
    heard(early, "connection.connect_tcp.complete", ours)

    server.sendall(response(b'{"code": "queue_full"}', "503 Service Unavailable", "Retry-After: 7"))
    ours.close()
    server.close()

    answer = early.read()
    assert (answer.status, answer.headers["retry-after"], answer.body) == (
        503,
        "7",
        b'{"code": "queue_full"}',
    )
    assert early.read() is None
    early.close()
    early.close()


@pytest.mark.parametrize(
    "came",
    [
        b"",
        b"HTTP/1.1 503 Ser",
        b"HTTP/1.1 503 x\r\nContent-Length: 9\r\n\r\nhalf",
        b"\x16\x03\x03 no HTTP\r\n\r\n",
    ],
)
def test_what_is_no_whole_answer_is_none(ends, came):
    ours, server = ends
    early = EarlyAnswer()
    heard(early, "connection.connect_tcp.complete", ours)
    server.sendall(came)

    assert early.read() is None
    early.close()


def test_of_a_connection_that_is_not_known_or_hidden_nothing_is_read(ends):
    ours, server = ends
    server.sendall(response())
    early = EarlyAnswer()
    heard(early, "http11.send_request_headers.complete", ours)
    assert early.read() is None
    heard(early, "connection.connect_tcp.complete", ours)
    heard(early, "connection.start_tls.complete", ours)

    assert early.read() is None


def test_a_connection_that_was_let_go_is_closed(ends):
    ours, server = ends
    early = EarlyAnswer()
    heard(early, "connection.connect_tcp.complete", ours)
    ours.close()

    early.close()

    assert server.recv(1) == b""
