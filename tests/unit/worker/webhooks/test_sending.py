"""Sending to receivers as they are, and as nobody would wish for them. Whatever they do, it is an attempt."""

import base64
import email.utils
import logging
import socket
import ssl
import struct
import threading
from contextlib import contextmanager, suppress

import pytest
from standardwebhooks import Webhook

from shared.egress import EgressGuard
from shared.errors import FetchFailed
from shared.job_webhook import BasicAuth
from shared.pinned_http import PinnedHttp
from shared.settings import Settings
from shared.trace import Origin, Span
from shared.webhook_secrets import new_secret
from shared.webhooks import Attempt, Destination
from support.certificates import Authority
from support.waiting import PATIENCE_SECONDS, eventually
from support.web import Server, redirecting, response, saying
from support.webhooks import BODY, JOB, SECRET, due_delivery
from worker.webhooks.sending import Sender

HTTP = PinnedHttp()
SECONDS = 0.5
PLENTY = 60.0


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    return Authority.made_in(tmp_path_factory.mktemp("authority"))


def sender(*, http: PinnedHttp = HTTP, seconds: float = PLENTY, resolve=None, allow="127.0.0.0/8") -> Sender:
    guard = EgressGuard(
        http=True,
        allow=Settings(egress_allow=allow).egress_allow,
        resolve=resolve or (lambda *_, **__: ["127.0.0.1"]),
    )
    return Sender(guard=guard, http=http, seconds=seconds, user_agent="GenreWiz/9.9")


def send(server: Server, *, path: str = "/hook?token=s3cret", seconds: float = PLENTY, **fields) -> Attempt:
    return sender(seconds=seconds).send(due_delivery(server.url(path), **fields))


def headers(server: Server) -> dict[str, str]:
    lines = server.heads[-1].partition("\r\n\r\n")[0].split("\r\n")[1:]
    assert len({line.partition(":")[0].lower() for line in lines}) == len(lines)
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def test_an_event_is_posted_as_the_standard_says_and_its_receiver_can_believe_it(monkeypatch):
    with Server(saying(response(b"thanks", "202 Accepted"))) as server:
        attempt = send(server)

    assert (attempt.status_code, attempt.error, attempt.reply) == (202, None, "thanks")
    assert attempt.is_success
    assert (attempt.number, attempt.at) == (1, 1_700_000_002.5)
    assert attempt.duration_seconds > 0
    assert server.bodies == [BODY]
    assert server.heads[0].startswith("POST /hook?token=s3cret HTTP/1.1\r\n")
    sent = headers(server)
    assert (
        sent.items()
        >= {
            "host": f"127.0.0.1:{server.port}",
            "content-type": "application/json",
            "content-length": str(len(BODY)),
            "user-agent": "GenreWiz/9.9",
            "accept-encoding": "identity",
            "webhook-id": f"msg_{24 * 'a'}_1",
            "webhook-timestamp": "1700000002",
            "genrewiz-attempt": "1",
        }.items()
    )
    assert not sent.keys() & {"authorization", "genrewiz-retry-reason", "traceparent", "cookie", "expect"}
    monkeypatch.setattr(Webhook, "_Webhook__verify_timestamp", lambda *_: _time(sent["webhook-timestamp"]))
    assert Webhook(SECRET).verify(server.bodies[0], sent)["type"] == "job.succeeded"


def _time(seconds: str):
    return email.utils.parsedate_to_datetime(email.utils.formatdate(int(seconds), usegmt=True))


def test_while_a_secret_rotates_both_sign():
    secrets = (new_secret(), SECRET)
    with Server(saying(response())) as server:
        due = due_delivery(server.url("/"), destination=Destination(url=server.url("/"), secrets=secrets))
        sender().send(due)

    assert len(headers(server)["webhook-signature"].split(" ")) == 2


