"""Uploads byte by byte, on a real gunicorn: what is wrong gets its answer, and nothing is left behind."""

import json
import select
import socket

import pytest

from support.api_server import (
    END,
    WAV,
    ApiServer,
    api_serving,
    chunk,
    file_part,
    jobs_of,
    part,
    upload,
)
from support.waiting import PATIENCE_SECONDS, eventually

MAX_UPLOAD_BYTES = 3 * 2**20


@pytest.fixture(scope="module")
def api(redis_url, tmp_path_factory):
    with api_serving(
        tmp_path_factory.mktemp("api"), redis_url, GENREWIZ_MAX_UPLOAD_BYTES=str(MAX_UPLOAD_BYTES)
    ) as api:
        yield api


@pytest.fixture(autouse=True)
def empty(api: ApiServer, redis):
    """Each test begins with nothing in the store."""
    for path in api.audio.iterdir():
        path.unlink()


def of_length(body: bytes, headers: str = "") -> bytes:
    return upload(length=len(body), headers=headers) + body


FILE = b'name="file"; filename="a.wav"'
GOOD = file_part(WAV) + END
INVALID = (422, "invalid_request")
MALFORMED = (400, "malformed_request")
TOO_LARGE = (413, "upload_too_large")
NO_AUDIO = (415, "unsupported_format")
WRONG_TYPE = (415, "unsupported_media_type")
REFUSED: dict[str, tuple[bytes, tuple[int, str]]] = {
    # parts
    "no part at all": (of_length(END), INVALID),
    "no file part": (of_length(part(b'name="job"', b"{}") + END), INVALID),
    "two files": (of_length(file_part(WAV) * 2 + END), INVALID),
    "two job parts": (of_length(part(b'name="job"', b"{}") * 2 + file_part(WAV) + END), INVALID),
    "an empty file": (of_length(file_part(b"") + END), INVALID),
    "a file of one byte": (of_length(file_part(b"R") + END), NO_AUDIO),
    "a field called file": (of_length(part(b'name="file"', WAV) + END), INVALID),
    "an unknown part": (of_length(part(b'name="song"; filename="a.wav"', WAV) + END), INVALID),
    "a part without a name": (of_length(part(b'filename="a.wav"', WAV) + END), INVALID),
    "a huge job field": (of_length(part(b'name="job"', b" " * 100_000) + GOOD), INVALID),
    "a job field that is no JSON": (of_length(part(b'name="job"', b"{") + GOOD), MALFORMED),
    "a job field that is no text": (of_length(part(b'name="job"', b"\xff") + GOOD), MALFORMED),
    "a huge field name": (of_length(part(b'name="%s"' % (b"a" * 100_000), b"") + END), MALFORMED),
    "a long field name": (of_length(part(b'name="%s"' % (b"a" * 10_000), b"") + END), INVALID),
    "a huge part header": (of_length(part(b'name="job"', b"", b"X" * 100_000 + b": y\r\n") + END), MALFORMED),
    "thousands of part headers": (of_length(part(b'name="job"', b"", b"X: y\r\n" * 5_000) + END), MALFORMED),
    "thousands of parts": (of_length(part(b'name="job"', b"") * 5_000 + END), INVALID),
    "thousands of unknown parts": (of_length(part(b'name="a"', b"") * 5_000 + END), INVALID),
    "no disposition": (of_length(b"--x\r\nContent-Type: audio/wav\r\n\r\n" + WAV + b"\r\n" + END), MALFORMED),
    "no audio": (of_length(file_part(b"Dear diary, " * 100) + END), NO_AUDIO),
    "audio in base64": (
        of_length(part(FILE, b"UklGRiQAAABXQVZF" * 9, b"Content-Transfer-Encoding: base64\r\n") + END),
        NO_AUDIO,
    ),
    "nested multipart": (
        of_length(part(FILE, b"--y\r\n" + WAV, b"Content-Type: multipart/mixed; boundary=y\r\n") + END),
        NO_AUDIO,
    ),
    # boundaries
    "a boundary that never comes": (of_length(b"--y\r\n" + WAV), MALFORMED),
    "a boundary that never ends": (of_length(b"--x" + b"x" * 100_000), MALFORMED),
    "no last boundary": (of_length(file_part(WAV)), MALFORMED),
    "half a last boundary": (of_length(file_part(WAV) + b"--x-"), MALFORMED),
    "an endless preamble": (of_length(b"a" * 200_000 + GOOD), MALFORMED),
    "an endless epilogue": (of_length(GOOD + b"a" * 200_000), MALFORMED),
    "line feeds alone": (of_length(GOOD.replace(b"\r\n", b"\n")), MALFORMED),
    "carriage returns alone": (of_length(GOOD.replace(b"\r\n", b"\r")), MALFORMED),
    "no empty line": (of_length(GOOD.replace(b"\r\n\r\n", b"\r\n")), MALFORMED),
    "no boundary named": (of_length(GOOD).replace(b"; boundary=x", b""), MALFORMED),
    "an empty boundary": (of_length(GOOD).replace(b"boundary=x", b'boundary=""'), MALFORMED),
    "another boundary named": (of_length(GOOD).replace(b"boundary=x", b"boundary=y"), MALFORMED),
    "no multipart": (of_length(GOOD).replace(b"multipart/form-data", b"audio/wav"), WRONG_TYPE),
    "no content type": (b"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", WRONG_TYPE),
    # lengths
    "no length": (upload() + GOOD, MALFORMED),
    "a length of zero": (upload(length=0), MALFORMED),
    "a length that is too small": (upload(length=len(GOOD) - 20) + GOOD, MALFORMED),
    "a negative length": (upload(headers="Content-Length: -1\r\n") + GOOD, MALFORMED),
    "a length with a sign": (upload(headers=f"Content-Length: +{len(GOOD)}\r\n") + GOOD, MALFORMED),
    "a length in words": (upload(headers="Content-Length: many\r\n") + GOOD, MALFORMED),
    "a length in hex": (upload(headers="Content-Length: 0x400\r\n") + GOOD, MALFORMED),
    "two lengths": (upload(length=len(GOOD), headers="Content-Length: 5\r\n") + GOOD, MALFORMED),
    "a length of 5,000 digits": (upload(headers=f"Content-Length: {'9' * 5_000}\r\n"), MALFORMED),
    "a huge length": (upload(headers=f"Content-Length: {10**18}\r\n") + GOOD, TOO_LARGE),
    "a length over the limit": (upload(length=MAX_UPLOAD_BYTES + 2**20 + 1), TOO_LARGE),
    "a byte too many": (of_length(file_part(WAV + bytes(MAX_UPLOAD_BYTES + 1 - len(WAV))) + END), TOO_LARGE),
    # chunks
    "length and chunks": (upload(length=5, chunked=True) + chunk(GOOD) + chunk(b""), MALFORMED),
    "chunks twice": (upload(chunked=True, headers="Transfer-Encoding: chunked\r\n") + chunk(GOOD), MALFORMED),
    "chunks by another name": (upload(headers="Transfer-Encoding: xchunked\r\n") + chunk(GOOD), MALFORMED),
    "chunks before gzip": (upload(headers="Transfer-Encoding: chunked, gzip\r\n") + chunk(GOOD), MALFORMED),
    "chunks of HTTP/1.0": (upload(chunked=True).replace(b"HTTP/1.1", b"HTTP/1.0") + chunk(GOOD), MALFORMED),
    "a chunk size that is none": (upload(chunked=True) + b"zz\r\n" + GOOD, MALFORMED),
    "a negative chunk size": (upload(chunked=True) + b"-5\r\n" + GOOD, MALFORMED),
    "a chunk size that is too small": (upload(chunked=True) + b"9\r\n" + GOOD + b"\r\n0\r\n\r\n", MALFORMED),
    "a chunk size without end": (upload(chunked=True) + b"1" * 10_000, MALFORMED),
    "a trailer that is none": (upload(chunked=True) + chunk(GOOD) + b"0\r\nno colon\r\n\r\n", MALFORMED),
    "a trailer that is a header": (upload(chunked=True) + chunk(GOOD) + b"0\r\nHost: y\r\n\r\n", MALFORMED),
    "chunks of a byte, by the thousand": (
        upload(chunked=True) + chunk(file_part(WAV)[:-2]) + chunk(b"\0") * 30_000, MALFORMED,
    ),
    "no byte in chunks": (upload(chunked=True) + b"0\r\n\r\n", MALFORMED),
    "too many bytes in chunks": (
        upload(chunked=True) + chunk(file_part(WAV + bytes(MAX_UPLOAD_BYTES)) + END) + b"0\r\n\r\n",
        TOO_LARGE,
    ),
    # headers
    "a gzipped body": (of_length(GOOD, "Content-Encoding: gzip\r\n"), WRONG_TYPE),
    "a body gzipped twice": (of_length(GOOD, "Content-Encoding: gzip, gzip\r\n"), WRONG_TYPE),
    "gzipped JSON": (
        b"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
        b"Content-Length: 2\r\n\r\n{}",
        WRONG_TYPE,
    ),
    "HTTP/1.1 without a host": (of_length(GOOD).replace(b"Host: x\r\n", b""), MALFORMED),
    "an expectation of something else": (of_length(GOOD, "Expect: a miracle\r\n"), MALFORMED),
    "two content types": (of_length(GOOD, "Content-Type: multipart/form-data; boundary=y\r\n"), MALFORMED),
    "a header without a colon": (of_length(GOOD, "no colon\r\n"), MALFORMED),
    "a header with a NUL": (of_length(GOOD, "X: \0\r\n"), MALFORMED),
    "a huge header": (of_length(GOOD, f"X: {'a' * 20_000}\r\n"), MALFORMED),
    "a thousand headers": (of_length(GOOD, "X: y\r\n" * 1_000), MALFORMED),
    "a huge request line": (b"POST /jobs?" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", MALFORMED),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n", MALFORMED),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_an_upload_that_is_wrong_is_refused_and_leaves_nothing(api: ApiServer, redis, case):
    request, (status, code) = REFUSED[case]

    answer = api.ask(request)

    assert (answer.status, answer.code) == (status, code), answer
    assert api.files() == []
    assert jobs_of(redis) == []


TAKEN: dict[str, bytes] = {
    "as it should be": of_length(GOOD),
    "in chunks": upload(chunked=True) + chunk(GOOD) + b"0\r\n\r\n",
    "in chunks of a byte": upload(chunked=True) + b"".join(chunk(bytes([b])) for b in GOOD) + b"0\r\n\r\n",
    "in chunks with a trailer": upload(chunked=True) + chunk(GOOD) + b"0\r\nX-Sum: 1\r\n\r\n",
    "with preamble and epilogue": of_length(b"hello\r\n" + GOOD + b"goodbye"),
    "with no line break at the end": of_length(GOOD[:-2]),
    "with a job": of_length(part(b'name="job"', b'{"queue": "high"}') + GOOD),
    "with a job behind it": of_length(file_part(WAV) + part(b'name="job"', b"{}") + END),
    "said to be a picture": of_length(
        part(b'name="file"; filename="a.png"', WAV, b"Content-Type: image/png\r\n") + END
    ),
    "with a quoted boundary": of_length(GOOD).replace(b"boundary=x", b'boundary="x"'),
    "encoded as itself": of_length(GOOD, "Content-Encoding: identity\r\n"),
    "as large as may be": of_length(file_part(WAV + bytes(MAX_UPLOAD_BYTES - len(WAV))) + END),
    "once it may be sent": of_length(GOOD, "Expect: 100-continue\r\n"),
}


@pytest.mark.parametrize("case", TAKEN)
def test_an_upload_that_is_right_is_taken_as_it_is(api: ApiServer, redis, case):
    answer = api.ask(TAKEN[case])

    assert answer.status == 202, answer
    job_id = json.loads(answer.body)["id"]
    assert api.files() == [job_id]
    assert (api.audio / job_id).read_bytes().rstrip(b"\0") == WAV.rstrip(b"\0")


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"a\0b.wav", "ab.wav"),
        (b"a\nb.wav", "ab.wav"),
        (b"../../../etc/passwd", "passwd"),
        (b"..\\\\..\\\\boot.ini", "boot.ini"),
        (b"/etc/", "etc"),
        (b"..", None),
        (b"", None),
        (b"a" * 10_000 + b".wav", "a" * 255),
        (b"\xff\xfe.wav", "\ufffd\ufffd.wav"),
        ("\u202egpj.wav".encode(), "gpj.wav"),
        (b"<script>.wav", "<script>.wav"),
        (b'a.wav"; filename*=UTF-8\'\'..%2Fgr%C3%BCn.wav; x="', "grün.wav"),
    ],
    ids=[
        "NUL", "line feed", "parents", "backslashes", "a folder", "dots", "none", "10,000 letters",
        "no UTF-8", "right to left", "markup", "RFC 5987",
    ],
)  # fmt: skip
def test_a_file_name_is_shown_without_harm_and_is_never_a_path(api: ApiServer, redis, sent, shown):
    answer = api.ask(of_length(file_part(WAV, sent) + END))

    body = json.loads(answer.body)
    assert answer.status == 202
    assert body["source"]["filename"] == shown
    assert api.files() == [body["id"]]


