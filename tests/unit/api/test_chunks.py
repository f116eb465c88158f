"""Chunks cut anywhere give the same content; what is none is refused, and so is what is mostly framing."""

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ChunkMissingTerminator
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

from api.chunks import CHUNKS_AT_ONCE, FRAMING_BYTES, Chunks

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def opened(pieces: list[bytes]) -> tuple[Chunks, IterUnreader]:
    unreader = IterUnreader([HEAD, *pieces])
    request = Request(Config(), unreader, ("127.0.0.1", 1))
    return Chunks(request.body.reader, unreader, receive_bytes=65_536), unreader


def read_all(chunks: Chunks, size: int = 65_536) -> bytes:
    return b"".join(iter(lambda: chunks.read(size), b""))


BODY = chunk(b"abc") + b'A ; name="v;"' + b"\r\n0123456789\r\n" + chunk(b"\r\n0\r\n\r\n")
CONTENT = b"abc0123456789\r\n0\r\n\r\n"


@pytest.mark.parametrize("size", [1, 2, 7, 65_536])
@pytest.mark.parametrize("cut", [1, 2, 3, 5, 1_000])
def test_the_content_is_the_same_wherever_the_bytes_are_cut(cut, size):
    wire = BODY + b"0\r\nX-Sum: 1\r\n\r\nGET /next"
    chunks, unreader = opened([wire[at : at + cut] for at in range(0, len(wire), cut)])

    assert read_all(chunks, size) == CONTENT
    assert chunks.is_read
    assert chunks.read(1) == b""
    rest = b"".join(iter(unreader.read, b""))
    assert rest == b"GET /next"


def test_all_tiny_chunks_that_have_come_are_read_at_once_up_to_a_bound():
    chunks, _ = opened([chunk(b"x") * 300, chunk(b"y") * 2 * CHUNKS_AT_ONCE, LAST])

    assert chunks.read(65_536) == b"x" * 300
    assert chunks.read(65_536) == b"y" * CHUNKS_AT_ONCE
    assert chunks.read(65_536) == b"y" * CHUNKS_AT_ONCE
    assert chunks.read(65_536) == b""


def test_a_body_of_more_framing_than_content_is_refused_however_it_is_framed():
    extended = b"1;" + b"e" * 1_000 + b"\r\nx\r\n"
    for tiny in (chunk(b"x"), chunk(b"xxxx"), b"00000000001\r\nx\r\n", extended):
        chunks, _ = opened([tiny * 100] * (FRAMING_BYTES // 50))

        with pytest.raises(ValueError, match="framing"):
            read_all(chunks)


def test_small_chunks_are_taken_where_they_hold_as_much_as_their_framing():
    data = bytes(FRAMING_BYTES * 2)
    chunks, _ = opened([chunk(bytes(8)) * 1_000] * (len(data) // 8_000) + [LAST])

    assert len(read_all(chunks)) == len(data) // 8_000 * 8_000


@pytest.mark.parametrize(
    "wire",
    [
        b"\r\n",
        b"+1\r\nx\r\n",
        b"-1\r\nx\r\n",
        b"0x1\r\nx\r\n",
        b"1_0\r\nx\r\n",
        b" 1\r\nx\r\n",
        b"1 \r\nx\r\n",
        b"1\nx\r\n",
        b"1;=\r\nx\r\n",
        b"1;a\rb\r\nx\r\n",
        b"1;" + b"a" * 9_000 + b"\r\nx\r\n",
        b"1" * 9_000,
        b"1\r\nxx\r\n",
        b"1\r\nx\n0\r\n\r\n",
    ],
)
@pytest.mark.parametrize("cut", [1, 100_000])
def test_what_is_no_chunk_is_refused(wire, cut):
    chunks, _ = opened([wire[at : at + cut] for at in range(0, len(wire), cut)])

    with pytest.raises(ValueError, match=r"chunk|size"):
        read_all(chunks)


def test_a_body_that_breaks_off_is_no_end():
    for wire in (
        b"",
        b"5",
        b"5\r\n",
        b"5\r\nab",
        b"2\r\nab",
        b"2\r\nab\r\n",
        b"2\r\nab\r\n0\r\n",
        b"0\r\nX: y",
    ):
        chunks, _ = opened([wire] if wire else [])

        with pytest.raises((ConnectionError, ChunkMissingTerminator)):
            read_all(chunks)