def test_a_login_is_sent_as_basic_authentication_in_utf_8():
    login = BasicAuth(username="funk", password="pass:wörd")
    with Server(saying(response())) as server:
        destination = Destination(url=server.url("/"), secrets=(SECRET,), basic_auth=login)
        sender().send(due_delivery(destination=destination))

    assert headers(server)["authorization"] == "Basic " + base64.b64encode("funk:pass:wörd".encode()).decode()


def test_a_further_attempt_says_which_one_it_is_and_why():
    with Server(saying(response())) as server:
        attempt = send(server, number=4, tries=2, retry_reason="http_500")

    assert attempt.number == 4
    assert headers(server)["genrewiz-attempt"] == "4"
    assert headers(server)["genrewiz-retry-reason"] == "http_500"


def test_an_attempt_is_a_child_of_the_span_in_which_its_job_was_made():
    span = Span(trace_id=32 * "a", span_id=16 * "b", sampled=True)
    with Server(saying(response())) as server:
        send(server, origin=Origin(request_id="req_1", span=span))
        send(server, origin=Origin(request_id="req_1", span=span))

    sent = [line for head in server.heads for line in head.split("\r\n") if line.startswith("traceparent")]
    assert len(set(sent)) == 2
    for line in sent:
        assert line.startswith(f"traceparent: 00-{32 * 'a'}-")
        assert line.endswith("-01")
        assert span.span_id not in line


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "204 No Content", "299 Odd"])
def test_every_2xx_is_success(status):
    with Server(saying(response(b"", status))) as server:
        attempt = send(server)

    assert attempt.is_success
    assert attempt.reply == ""


@pytest.mark.parametrize(
    "status",
    ["101 Switching", "300 Many", "304 Same", "400 No", "404 Gone", "410 Gone", "429 No", "500 Oh", "999 Eh"],
)  # fmt: skip
def test_every_other_status_is_a_failure_with_the_beginning_of_its_answer(status):
    with Server(saying(response(b"why", status))) as server:
        attempt = send(server)

    assert not attempt.is_success
    assert attempt.error is None
    assert attempt.reason == f"http_{status[:3]}"
    assert attempt.reply == ("" if status[:3] in ("101", "304") else "why")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Again", "308 For Good"])
def test_a_redirect_is_a_failure_and_never_followed(status):
    with Server(saying(response())) as other:
        with Server(redirecting(other.url("/there"), status)) as server:
            attempt = send(server)

        assert attempt.reason == f"http_{status[:3]}"
        assert (other.accepted, len(server.heads)) == (0, 1)


def test_what_the_receiver_asks_for_by_retry_after_is_kept():
    for header, seconds in (("7", 7.0), ("900000", 86_400.0), ("soon", None)):
        with Server(saying(response(b"", "503 Busy", f"Retry-After: {header}"))) as server:
            assert send(server).retry_after_seconds == seconds


def test_a_date_in_retry_after_is_counted_from_the_time_of_redis():
    date = email.utils.formatdate(1_700_000_062, usegmt=True)
    with Server(saying(response(b"", "429 Many", f"Retry-After: {date}"))) as server:
        assert 50 < send(server).retry_after_seconds < 60


def test_after_success_nobody_is_asked_to_wait():
    with Server(saying(response(b"", "200 OK", "Retry-After: 60"))) as server:
        assert send(server).retry_after_seconds is None


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"x" * 5_000, "x" * 1_024),
        ("ä".encode() * 1_000, "ä" * 512),
        (b"x" + "ä".encode() * 1_000, "x" + "ä" * 511),
        (b"no\xff\xfe text", "no\ufffd\ufffd text"),
        (b"cut\xc3", "cut\ufffd"),
        (b"a\r\nb\tc\x00d\x1b[2Je\x7f\xc2\x9b", "a\nb\tc\ufffdd\ufffd[2Je\ufffd\ufffd"),
        ("abc \u202egnp.exe\u2028".encode(), "abc \ufffdgnp.exe\ufffd"),
        (b"\x1f\x8b\x08" + bytes(9), "\ufffd" * 2 + "\x08".replace("\x08", "\ufffd") + "\ufffd" * 9),
    ],
    ids=["long", "umlauts", "cut in a letter", "no UTF-8", "half a letter", "controls", "bidi", "compressed"],
)
def test_the_first_kilobyte_of_an_answer_is_kept_as_text_that_does_no_harm(body, shown):
    with Server(saying(response(body, "500 Oh"))) as server:
        assert send(server).reply == shown


