"""One HTTP exchange with a checked target: names, certificates, addresses, proxies."""

import base64
import ipaddress
import selectors
import socket
import ssl
import threading
from contextlib import suppress

import pytest

import shared.framing
import shared.pinned_http
from shared.deadline import Deadline
from shared.egress import EgressGuard, Target
from shared.errors import FetchFailed, FetchTimeout, SetupError
from shared.framing import BadAnswer
from shared.pinned_http import PinnedHttp, Proxy, Request, make_http
from shared.settings import Settings
from shared.urls import parse_url
from support.certificates import Authority
from support.web import Server, response, saying


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    return Authority.made_in(tmp_path_factory.mktemp("authority"))


def target(url: str, *addresses: str) -> Target:
    return Target(url=parse_url(url), addresses=tuple(map(ipaddress.ip_address, addresses)))


def body_of(http: PinnedHttp, asked: Target, seconds: float = 60) -> bytes:
    with Deadline(seconds) as deadline, http.ask(asked, deadline) as answer:
        return answer.read(1_000)


def test_name_certificate_and_host_are_the_urls_while_the_connection_goes_to_the_pinned_address(authority):
    tls, names = authority.server("cdn.example"), []
    tls.sni_callback = lambda _socket, name, _context: names.append(name)
    with Server(saying(response(b"la la")), tls=tls) as server:
        asked = target(f"https://cdn.example:{server.port}/a?b", "127.0.0.1")

        assert body_of(PinnedHttp(authorities=authority.certificate), asked) == b"la la"

    assert names == ["cdn.example"]
    assert f"Host: cdn.example:{server.port}\r\n" in server.heads[0]
    assert server.heads[0].startswith("GET /a?b HTTP/1.1\r\n")


@pytest.mark.parametrize("name", ["other.example", "127.0.0.1"])
def test_a_certificate_of_another_name_is_a_failed_fetch(authority, name):
    with Server(saying(response(b"la la")), tls=authority.server(name)) as server:
        asked = target(f"https://cdn.example:{server.port}/", "127.0.0.1")

        with pytest.raises(FetchFailed, match="prove its name"):
            body_of(PinnedHttp(authorities=authority.certificate), asked)

    assert server.heads == []


def test_a_certificate_of_an_authority_that_nobody_trusts_is_a_failed_fetch(authority):
    with Server(saying(response(b"la la")), tls=authority.server("cdn.example")) as server:
        asked = target(f"https://cdn.example:{server.port}/", "127.0.0.1")

        with pytest.raises(FetchFailed, match="prove its name"):
            body_of(PinnedHttp(), asked)

    assert server.heads == []


def test_one_refused_certificate_changes_nothing_for_the_next(authority):
    http = PinnedHttp(authorities=authority.certificate)
    for name, served in (("cdn.example", "cdn.example"), ("cdn.example", "other.example")) * 2:
        with Server(saying(response(b"la la")), tls=authority.server(served)) as server:
            asked = target(f"https://{name}:{server.port}/", "127.0.0.1")
            if name == served:
                assert body_of(http, asked) == b"la la"
            else:
                with pytest.raises(FetchFailed):
                    body_of(http, asked)


@pytest.mark.parametrize("drop", [b"", b"\x16"], ids=["silent", "dripped"])
def test_a_handshake_that_never_ends_is_cut_off_at_the_limit_of_time(drop):
    over = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with suppress(OSError), connection:
            connection.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KiB begins
            while not over.wait(0.02):
                connection.sendall(drop)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        asked = target(f"https://cdn.example:{listener.getsockname()[1]}/", "127.0.0.1")
        with pytest.raises(FetchTimeout):
            body_of(PinnedHttp(), asked, seconds=0.3)
    over.set()


def test_a_connection_with_tls_is_shut_down_at_the_limit_of_time_though_nothing_comes_over_it(authority):
    shut_down = threading.Event()

    def silent(connection: socket.socket, _: str) -> None:
        connection.settimeout(5)
        with suppress(TimeoutError):
            if not connection.recv(1):  # before it ends by itself, which is after this time
                shut_down.set()
        connection.sendall(response(b"la la"))

    with Server(silent, tls=authority.server("cdn.example")) as server:
        asked = target(f"https://cdn.example:{server.port}/", "127.0.0.1")
        with pytest.raises(FetchTimeout):
            body_of(PinnedHttp(authorities=authority.certificate), asked, seconds=0.5)

        assert shut_down.wait(2)


