"""Fetching from servers that are slow, endless, lying or broken."""

import gzip
import hashlib
import io
import socket
import struct
import threading

import pytest

import worker.fetch
from shared.egress import EgressGuard
from shared.errors import FetchFailed, FetchTimeout, StoreUnavailable, UnsupportedFormat
from shared.pinned_http import PinnedHttp
from shared.settings import Settings
from support.waiting import eventually
from support.web import Server, redirecting, response, saying, song
from worker.fetch import Fetcher

HTTP = PinnedHttp()
MAX_BYTES = 2 * 2**20


def make_fetcher(**settings) -> Fetcher:
    limits = {"egress_http": True, "egress_allow": "127.0.0.0/8", "max_upload_bytes": MAX_BYTES}
    made = Settings(**(limits | settings))
    guard = EgressGuard(http=True, allow=made.egress_allow, resolve=lambda *_, **__: ["127.0.0.1"])
    return Fetcher(guard=guard, http=HTTP, settings=made)


def fetch(server: Server, path: str = "/song.wav", **settings):
    return make_fetcher(**settings).fetch(server.url(path), io.BytesIO(), on_step=lambda: None)


def test_a_song_is_fetched_counted_and_hashed():
    audio, file = song(), io.BytesIO()
    with Server(saying(response(audio))) as server:
        fetched = make_fetcher().fetch(server.url("/a.wav?sig=1#part"), file, on_step=lambda: None)

    assert file.tell() == 0
    assert file.read() == audio
    assert fetched.bytes == len(audio)
    assert fetched.sha256 == hashlib.sha256(audio).hexdigest()
    assert server.heads[0].startswith("GET /a.wav?sig=1 HTTP/1.1\r\n")
    assert "accept-encoding: identity" in server.heads[0].lower()


def chunked(body: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    pieces = [body[start : start + 10_000] for start in range(0, len(body), 10_000)]
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces) + end


@pytest.mark.parametrize(
    "answer",
    [
        chunked(song()),
        b"HTTP/1.0 200 OK\r\n\r\n" + song(),
        b"HTTP/1.1 100 Continue\r\n\r\n" + response(song()),
        response(song(), "200 OK", "Content-Type: text/html"),
        response(song(), "200 OK", "Content-Encoding: identity"),
    ],
    ids=["chunked", "until it closes", "after a 100", "with a wrong type", "identity"],
)
def test_a_song_is_fetched_however_it_is_framed(answer: bytes):
    with Server(saying(answer)) as server:
        assert fetch(server).bytes == len(song())


def test_what_follows_the_length_that_was_announced_is_not_read():
    with Server(saying(response(song(), length=1_000))) as server:
        assert fetch(server).bytes == 1_000


@pytest.mark.parametrize(
    "answer",
    [
        response(song(), length=len(song()) + 1_000),
        chunked(song(), end=b""),
        chunked(song(), end=b"zz\r\n"),
        chunked(song())[:5_000],
        response(song())[:20],
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        response(b""),
    ],
    ids=[
        "length too long", "chunks without an end", "chunk that is none", "cut off in a chunk",
        "cut off in the header", "nothing", "another protocol", "no status", "many headers", "long header",
        "empty",
    ],
)  # fmt: skip
def test_a_server_that_breaks_off_or_speaks_no_http_is_a_failed_fetch(answer: bytes):
    with Server(saying(answer)) as server, pytest.raises(FetchFailed):
        fetch(server)


def test_a_connection_that_is_reset_is_a_failed_fetch():
    def reset(connection: socket.socket, _: str) -> None:
        connection.sendall(response(song())[:10_000])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with Server(reset) as server, pytest.raises(FetchFailed) as caught:
        fetch(server)

    assert caught.value.retryable


def test_a_server_that_is_not_there_is_a_failed_fetch():
    with Server(saying(b"")) as server:
        gone = server.url()

    with pytest.raises(FetchFailed, match="reached"):
        make_fetcher().fetch(gone, io.BytesIO(), on_step=lambda: None)


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        ("201 Created", False),
        ("204 No Content", False),
        ("206 Partial", False),
        ("304 Not Modified", False),
        ("401 Who", False),
        ("403 No", False),
        ("404 Not Found", False),
        ("408 Slow", True),
        ("410 Gone", False),
        ("425 Early", True),
        ("429 Too Many", True),
        ("500 Oh", True),
        ("503 Away", True),
    ],
)
def test_a_refusal_says_its_status_and_whether_another_try_may_help(status: str, retryable: bool):
    with Server(saying(response(song(), status))) as server, pytest.raises(FetchFailed) as caught:
        fetch(server)

    assert status[:3] in caught.value.detail
    assert caught.value.retryable is retryable