def endless(head: bytes, more: bytes = b"la" * 1_000) -> Server:
    """Answers so, and goes on for as long as it is let."""

    def answer(connection: socket.socket, _: str) -> None:
        connection.sendall(head)
        while not server.wait(0):
            connection.sendall(more)

    server = Server(answer)
    return server


def dripping(head: bytes, drop: bytes, tls: ssl.SSLContext | None = None) -> Server:
    def answer(connection: socket.socket, _: str) -> None:
        connection.sendall(head)
        while not server.wait(0.02):
            connection.sendall(drop)

    server = Server(answer, tls=tls)
    return server


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "make",
    [
        lambda: endless(b"HTTP/1.1 200 OK\r\n\r\n"),
        lambda: endless(CHUNKED, b"2\r\nla\r\n"),
        lambda: endless(CHUNKED, b"1;" + b"x" * 60_000 + b"\r\na\r\n"),
        lambda: dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        lambda: dripping(b"HTTP/1.1 200 OK\r\n\r\n", b""),
        lambda: Server(saying(response(b"short", length=1_000))),
        lambda: Server(saying(CHUNKED + b"no chunk")),
        lambda: Server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nx")),
        lambda: Server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: a lot\r\n\r\nx")),
        lambda: Server(saying(response(b"\x1f\x8bno", "200 OK", "Content-Encoding: gzip"))),
    ],
    ids=[
        "endless", "endless chunks", "endless framing", "dripping", "silent", "shorter than announced",
        "no chunks", "negative length", "no length", "not compressed at all",
    ],
)  # fmt: skip
def test_once_the_status_has_come_the_event_is_delivered_whatever_its_body_does(make):
    with make() as server:
        attempt = send(server, seconds=SECONDS)

    assert attempt.is_success
    assert attempt.error is None


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 500 Oh\r\n\r\nwhy", b"x"),
        (b"HTTP/1.1 500 Oh\r\n\r\nwhy", b""),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 9000\r\n\r\nwhy", b"x"),
        (b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nwhy\r\n", b"1;"),
    ],
    ids=["dripping", "left open", "dripping what was announced", "dripping framing"],
)
@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "tls"])
def test_a_body_that_does_not_come_to_its_end_holds_nobody_and_what_came_is_kept(
    authority, head, drop, is_tls
):
    tls = authority.server("hook.example") if is_tls else None
    with dripping(head, drop, tls=tls) as server:
        patient = sender(http=PinnedHttp(authorities=authority.certificate), seconds=100 * PATIENCE_SECONDS)
        due = due_delivery(f"{'https' if is_tls else 'http'}://hook.example:{server.port}/")
        attempts: list[Attempt] = []
        threading.Thread(target=lambda: attempts.append(patient.send(due)), daemon=True).start()
        [attempt] = eventually(lambda: attempts)

    assert (attempt.status_code, attempt.error) == (500, None)
    assert attempt.reply.startswith("why")


class Counting:
    """An answer of bytes without end that counts what is taken."""

    status, headers = 200, {}

    def __init__(self) -> None:
        self.taken = 0
        self.asked: dict = {}

    @contextmanager
    def ask(self, *_, **asked):
        self.asked = asked
        yield self

    def read(self, most_bytes: int) -> bytes:
        self.taken += min(most_bytes, 5_000)
        return b"x" * min(most_bytes, 5_000)


def test_of_an_answer_without_end_16_kilobytes_are_taken_and_not_one_more():
    answer = Counting()

    sender(http=answer).send(due_delivery("https://hook.example/"))

    assert answer.taken == 16 * 2**10


