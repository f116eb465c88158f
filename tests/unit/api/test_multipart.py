"""Taking a multipart body apart: the same parts wherever it is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.multipart import MAX_HEADER_BYTES, MAX_MARGIN_BYTES, MAX_PADDING_BYTES, Part, read_parts
from shared.errors import MalformedRequest

FILE = b'Content-Disposition: form-data; name="file"; filename="a.wav"'
JOB = b'Content-Disposition: form-data; name="job"'
WHOLE = b"--x\r\n" + FILE + b"\r\n\r\nRIFF\r\n\r--x\r\n--\r\n--x\r\n" + JOB + b"\r\n\r\n{}\r\n--x--\r\n"


def read(pieces, boundary: bytes = b"x") -> list[tuple[str, str | None, bytes]] | str:
    """Name, file name and content of each part, or the sentence of the refusal."""
    parts: list = []
    try:
        for event in read_parts(pieces, boundary):
            if isinstance(event, Part):
                parts.append([event.name, event.filename, b""])
            else:
                parts[-1][2] += event
    except MalformedRequest as error:
        return error.detail
    return [tuple(part) for part in parts]


def cut(body: bytes, *positions: int) -> list[bytes]:
    """The body in pieces, none of them empty."""
    edges = [0, *sorted(positions), len(body)]
    return [body[a:b] for a, b in pairwise(edges) if a < b]


@pytest.mark.parametrize("boundary", [b"x", b"----WebKitFormBoundary7MA4YWxkTrZu0gW"])
def test_a_body_is_the_same_at_every_position_of_a_cut(boundary):
    body = WHOLE.replace(b"\r\n--x", b"\r\n--" + boundary).replace(b"--x", b"--" + boundary, 1)
    whole = read([body], boundary)

    assert whole == [("file", "a.wav", b"RIFF\r\n\r--x\r\n--"), ("job", None, b"{}")]
    for at in range(1, len(body)):
        assert read(cut(body, at), boundary) == whole, body[:at]
    assert read(cut(body, *range(len(body))), boundary) == whole


# What a body may be made of, in an order that no client would choose.
FRAGMENTS = st.sampled_from(
    [
        b"--x", b"--x--", b"\r\n", b"\r", b"\n", b"-", b"--", b" ", b"\t", b" " * 40, b"x", b"\r\n--x\r\n",
        b"\r\n--x--\r\n", FILE, JOB, b"\r\n\r\n", b"RIFF", b"\0", b"A" * 300, b": ", b"Content-Disposition",
    ]
)  # fmt: skip


@given(fragments=st.lists(FRAGMENTS, max_size=16), starts_well=st.booleans(), data=st.data())
def test_any_body_gets_the_same_answer_however_it_is_cut(fragments, starts_well, data):
    body = (b"--x\r\n" + FILE + b"\r\n\r\n" if starts_well else b"") + b"".join(fragments)
    positions = data.draw(st.lists(st.integers(0, len(body)), max_size=6))

    whole = read([body])

    assert read(cut(body, *positions)) == whole
    assert read(cut(body, *range(len(body)))) == whole


@given(content=st.binary(max_size=400), job=st.binary(max_size=50), size=st.integers(1, 64))
def test_content_comes_out_as_it_went_in(content, job, size):
    boundary = b"0123456789abcdef0123456789abcdef"
    mark = b"--" + boundary
    body = (
        mark + b"\r\n" + FILE + b"\r\n\r\n" + content + b"\r\n"
        + mark + b"\r\n" + JOB + b"\r\n\r\n" + job + b"\r\n" + mark + b"--"
    )  # fmt: skip

    assert read(cut(body, *range(0, len(body), size)), boundary) == [
        ("file", "a.wav", content),
        ("job", None, job),
    ]


PART = b"--x\r\n" + JOB + b"\r\n\r\n"
TOO_LONG = "The multipart body has headers or margins that are too long."


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The upload ended before it was whole."),
        (PART + b"{}", "The upload ended before it was whole."),
        (PART + b"{}\r\n--x", "The upload ended before it was whole."),
        (PART.replace(b"\r\n", b"\n") + b"{}\n--x--\n", "The upload ended before it was whole."),
        (b"a" * (MAX_MARGIN_BYTES + 1) + b"\r\n" + PART + b"{}\r\n--x--", TOO_LONG),
        (PART + b"{}\r\n--x--" + b"a" * (MAX_MARGIN_BYTES + 1), TOO_LONG),
        (b"--x\r\nX: " + b"a" * MAX_HEADER_BYTES + b"\r\n\r\n", TOO_LONG),
        (b"--x" + b" " * (MAX_PADDING_BYTES + 1) + b"\r\n", TOO_LONG),
        (b"--xyz\r\n" + JOB + b"\r\n\r\n{}\r\n--x--", "A boundary of the multipart body has text behind it."),
        (
            b"--x\r\n\r\n{}\r\n--x--",
            "A part of the multipart body has no Content-Disposition, or several.",
        ),
        (
            b"--x\r\n" + JOB + b"\r\n" + FILE + b"\r\n\r\n{}\r\n--x--",
            "A part of the multipart body has no Content-Disposition, or several.",
        ),
        (PART.replace(b"form-data", b"attachment"), "A part of the multipart body is no form data."),
        (
            b"--x\r\nno colon\r\n\r\n",
            "A part of the multipart body has a header that cannot be read.",
        ),
    ],
    ids=[
        "nothing", "cut off", "cut off behind a boundary", "line feeds alone", "a long preamble",
        "a long epilogue", "a long header", "long padding", "a boundary that goes on", "no headers",
        "two dispositions", "an attachment", "a header without a name",
    ],
)  # fmt: skip
def test_what_is_not_well_formed_is_refused(body, sentence):
    assert read([body]) == sentence
    assert read(cut(body, *range(len(body)))) == sentence


@pytest.mark.parametrize(
    "body",
    [
        b"preamble\r\n" + PART + b"{}\r\n--x--\r\nepilogue",
        b"\r\n" + PART + b"{}\r\n--x--",
        b"--x \t \r\n" + JOB + b"\r\n\r\n{}\r\n--x--  \r\n",
        b"--x\r\n" + JOB.replace(b"; ", b";\r\n\t") + b"\r\nX-Other: 1\r\n\r\n{}\r\n--x--\r\n",
        b"--x\r\ncontent-disposition:FORM-DATA; NAME=job\r\n\r\n{}\r\n--x--\r\n",
    ],
    ids=["preamble and epilogue", "an empty line first", "padding", "folded headers", "other spelling"],
)
def test_what_the_standard_allows_is_read(body):
    assert read([body]) == [("job", None, b"{}")]


def test_an_empty_part_may_share_its_line_break_with_the_boundary():
    assert read([b"--x\r\n" + JOB + b"\r\n\r\n--x--"]) == [("job", None, b"")]
    assert read([b"--x\r\n" + JOB + b"\r\n\r\n\r\n--x--"]) == [("job", None, b"")]


@pytest.mark.parametrize(
    ("header", "filename"),
    [
        (b'filename="a\\"b.mp3"', 'a"b.mp3'),
        (b"filename=a.mp3", "a.mp3"),
        (b"filename*=UTF-8''gr%C3%BC%C3%9Fe.mp3", "grüße.mp3"),
        (b'filename="gr\xc3\xbc\xc3\x9fe.mp3"', "grüße.mp3"),
        (b'filename="\xff\xfe.mp3"', "\ufffd\ufffd.mp3"),
        (b'filename="a\nb\0.mp3"', "a\nb\0.mp3"),
        (b'filename="' + b"a" * 10_000 + b'"', "a" * 10_000),
        (b'filename=""', ""),
    ],
    ids=["quotes", "a token", "RFC 5987", "UTF-8", "no UTF-8", "line feed and NUL", "10,000 letters", "none"],
)
def test_a_file_name_is_read_as_it_was_written(header, filename):
    body = b'--x\r\nContent-Disposition: form-data; name="file"; ' + header + b"\r\n\r\nRIFF\r\n--x--"

    assert read([body]) == [("file", filename, b"RIFF")]