def test_redirects_are_followed_three_times_relative_ones_too():
    ways = {"/a": "b?x=1", "/b?x=1": "/c", "/c": "//name.example:PORT/song.wav"}

    def lead(connection: socket.socket, head: str) -> None:
        path = head.split()[1]
        if path in ways:
            location = ways[path].replace("PORT", str(server.port))
            connection.sendall(response(b"", "302 Found", f"Location: {location}"))
        else:
            connection.sendall(response(song()))

    with Server(lead) as server:
        fetched = fetch(server, "/a")

    assert fetched.bytes == len(song())
    assert [head.split()[1] for head in server.heads] == ["/a", "/b?x=1", "/c", "/song.wav"]
    assert f"Host: name.example:{server.port}\r\n" in server.heads[3]
    assert "referer" not in "".join(server.heads).lower()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Again", "308 Gone"])
def test_a_loop_of_redirects_ends(status: str):
    with Server(redirecting("/song.wav", status)) as server, pytest.raises(FetchFailed, match="3 times"):
        fetch(server)

    assert len(server.heads) == 4


def test_a_redirect_to_nowhere_is_a_failed_fetch():
    with Server(saying(response(b"", "302 Found"))) as server, pytest.raises(FetchFailed, match="nowhere"):
        fetch(server)


@pytest.mark.parametrize("length", ["3000000", "9" * 5_000])
def test_a_file_that_is_announced_too_large_is_refused_before_it_is_read(length: str):
    def announce(connection: socket.socket, _: str) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode())
        server.wait(60)  # whoever reads on waits as long

    with Server(announce) as server, pytest.raises(FetchFailed, match="larger") as caught:
        fetch(server)

    assert not caught.value.retryable


def endless(connection: socket.socket, head: bytes) -> None:
    connection.sendall(head + song()[:100])
    while True:
        connection.sendall(bytes(65_536))


def test_a_body_that_never_ends_is_refused_at_the_limit():
    file = io.BytesIO()
    with (
        Server(lambda connection, _: endless(connection, b"HTTP/1.1 200 OK\r\n\r\n")) as server,
        pytest.raises(FetchFailed, match="larger") as caught,
    ):
        make_fetcher().fetch(server.url(), file, on_step=lambda: None)

    assert not caught.value.retryable
    assert len(file.getvalue()) <= MAX_BYTES


def dripping(head: bytes, drop: bytes) -> Server:
    """A server that sends a byte or two again and again, for as long as the test runs."""

    def drip(connection: socket.socket, _: str) -> None:
        connection.sendall(head)
        while not server.wait(0.02):
            connection.sendall(drop)

    server = Server(drip)
    return server


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 100 Continue\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + song()[:100], b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nR\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x"),
        (b"", b""),
    ],
    ids=["header", "headers", "continue", "body", "chunks", "chunk extension", "nothing"],
)
def test_a_server_that_drips_is_cut_off_at_the_limit_of_time(head: bytes, drop: bytes):
    with dripping(head, drop) as server, pytest.raises(FetchTimeout):
        fetch(server, fetch_seconds=0.4)


def test_a_redirect_does_not_begin_the_time_anew():
    def slow_redirect(connection: socket.socket, _: str) -> None:
        server.wait(0.3)
        connection.sendall(response(b"", "302 Found", "Location: /song.wav"))

    with Server(slow_redirect) as server, pytest.raises(FetchTimeout):
        fetch(server, fetch_seconds=0.5)

    assert len(server.heads) == 2


def test_a_name_that_takes_long_to_resolve_counts_as_time():
    def slow(host: str, port: int, *, seconds: float) -> list[str]:
        threading.Event().wait(seconds)
        return ["127.0.0.1"]

    settings = Settings(egress_http=True, egress_allow="127.0.0.0/8", fetch_seconds=0.2)
    guard = EgressGuard(http=True, allow=settings.egress_allow, resolve=slow)

    with Server(saying(response(song()))) as server, pytest.raises(FetchTimeout):
        Fetcher(guard=guard, http=HTTP, settings=settings).fetch(
            f"http://name.example:{server.port}/", io.BytesIO(), on_step=lambda: None
        )

    assert server.accepted == 0


def test_a_body_below_the_least_rate_is_cut_off_long_before_the_limit_of_time(monkeypatch):
    monkeypatch.setattr(worker.fetch, "RATE_SECONDS", 0.2)

    with (
        dripping(b"HTTP/1.1 200 OK\r\n\r\n" + song()[:100], b"x" * 10) as server,
        pytest.raises(FetchTimeout, match="bytes a second"),
    ):
        fetch(server, fetch_seconds=100)


def test_a_body_above_the_least_rate_is_read_to_its_end(monkeypatch):
    monkeypatch.setattr(worker.fetch, "RATE_SECONDS", 0.01)

    def steady(connection: socket.socket, _: str) -> None:
        connection.sendall(response(song())[:2_000])
        rest = response(song())[2_000:]
        for start in range(0, len(rest), 20_000):
            server.wait(0.005)
            connection.sendall(rest[start : start + 20_000])

    with Server(steady) as server:
        assert fetch(server, fetch_min_bytes_per_second=1_000).bytes == len(song())


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip"])
def test_a_compressed_answer_is_refused_and_never_unpacked(encoding: str):
    bomb = gzip.compress(bytes(50 * 2**20))
    with (
        Server(saying(response(bomb, "200 OK", f"Content-Encoding: {encoding}"))) as server,
        pytest.raises(FetchFailed, match="compresses") as caught,
    ):
        fetch(server)

    assert not caught.value.retryable