def test_a_receiver_may_take_all_of_the_time_for_its_answer_and_a_name_no_more_than_is_left():
    answer, given = Counting(), []

    def resolve(host: str, port: int, *, seconds: float) -> list[str]:
        given.append(seconds)
        return ["127.0.0.1"]

    sender(http=answer, seconds=90, resolve=resolve).send(due_delivery("https://hook.example/"))
    sender(http=answer, seconds=3, resolve=resolve).send(due_delivery("https://hook.example/"))

    assert answer.asked == {"read_seconds": 3}
    assert given[0] == 5
    assert 2 < given[1] <= 3


HEADERS = b"".join(b"X%d: y\r\n" % number for number in range(90))


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: Server(saying(b"")), "connection_failed"),
        (lambda: Server(saying(b"HTTP/1.1 200")), "bad_answer"),
        (lambda: Server(saying(b"HTTP/1.1 200 OK\r\nX: y\r\n")), "bad_answer"),
        (lambda: Server(saying(b"SSH-2.0-OpenSSH_9.2\r\n")), "bad_answer"),
        (lambda: Server(saying(b"\x00\xff" * 50_000)), "bad_answer"),
        (lambda: Server(saying(b"HTTP/1.1 two hundred\r\n\r\n")), "bad_answer"),
        (lambda: Server(saying(b"HTTP/1.1 20 OK\r\n\r\n")), "bad_answer"),
        (lambda: Server(saying(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n")), "bad_answer"),
        (lambda: Server(saying(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n")), "bad_answer"),
        (lambda: endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "bad_answer"),
        (lambda: endless(b"", b"HTTP/1.1 103 Early Hints\r\n" + HEADERS + b"\r\n"), "bad_answer"),
        (lambda: endless(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 60_000 + b"\r\n"), "bad_answer"),
        (lambda: dripping(b"HTTP/1.1 200 OK\r\nX:", b"y"), "timeout"),
        (lambda: dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), "timeout"),
        (lambda: dripping(b"HTTP/1.1 100 Continue\r\n", b"X: y\r\n"), "timeout"),
        (lambda: dripping(b"", b""), "timeout"),
    ],
    ids=[
        "closes", "half a line", "half a header", "another protocol", "noise", "no number", "no status",
        "many headers", "long header", "interim answers", "later interim answers",
        "endless headers", "dripping header", "dripping headers", "dripping interim", "silence",
    ],
)  # fmt: skip
def test_no_answer_and_no_readable_one_are_failures_with_a_reason(make, code):
    with make() as server:
        attempt = send(server, seconds=SECONDS)

    assert attempt.error is not None
    assert (attempt.error.code, attempt.status_code, attempt.reply) == (code, None, None)
    assert attempt.reason == code
    assert "secret" not in attempt.error.detail
    assert "hook" not in attempt.error.detail


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\n"], ids=["at once", "in its header"])
def test_a_connection_that_is_reset_is_a_failure(before):
    def reset(connection: socket.socket, _: str) -> None:
        connection.sendall(before)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with Server(reset) as server:
        attempt = send(server)

    assert attempt.error is not None
    assert attempt.error.code in ("connection_failed", "bad_answer")


def test_a_receiver_that_is_not_there_is_a_failure():
    with Server(saying(b"")) as server:
        url = server.url("/hook")

    attempt = sender().send(due_delivery(url))

    assert attempt.error.code == "connection_failed"
    assert "reached" in attempt.error.detail


def test_a_receiver_that_takes_no_connection_is_given_up():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port, waiting = full.getsockname()[1], []
        for _ in range(3):  # of connections that nobody accepts there is room for few
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(("127.0.0.1", port))
        attempt = sender(seconds=SECONDS).send(due_delivery(f"http://127.0.0.1:{port}/"))
        for connection in waiting:
            connection.close()

    assert attempt.error.code == "timeout"


def test_a_receiver_that_proves_its_name_gets_the_event(authority):
    with Server(saying(response(b"thanks")), tls=authority.server("hook.example")) as server:
        http = PinnedHttp(authorities=authority.certificate)
        attempt = sender(http=http).send(due_delivery(f"https://hook.example:{server.port}/"))

    assert (attempt.status_code, attempt.reply) == (200, "thanks")


@pytest.mark.parametrize("name", ["other.example", "127.0.0.1"])
def test_a_receiver_that_cannot_prove_its_name_gets_nothing(authority, name):
    with Server(saying(response(b"thanks")), tls=authority.server(name)) as server:
        http = PinnedHttp(authorities=authority.certificate)
        attempt = sender(http=http).send(due_delivery(f"https://hook.example:{server.port}/"))

    assert attempt.error.code == "connection_failed"
    assert "prove its name" in attempt.error.detail
    assert server.heads == []


def test_a_receiver_that_speaks_no_tls_gets_nothing():
    with Server(saying(response(b"thanks"))) as server:
        attempt = sender(seconds=2).send(due_delivery(f"https://hook.example:{server.port}/"))

    assert attempt.error is not None
    assert server.bodies == []


def test_a_handshake_that_never_ends_is_cut_off(authority):
    over = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with suppress(OSError), connection:
            connection.sendall(b"\x16\x03\x03\x40\x00")
            while not over.wait(0.02):
                connection.sendall(b"\x16")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        attempt = sender(seconds=SECONDS).send(
            due_delivery(f"https://hook.example:{listener.getsockname()[1]}/")
        )
    over.set()

    assert attempt.error.code == "timeout"


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1/", "http://169.254.169.254/", "http://[::1]/", "ftp://hook.example/", "http://a:b@c.example/"],
)  # fmt: skip
def test_a_url_that_leads_inside_is_not_connected_to(url):
    attempt = sender().send(due_delivery(url))

    assert attempt.error.code == "url_blocked"
    assert not attempt.is_success


def test_the_name_is_resolved_and_checked_anew_at_every_attempt():
    answers = iter([["127.0.0.1"], ["10.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["127.0.0.1"]])
    with Server(saying(response())) as server:
        url = f"http://hook.example:{server.port}/"
        its_sender = sender(resolve=lambda *_, **__: next(answers))
        reasons = [its_sender.send(due_delivery(url)).reason for _ in range(4)]

    assert reasons == ["http_200", "url_blocked", "url_blocked", "http_200"]
    assert server.accepted == 2


def test_a_name_that_is_not_known_is_a_failed_connection():
    def unknown(*_, **__):
        raise FetchFailed("The URL's host cannot be resolved.")

    assert sender(resolve=unknown).send(due_delivery("http://hook.example/")).reason == "connection_failed"


def test_the_time_that_a_name_takes_counts():
    def slow(host: str, port: int, *, seconds: float) -> list[str]:
        threading.Event().wait(seconds)
        return ["127.0.0.1"]

    with Server(saying(response())) as server:
        due = due_delivery(f"http://hook.example:{server.port}/")
        attempt = sender(resolve=slow, seconds=0.2).send(due)

    assert attempt.reason == "timeout"
    assert server.accepted == 0


def test_proxies_of_the_environment_are_ignored(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Server(saying(response())) as server:
        assert send(server).is_success


def test_no_thread_and_no_socket_is_left_of_an_attempt():
    with Server(saying(response())) as server:
        send(server)
        before = threading.active_count()
        for _ in range(5):
            send(server)
        eventually(lambda: threading.active_count() <= before)


def test_nothing_of_an_attempt_is_logged_here(caplog):
    caplog.set_level(logging.DEBUG)
    with Server(saying(response(b"", "500 Oh"))) as server:
        send(server, path="/s3cret/path?token=s3cret")

    assert "s3cret" not in caplog.text
    assert SECRET not in caplog.text
    assert SECRET not in repr(due_delivery())
    assert JOB in repr(due_delivery())