def test_addresses_are_tried_in_their_order_until_one_answers():
    with Server(saying(response(b"la la")), host="127.0.0.3") as server:
        asked = target(f"http://cdn.example:{server.port}/", "127.0.0.2", "127.0.0.3", "127.0.0.4")

        assert body_of(PinnedHttp(), asked) == b"la la"


def test_an_address_that_refuses_leaves_an_error_that_names_none_of_them():
    with Server(saying(b"")) as server:
        asked = target(f"http://cdn.example:{server.port}/secret", "127.0.0.2", "127.0.0.3")

    with pytest.raises(FetchFailed) as caught:
        body_of(PinnedHttp(), asked)

    assert "127" not in caught.value.detail
    assert "cdn" not in caught.value.detail
    assert caught.value.__cause__ is None


def proxy_to(server: Server | None) -> Server:
    """A proxy that answers itself, or lets a CONNECT through to a server."""

    def answer(connection: socket.socket, head: str) -> None:
        if server is None:
            connection.sendall(response(b"by proxy"))
            return
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with socket.create_connection((server.host, server.port)) as onward:
            pump(connection, onward)

    return Server(answer)


def pump(left: socket.socket, right: socket.socket) -> None:
    """Bytes both ways, until one side ends."""
    with selectors.DefaultSelector() as ready:
        ready.register(left, selectors.EVENT_READ, right)
        ready.register(right, selectors.EVENT_READ, left)
        while True:
            for key, _ in ready.select():
                data = key.fileobj.recv(65_536)
                if not data:
                    return
                key.data.sendall(data)


def test_with_a_proxy_https_is_tunnelled_to_the_checked_address_and_proves_the_name(authority):
    with (
        Server(saying(response(b"la la")), tls=authority.server("cdn.example")) as server,
        proxy_to(server) as proxy,
    ):
        http = PinnedHttp(
            proxy=Proxy(host="127.0.0.1", port=proxy.port, headers={"Proxy-Authorization": "Basic eA=="}),
            authorities=authority.certificate,
        )

        assert body_of(http, target("https://cdn.example/a", "93.184.216.34")) == b"la la"

    assert proxy.heads[0].startswith("CONNECT 93.184.216.34:443 HTTP/1.")
    assert "cdn.example" not in proxy.heads[0]
    assert "Proxy-Authorization: Basic eA==\r\n" in proxy.heads[0]
    assert "proxy-authorization" not in server.heads[0].lower()
    assert "Host: cdn.example\r\n" in server.heads[0]


@pytest.mark.parametrize(("address", "shown"), [("93.184.216.34", "93.184.216.34"), ("2606::1", "[2606::1]")])
def test_with_a_proxy_plain_http_asks_for_the_checked_address_under_the_urls_name(address, shown):
    with proxy_to(None) as proxy:
        http = PinnedHttp(proxy=Proxy(host="127.0.0.1", port=proxy.port, headers={}))

        assert body_of(http, target("http://cdn.example/a?b", address)) == b"by proxy"

    assert proxy.heads[0].startswith(f"GET http://{shown}:80/a?b HTTP/1.1\r\n")
    assert "Host: cdn.example\r\n" in proxy.heads[0]


def test_a_proxy_that_refuses_is_a_failed_fetch():
    with Server(saying(response(b"", "403 No"))) as proxy, pytest.raises(FetchFailed):
        body_of(
            PinnedHttp(proxy=Proxy(host="127.0.0.1", port=proxy.port, headers={})),
            target("https://cdn.example/", "93.184.216.34"),
        )


def test_the_proxy_of_the_settings_is_used_with_its_login():
    with proxy_to(None) as proxy:
        http = make_http(Settings(egress_proxy=f"http://me:s3cret@127.0.0.1:{proxy.port}"))
        guard = EgressGuard(http=True, allow=(), resolve=lambda *_, **__: ["93.184.216.34"])

        assert body_of(http, guard.check("http://cdn.example/")) == b"by proxy"

    login = base64.b64encode(b"me:s3cret").decode()
    assert f"basic {login}".lower() in proxy.heads[0].lower()


