"""`genrewiz listen`: a receiver of webhooks to try with."""

import base64
import json
import socket
import threading

import httpx
import pytest

from support.api_server import Connection
from support.commands import CommandLine
from support.listening import SECRET, Listening, listening
from support.waiting import eventually

OTHER = "whsec_" + base64.b64encode(b"another secret of a receiver").decode()
EVENT = {
    "type": "job.succeeded", "timestamp": "2026-01-01T00:00:00.000Z", "sequence": 7,
    "data": {"id": "job_1", "status": "succeeded", "result": {"genre": "rock"}, "error": None},
}  # fmt: skip


def test_what_is_signed_is_printed_and_all_else_refused():
    body = json.dumps(EVENT).encode()
    with listening("--json", GENREWIZ_WEBHOOK_SECRET=SECRET) as receiver:
        refused = [
            receiver.deliver(body, secret=OTHER),
            receiver.deliver(body, seconds_ago=3_600),
            receiver.post(body),
            receiver.deliver(b"[]"),
        ]
        taken = receiver.deliver(body)
        line = receiver.line()

    assert refused == [401] * 4
    assert taken == 204
    assert json.loads(line) == EVENT
    assert "".join(receiver.said).count("was refused") == 4
    assert SECRET not in "".join(receiver.said)


def test_two_secrets_are_believed_while_one_is_being_changed():
    with listening("--secret", SECRET, "--secret", OTHER) as receiver:
        assert [receiver.deliver(b"{}", secret=secret) for secret in (SECRET, OTHER)] == [204, 204]


def test_without_a_secret_all_is_believed_and_that_is_said():
    with listening() as receiver:
        assert receiver.post(json.dumps(EVENT).encode()) == 204
        assert receiver.line() == "2026-01-01T00:00:00.000Z  job.succeeded  job_1  rock"
        assert receiver.post(b'{"type": "x\\u001b[2J", "data": 3}') == 204
        assert receiver.line().isprintable()
        assert receiver.post(b"no json") == 400

    assert any("every delivery is believed" in line for line in receiver.said)


def test_a_delivery_that_comes_again_is_said_to(tmp_path):
    body = json.dumps(EVENT).encode()
    with listening("--secret", SECRET) as receiver:
        first = receiver.deliver(body, **{"GenreWiz-Attempt": "1"})
        second = receiver.deliver(body, **{"GenreWiz-Attempt": "2"})
        lines = receiver.line(), receiver.line()

    assert (first, second) == (204, 204)
    assert lines[0].endswith("job_1  rock  msg_1  attempt 1")
    assert lines[1].endswith("job_1  rock  msg_1  attempt 2  again")


def test_in_json_the_line_of_a_delivery_that_comes_again_stays_the_event():
    body = json.dumps(EVENT).encode()
    with listening("--secret", SECRET, "--json") as receiver:
        receiver.deliver(body)
        receiver.deliver(body)
        lines = receiver.line(), receiver.line()
        eventually(lambda: "msg_1 has come again.\n" in receiver.said)

    assert [json.loads(line) for line in lines] == [EVENT, EVENT]


def test_the_first_deliveries_fail_where_that_is_asked_for_and_count_only_when_they_are_believed():
    body = json.dumps(EVENT).encode()
    with listening("--secret", SECRET, "--fail", "2") as receiver:
        codes = [receiver.deliver(body, secret=each) for each in (OTHER, SECRET, SECRET, SECRET)]
        line = receiver.line()
        eventually(lambda: "A delivery was answered with 500 (2 of 2): msg_1\n" in receiver.said)

    assert codes == [401, 500, 500, 204]
    assert line.endswith("msg_1"), "what was not taken has not come before"


@pytest.mark.parametrize(
    ("sent", "code"), [("rädio:word", 204), ("rädio:other", 401), ("rädio:", 401), (None, 401)]
)
def test_whoever_does_not_send_the_user_and_the_password_is_refused(sent, code):
    headers = {"Authorization": f"Basic {base64.b64encode(sent.encode()).decode()}"} if sent else {}
    with listening("--basic-auth", "rädio:word") as receiver:
        assert receiver.post(b"{}", **headers) == code

    assert "word" not in "".join(receiver.said).replace("--basic-auth", "").replace("password", "")


def test_what_is_no_user_and_password_is_refused_at_once():
    done = CommandLine("http://127.0.0.1:1")("listen", "--port", "0", "--basic-auth", "radio")

    assert done.code == 2
    assert "USER:PASSWORD" in done.err


def test_bodies_without_a_length_or_beyond_any_event_are_refused_unread():
    with listening() as receiver:
        assert httpx.post(receiver.url, content=iter([b"{}"]), trust_env=False).status_code == 411
        with socket.create_connection(("127.0.0.1", httpx.URL(receiver.url).port)) as sender:
            sender.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
            assert b" 413 " in sender.recv(100)


@pytest.mark.parametrize(
    "begun", [b"POST / HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n"]
)
def test_a_sender_that_drips_keeps_no_other_waiting(begun):
    """Each of its bytes comes in time; all of them would take for ever."""
    body = json.dumps(EVENT).encode()
    ended = threading.Event()
    with listening("--secret", SECRET) as receiver, Connection(httpx.URL(receiver.url).port) as sender:

        def drip() -> None:
            while not ended.wait(0.05):
                sender.send(b"x")

        sender.send(begun)
        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            assert [receiver.deliver(body) for _ in range(2)] == [204, 204]
            assert [receiver.line().split("  ")[-1] for _ in range(2)] == ["msg_1", "again"]
            assert "A sender has hung up.\n" not in receiver.said
        finally:
            ended.set()
            dripping.join()


def test_a_sender_that_hangs_up_is_no_reason_to_end():
    half = b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"type": "half"}'
    with listening() as receiver:
        port = httpx.URL(receiver.url).port
        with Connection(port) as sender:
            sender.send(half)
        crashed = Connection(port)
        crashed.send(half)
        crashed.reset()

        assert receiver.post(b'{"type": "whole"}') == 204
        assert receiver.line() == "whole"
        eventually(lambda: receiver.said.count("A sender has hung up.\n") == 2)


def test_a_secret_that_is_too_short_is_refused_at_once():
    done = CommandLine("http://127.0.0.1:1")("listen", "--port", "0", "--secret", "whsec_c2hvcnQ=")

    assert done.code == 2
    assert "24 to 64 bytes" in " ".join(done.err.replace("│", " ").split())


def test_a_port_that_is_taken_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = CommandLine("http://127.0.0.1:1")("listen", "--port", port)

    assert done.code == 1
    assert "--port" in done.err


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_it_ends_quietly_when_nobody_reads_any_more(options):
    command = CommandLine("http://127.0.0.1:1")
    with command.start("listen", "--port", "0", *options) as process:
        receiver = Listening(process)
        process.stdout.close()
        assert receiver.post(b"{}") == 204
        assert process.wait() == 141
