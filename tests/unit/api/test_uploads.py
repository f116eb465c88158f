"""Receiving an upload, without a server."""

import hashlib
import io

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from api.uploads import least_bytes, receive, shown_name
from shared.errors import InvalidRequest, MalformedRequest, UnsupportedFormat, UploadTooLarge

WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(1_000)
MAX_BYTES = 2 * 2**20


class ListSink:
    """Keeps what was written."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)

    def commit(self) -> None: ...

    def discard(self) -> None: ...


def request_with(**parts) -> Request:
    builder = EnvironBuilder(method="POST", data=parts, content_type="multipart/form-data")
    return Request(builder.get_environ())


def raw(
    body: bytes, content_type: str = "multipart/form-data; boundary=x", length: int | None = None
) -> Request:
    environ = EnvironBuilder(
        method="POST", input_stream=io.BytesIO(body), content_type=content_type
    ).get_environ()
    environ["CONTENT_LENGTH"] = str(len(body) if length is None else length)
    return Request(environ)


def received(request: Request, max_bytes: int = MAX_BYTES):
    least_bytes(request, max_bytes=max_bytes)
    return receive(request, ListSink(), max_bytes=max_bytes)


def test_the_file_goes_into_the_sink_counted_and_hashed():
    sink, song = ListSink(), WAV + bytes(range(256)) * 3_000

    upload = receive(request_with(file=(io.BytesIO(song), "a.wav")), sink, max_bytes=MAX_BYTES)

    assert sink.data == song
    assert upload.source.bytes == len(song)
    assert upload.source.sha256 == hashlib.sha256(song).hexdigest()
    assert upload.source.filename == "a.wav"
    assert upload.job_part is None


@pytest.mark.parametrize("as_file", [True, False])
def test_the_job_part_may_be_a_field_or_a_file(as_file):
    part = (io.BytesIO(b'{"queue": "high"}'), "job.json") if as_file else '{"queue": "high"}'

    upload = received(request_with(job=part, file=(io.BytesIO(WAV), "a.wav")))

    assert upload.job_part == b'{"queue": "high"}'


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        ({}, "/file"),
        ({"job": "{}"}, "/file"),
        ({"file": (io.BytesIO(b""), "a.wav")}, "/file"),
        ({"song": (io.BytesIO(WAV), "a.wav")}, ""),
        ({"file": "not a file"}, ""),
        ({"job": "x" * 70_000, "file": (io.BytesIO(WAV), "a.wav")}, "/job"),
    ],
    ids=["nothing", "no file", "empty file", "another part", "file as a field", "a huge job part"],
)
def test_a_part_that_is_missing_or_wrong_is_named(parts, pointer):
    with pytest.raises(InvalidRequest) as caught:
        received(request_with(**parts))

    assert [(each.where, each.name) for each in caught.value.errors] == [("pointer", pointer)]


def test_two_files_are_refused():
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + WAV + b"\r\n"

    with pytest.raises(InvalidRequest, match="twice"):
        received(raw(part * 2 + b"--x--\r\n"))


def test_bytes_that_are_no_audio_are_refused_before_the_rest_is_read():
    stream = io.BytesIO(
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        + bytes([65]) * 1_000_000
    )
    request = raw(b"", length=2_000_000)
    request.environ["wsgi.input"] = stream

    with pytest.raises(UnsupportedFormat):
        received(request)

    assert stream.tell() < 200_000


@pytest.mark.parametrize(
    "playlist",
    [
        b"#EXTM3U\nfile:///etc/passwd\n" * 9,
        b"[playlist]\nFile1=http://x.example/\n",
        b"https://x.example/a.mp3\n",
    ],
)
def test_a_playlist_is_refused_for_what_it_is(playlist):
    with pytest.raises(UnsupportedFormat, match="playlist"):
        received(request_with(file=(io.BytesIO(playlist), "a.mp3")))


def test_a_file_over_the_limit_is_refused_whatever_the_length_says():
    with pytest.raises(UploadTooLarge):
        received(request_with(file=(io.BytesIO(WAV + bytes(3_000)), "a.wav")), max_bytes=2_000)


def test_a_request_that_announces_too_much_is_refused_before_it_is_read():
    request = raw(b"", length=100 * 2**20)

    with pytest.raises(UploadTooLarge):
        received(request)


CUT_OFF = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nRIFF'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "multipart/form-data"),
        (b"no parts here", "multipart/form-data; boundary=x"),
        (CUT_OFF, "multipart/form-data; boundary=x"),
    ],
    ids=["no boundary", "no parts", "cut off"],
)
def test_a_body_that_cannot_be_read_is_malformed(body, content_type):
    with pytest.raises(MalformedRequest):
        received(raw(body, content_type))


def test_a_connection_that_breaks_off_is_a_malformed_request():
    with pytest.raises(MalformedRequest):
        received(raw(b"--x\r\n", length=10_000))


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("song.mp3", "song.mp3"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Music\\song.mp3", "song.mp3"),
        ("a\x00b\n.mp3", "ab.mp3"),
        ("x" * 300, "x" * 255),
        ("Grüße – 音楽.flac", "Grüße – 音楽.flac"),
        ("", None),
        ("..", None),
        (None, None),
    ],
)
def test_a_file_name_is_only_ever_shown(sent, shown):
    assert shown_name(sent) == shown