def test_a_proxy_of_a_kind_that_is_not_spoken_to_stops_the_process():
    with pytest.raises(SetupError, match="EGRESS_PROXY"):
        make_http(Settings(egress_proxy="https://proxy.example:3128"))


def test_a_body_is_sent_with_its_length_and_the_headers_that_are_asked_for():
    request = Request(
        method="POST",
        headers={"User-Agent": "GenreWiz/9", "X-One": "1", "Host": "evil.example"},
        body=b"la l",
    )
    with Server(saying(response(b"thanks", "201 Created"))) as server:
        asked = target(f"http://cdn.example:{server.port}/hook?b", "127.0.0.1")
        with Deadline(60) as deadline, PinnedHttp().ask(asked, deadline, request) as answer:
            assert (answer.status, answer.read(100)) == (201, b"thanks")

    lines = server.heads[0].split("\r\n")
    assert server.bodies == [b"la l"]
    assert lines[0] == "POST /hook?b HTTP/1.1"
    assert [line for line in lines if line.startswith("Host:")] == [f"Host: cdn.example:{server.port}"]
    assert {"Content-Length: 4", "User-Agent: GenreWiz/9", "X-One: 1"} <= set(lines)
    assert not [line for line in lines if line.lower().startswith(("transfer-encoding", "expect"))]


def test_with_a_proxy_a_body_is_sent_through_it(authority):
    with (
        Server(saying(response(b"thanks")), tls=authority.server("cdn.example")) as server,
        proxy_to(server) as proxy,
    ):
        http = PinnedHttp(
            proxy=Proxy(host="127.0.0.1", port=proxy.port, headers={}), authorities=authority.certificate
        )
        asked = target("https://cdn.example/a", "93.184.216.34")
        with (
            Deadline(60) as deadline,
            http.ask(asked, deadline, Request(method="POST", body=b"la l")) as answer,
        ):
            assert answer.read(100) == b"thanks"

    assert server.bodies == [b"la l"]


@pytest.mark.parametrize("pause", [0.05, 0.6], ids=["within", "beyond"])
def test_how_long_an_answer_may_be_waited_for_is_the_callers_to_say(monkeypatch, pause):
    monkeypatch.setattr(shared.framing, "PATIENCE_SECONDS", 0.01)  # else ten seconds for both
    monkeypatch.setattr(shared.pinned_http, "READ_SECONDS", 0.01)

    def slow(connection: socket.socket, _: str) -> None:
        server.wait(pause)
        connection.sendall(response(b"la la"))

    with Server(slow) as server:
        asked = target(f"http://cdn.example:{server.port}/", "127.0.0.1")
        with Deadline(60) as deadline:
            if pause < 0.3:
                with PinnedHttp().ask(asked, deadline, read_seconds=0.3) as answer:
                    assert answer.read(100) == b"la la"
            else:
                with pytest.raises(FetchTimeout), PinnedHttp().ask(asked, deadline, read_seconds=0.3):
                    pass


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", FetchFailed),
        (b"HTTP/1.1 200", BadAnswer),
        (b"HTTP/1.1 200 OK\r\n", BadAnswer),
        (b"HTTP/1.1 200 OK\r\nX: y\r\n", BadAnswer),
        (b"SSH-2.0-OpenSSH\r\n", BadAnswer),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n", BadAnswer),
    ],
    ids=["nothing", "half a line", "a line", "half a header", "another protocol", "many headers"],
)
def test_no_answer_and_one_that_cannot_be_read_are_told_apart(said, error):
    with Server(saying(said)) as server, pytest.raises(FetchFailed) as caught:
        body_of(PinnedHttp(), target(f"http://cdn.example:{server.port}/", "127.0.0.1"))

    assert isinstance(caught.value, BadAnswer) == (error is BadAnswer)


def test_certificates_are_checked_by_default():
    tls = PinnedHttp()._tls

    assert tls.verify_mode is ssl.CERT_REQUIRED
    assert tls.check_hostname
