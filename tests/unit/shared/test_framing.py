"""Servers that send framing without end: the reader gives up long before its limit of time."""

import ipaddress

import pytest

import shared.framing
from shared.deadline import Deadline
from shared.egress import Target
from shared.errors import FetchFailed, FetchTimeout
from shared.framing import FRAMING_BYTES, BadAnswer
from shared.pinned_http import PinnedHttp, Proxy
from shared.urls import parse_url
from support.web import Server, saying

HTTP = PinnedHttp()
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n"
HEADERS = b"".join(b"X%d: y\r\n" % number for number in range(90))
MUSIC = b"la" * 1_000
ENOUGH_SECONDS = 8
"""So long that whoever reads on comes to another end."""


def endless(head: bytes, more: bytes) -> Server:
    """A server that begins its answer so and goes on as fast as it can."""

    def answer(connection, _) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(more * (1 + 100_000 // len(more)))

    return Server(answer)


def dripping(head: bytes, drop: bytes) -> Server:
    """The same, slowly."""

    def answer(connection, _) -> None:
        connection.sendall(head)
        while not server.wait(0.02):
            connection.sendall(drop)

    server = Server(answer)
    return server


def body(server: Server, http: PinnedHttp = HTTP, *, scheme: str = "http") -> bytes:
    url = parse_url(f"{scheme}://name.example:{server.port}/")
    asked = Target(url=url, addresses=(ipaddress.ip_address("127.0.0.1"),))
    content = b""
    with Deadline(ENOUGH_SECONDS) as deadline, http.ask(asked, deadline) as answer:
        while data := answer.read(65_536):
            content += data
    return content


def in_chunks(size: int, count: int) -> bytes:
    return f"{size:x}\r\n{'x' * size}\r\n".encode() * count


@pytest.mark.parametrize(
    ("head", "more"),
    [
        (CHUNKED, in_chunks(1, 1)),
        (CHUNKED, in_chunks(20, 1)),
        (CHUNKED, b"1;" + b"x" * 60_000 + b"\r\na\r\n"),
        (CHUNKED, b"00000000000000000000000000000001\r\na\r\n"),
        (CHUNKED + in_chunks(10, 2), b"1;" + b"x" * 50 + b"\r\na\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 60_000 + b"\r\n"),
        (CONTINUE, b"X: " + b"y" * 60_000 + b"\r\n"),
    ],
    ids=["tiny chunks", "small chunks", "long extensions", "long sizes", "extensions", "header", "interim"],
)
def test_framing_without_end_is_refused_for_good(head: bytes, more: bytes):
    with endless(head, more) as server, pytest.raises(FetchFailed, match="more framing") as caught:
        body(server)

    assert not caught.value.retryable


@pytest.mark.parametrize("headers", [b"", HEADERS], ids=["bare", "with headers"])
def test_interim_answers_without_end_are_refused_for_good(headers: bytes):
    with (
        endless(b"", CONTINUE + headers + b"\r\n") as server,
        pytest.raises(FetchFailed, match="does not come to its answer") as caught,
    ):
        body(server)

    assert not caught.value.retryable


def test_an_answer_may_come_after_two_interim_ones():
    answer = (CONTINUE + b"\r\n") * 2 + b"HTTP/1.1 200 OK\r\n\r\n" + MUSIC

    with Server(saying(answer)) as server:
        assert body(server) == MUSIC


@pytest.mark.parametrize("status", [b"102 Processing", b"103 Early Hints"])
def test_every_kind_of_interim_answer_is_passed_over(status: bytes):
    interim = b"HTTP/1.1 " + status + b"\r\nLink: </a.css>; rel=preload\r\n\r\n"
    answer = interim + CONTINUE + b"\r\n" + b"HTTP/1.1 201 Created\r\nX-It: is\r\n\r\n" + MUSIC

    with Server(saying(answer)) as server:
        url = parse_url(f"http://name.example:{server.port}/")
        asked = Target(url=url, addresses=(ipaddress.ip_address("127.0.0.1"),))
        with Deadline(ENOUGH_SECONDS) as deadline, HTTP.ask(asked, deadline) as got:
            assert (got.status, got.headers["x-it"], got.headers.get("Link")) == (201, "is", None)
            assert got.read(2 * len(MUSIC)) == MUSIC


def test_interim_answers_of_the_later_kinds_without_end_are_refused_too():
    with (
        endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n") as server,
        pytest.raises(BadAnswer, match="does not come to its answer"),
    ):
        body(server)


@pytest.mark.parametrize("kind", [endless, dripping])
def test_what_follows_the_last_chunk_is_not_waited_for(kind):
    with kind(CHUNKED + b"7d0\r\n" + MUSIC + b"\r\n0\r\n", b"X: y\r\n") as server:
        assert body(server) == MUSIC


def test_chunks_of_a_hundred_bytes_are_read_however_many_they_are():
    count = 2 * FRAMING_BYTES // 6

    with Server(saying(CHUNKED + in_chunks(100, count) + b"0\r\n\r\n")) as server:
        assert len(body(server)) == 100 * count


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nX:", b"y"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (CONTINUE, b"X: y\r\n"),
        (CHUNKED + in_chunks(100, 1), b"0"),
        (CHUNKED + in_chunks(100, 1) + b"1;", b"x"),
    ],
    ids=["header", "headers", "interim", "size of a chunk", "extension"],
)
def test_framing_that_drips_is_cut_off_long_before_the_limit_of_time(monkeypatch, head: bytes, drop: bytes):
    monkeypatch.setattr(shared.framing, "PATIENCE_SECONDS", 0.2)

    with dripping(head, drop) as server, pytest.raises(FetchTimeout, match="get on"):
        body(server)


def test_a_proxy_that_drips_its_header_is_cut_off_too(monkeypatch):
    monkeypatch.setattr(shared.framing, "PATIENCE_SECONDS", 0.2)

    with dripping(b"HTTP/1.1 200 Connected\r\n", b"X: y\r\n") as server:
        http = PinnedHttp(proxy=Proxy(host="127.0.0.1", port=server.port, headers={}))
        with pytest.raises(FetchTimeout, match="get on"):
            body(server, http, scheme="https")


def test_a_body_may_take_longer_than_the_patience_as_long_as_it_gets_on(monkeypatch):
    monkeypatch.setattr(shared.framing, "PATIENCE_SECONDS", 0.4)

    def steady(connection, _) -> None:
        connection.sendall(CHUNKED)
        for _ in range(15):
            server.wait(0.05)
            connection.sendall(in_chunks(100, 1))
        connection.sendall(b"0\r\n\r\n")

    with Server(steady) as server:
        assert len(body(server)) == 1_500


def test_the_wait_for_the_header_is_not_counted_to_that_for_the_content(monkeypatch):
    monkeypatch.setattr(shared.framing, "PATIENCE_SECONDS", 0.6)

    def slow(connection, _) -> None:
        server.wait(0.4)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        server.wait(0.4)
        connection.sendall(MUSIC)

    with Server(slow) as server:
        assert body(server) == MUSIC