def test_a_file_name_with_a_line_break_is_malformed(api: ApiServer, redis):
    answer = api.ask(of_length(file_part(WAV, b"a\r\nb.wav") + END))

    assert (answer.status, answer.code) == MALFORMED
    assert api.files() == []


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_client_that_hangs_up_in_the_middle_leaves_nothing(api: ApiServer, redis, reset):
    with api.connect() as connection:
        connection.send(upload(length=MAX_UPLOAD_BYTES) + file_part(WAV + bytes(100_000)))
        eventually(api.files)
        if reset:
            connection.reset()

    eventually(lambda: not api.files())
    eventually(lambda: api.in_flight() == 0)
    assert jobs_of(redis) == []


@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_ends_too_early_but_listens_is_told(api: ApiServer, redis, chunked):
    first = file_part(WAV)
    with api.connect() as connection:
        connection.send(upload(chunked=True) + chunk(first) if chunked else upload(length=10**6) + first)
        connection.socket.shutdown(socket.SHUT_WR)

        answer = connection.answer()

    assert (answer.status, answer.code) == MALFORMED
    assert api.files() == []


@pytest.mark.parametrize("chunked", [False, True])
def test_what_stands_behind_a_body_is_the_next_request(api: ApiServer, redis, chunked):
    first = upload(chunked=True) + chunk(GOOD) + b"0\r\n\r\n" if chunked else of_length(GOOD)
    with api.connect() as connection:
        connection.send(first + b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")

        assert connection.answer().status == 202
        assert connection.answer().status == 200


def test_no_request_is_read_from_a_body_that_was_not_understood(api: ApiServer, redis):
    smuggled = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    with api.connect() as connection:
        connection.send(upload(length=len(GOOD), chunked=True) + b"0\r\n\r\n" + smuggled)

        assert connection.answer().status == 400
        assert connection.is_closed()


@pytest.mark.parametrize(
    "header",
    ["SCRIPT_NAME: /livez", "PATH_INFO: /x", "X-Forwarded-Proto: https", "X-Forwarded-Prefix: /livez"],
)
def test_no_header_says_which_path_a_request_is_for(api: ApiServer, header):
    answer = api.ask(f"GET /livez HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")


def test_a_client_that_asks_first_is_refused_before_it_sends_its_body(api: ApiServer, redis):
    with api.connect() as connection:
        connection.send(upload(length=100 * 2**20, headers="Expect: 100-continue\r\n"))

        first = connection.any_answer()

    assert (first.status, first.code) == TOO_LARGE
    assert first.headers["connection"] == "close"


def test_a_client_that_asks_first_is_told_to_go_on(api: ApiServer, redis):
    with api.connect() as connection:
        connection.send(upload(length=len(GOOD), headers="Expect: 100-continue\r\n"))

        assert connection.any_answer().status == 100
        connection.send(GOOD)
        assert connection.any_answer().status == 202


@pytest.mark.parametrize(
    ("head", "first", "expected"),
    [
        (upload(length=MAX_UPLOAD_BYTES), file_part(b"Dear diary, " * 6)[:-2], NO_AUDIO),
        (upload(chunked=True), chunk(file_part(b"Dear diary, " * 6)[:-2]), NO_AUDIO),
        (upload(length=100 * 2**20), b"", TOO_LARGE),
        (upload(length=MAX_UPLOAD_BYTES, headers="Content-Encoding: gzip\r\n"), b"", WRONG_TYPE),
        (upload(length=MAX_UPLOAD_BYTES), part(b'name="song"', b"")[:-2], INVALID),
    ],
    ids=["no audio", "no audio in chunks", "too large", "gzip", "an unknown part"],
)
def test_a_refusal_comes_while_most_of_the_body_is_unsent(api: ApiServer, redis, head, first, expected):
    with api.connect() as connection:
        connection.send(head + first)

        answer = connection.answer()

        assert (answer.status, answer.code) == expected
        assert answer.headers["connection"] == "close"
        assert api.files() == []


@pytest.mark.parametrize("rest", [0, 100_000, 900_000, 20 * 2**20])
def test_a_client_that_sends_everything_before_it_reads_gets_its_answer(api: ApiServer, redis, rest):
    response = api.http.post("/jobs", files={"file": ("a.wav", b"Dear diary, " * 6 + bytes(rest))})

    assert response.status_code == 415 if rest < MAX_UPLOAD_BYTES else 413


def test_a_client_may_send_a_small_rest_before_it_reads_its_refusal(api: ApiServer, redis):
    with api.connect() as connection:
        connection.send(upload(length=600_000) + file_part(b"Dear diary, " * 6)[:-2])
        poll = select.poll()
        poll.register(connection.socket, select.POLLRDHUP)
        assert poll.poll(PATIENCE_SECONDS * 1_000)  # the answer is there, and nothing will follow it

        assert all(connection.drip(bytes(50_000)) for _ in range(10))
        assert connection.answer().status == 415


def test_what_was_sent_is_never_repeated(api: ApiServer, redis):
    secret = b"5ecret"
    requests = [
        of_length(GOOD, "5ecret\r\n"),
        of_length(part(b'name="5ecret"', b"") + END),
        of_length(part(b'name="job"', b'{"5ecret": 5}') + file_part(b"5ecret" * 20, b"5ecret") + END),
        of_length(part(b'name="job"', b"5ecret") + GOOD),
        upload(chunked=True) + b"5ecret\r\n",
        b"5ecret /5ecret\r\n\r\n",
    ]

    for request in requests:
        answer = api.ask(request)
        assert answer.status in (400, 415, 422)
        assert secret not in answer.body