def test_a_bomb_without_a_header_is_just_no_audio():
    with (
        Server(saying(response(gzip.compress(bytes(2**20))))) as server,
        pytest.raises(UnsupportedFormat, match="first bytes"),
    ):
        fetch(server)


PLAYLISTS = {
    "m3u": (b"#EXTM3U\n#EXTINF:1,a\nhttp://x.example/a.mp3\n", "text/plain"),
    "m3u with a byte order mark": (b"\xef\xbb\xbf#EXTM3U\n", "text/plain"),
    "m3u of URLs": (b"http://x.example/a.mp3\nhttp://x.example/b.mp3\n", "text/plain"),
    "m3u of names": (b"a.mp3\nb.mp3\n", "audio/x-mpegurl; charset=utf-8"),
    "m3u8": (b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n", "application/vnd.apple.mpegurl"),
    "m3u behind comments": (b"\n\n# a comment\nsong.mp3\n" + b"x.mp3\n" * 20, "text/plain"),
    "m3u in UTF-16": ("#EXTM3U\nhttp://x.example/\n".encode("utf-16") * 5, "text/plain"),
    "pls behind a comment": (b"; comment\n\n[playlist]\nFile1=http://x.example/\n", "text/plain"),
    "pls": (b"[playlist]\nNumberOfEntries=1\nFile1=http://x.example/\n", "audio/x-scpls"),
    "asx": (b'<ASX version="3.0"><entry><ref href="http://x/"/></entry></ASX>', "video/x-ms-asf"),
    "xspf": (b'<?xml version="1.0" encoding="UTF-8"?>\n<playlist version="1">', "text/xml"),
    "ffconcat": (b"ffconcat version 1.0\nfile /etc/passwd\n", "audio/mpeg"),
}


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_is_refused_for_what_it_is(kind: str):
    body, media_type = PLAYLISTS[kind]
    with (
        Server(saying(response(body, "200 OK", f"Content-Type: {media_type}"))) as server,
        pytest.raises(UnsupportedFormat, match="playlist"),
    ):
        fetch(server)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.0 200 OK\r\nicy-name: Radio\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nicy-br: 128\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nIcy-MetaInt: 16000\r\n\r\n",
        b"ICY 200 OK\r\nicy-name: Radio\r\n\r\n",
    ],
)
def test_a_live_stream_is_refused_for_what_it_is(head: bytes):
    with (
        Server(lambda connection, _: endless(connection, head)) as server,
        pytest.raises(UnsupportedFormat, match="live stream"),
    ):
        fetch(server)


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><title>x", b"\n <html><body>", b"<!-- a -->\n<html>"])
def test_a_web_page_is_refused_for_what_it_is(page: bytes):
    with (
        Server(saying(response(page * 10, "200 OK", "Content-Type: audio/mpeg"))) as server,
        pytest.raises(UnsupportedFormat, match="web page"),
    ):
        fetch(server)


def test_what_is_no_audio_is_refused_before_the_rest_is_read():
    with (
        Server(lambda connection, _: endless(connection, b"HTTP/1.1 200 OK\r\n\r\nnothing " * 20)) as server,
        pytest.raises(UnsupportedFormat),
    ):
        fetch(server, max_upload_bytes=2**32)


def test_what_a_step_raises_ends_the_fetch_and_its_connection():
    class LeaseGone(Exception):
        pass

    steps, ended = [], threading.Event()

    def step() -> None:
        steps.append(1)
        if len(steps) > 2:
            raise LeaseGone

    def stream(connection: socket.socket, _: str) -> None:
        try:
            endless(connection, b"HTTP/1.1 200 OK\r\n\r\n")
        except OSError:
            ended.set()

    with Server(stream) as server:
        with pytest.raises(LeaseGone):
            make_fetcher(max_upload_bytes=2**32).fetch(server.url(), io.BytesIO(), on_step=step)

        eventually(ended.is_set)


def test_a_store_that_is_full_is_no_fault_of_the_song():
    class Full(io.BytesIO):
        def write(self, data) -> int:
            raise OSError(28, "No space left on device")

    with Server(saying(response(song()))) as server, pytest.raises(StoreUnavailable):
        make_fetcher().fetch(server.url(), Full(), on_step=lambda: None)


def test_no_thread_and_no_socket_is_left_of_a_fetch():
    before = threading.active_count()

    with Server(saying(response(song()))) as server:
        for _ in range(5):
            fetch(server)

    eventually(lambda: threading.active_count() <= before)


def test_proxies_of_the_environment_are_ignored(monkeypatch):
    with Server(saying(response(b"", "502 Proxy"))) as proxy, Server(saying(response(song()))) as server:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url("/"))
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)

        assert fetch(server).bytes == len(song())

    assert proxy.accepted == 0
