"""What is uploaded, and how far it is."""

import io
import os
from pathlib import Path

import pytest

from genrewiz.client.upload import Upload, uploading

SONG = bytes(range(256)) * 1_000


def read_all(upload: Upload, size: int = 65_536) -> bytes:
    """As httpx does: measured where that can be, rewound, read."""
    part = upload.begin()
    if hasattr(part, "seek"):
        part.seek(part.tell())
    pieces = []
    while piece := part.read(size):
        pieces.append(piece)
        upload.tell()
    return b"".join(pieces)


def make_pipe(content: bytes) -> io.BufferedReader:
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return os.fdopen(reading, "rb")


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "file", "memory"])
def test_a_song_is_read_from_whatever_holds_it_as_often_as_it_is_sent(tmp_path, kind):
    path = tmp_path / "song.mp3"
    path.write_bytes(SONG)
    with path.open("rb") as file:
        source = {"path": path, "text": str(path), "bytes": SONG, "file": file, "memory": io.BytesIO(SONG)}[
            kind
        ]

        with uploading(source) as upload:
            assert read_all(upload) == read_all(upload) == SONG
            assert upload.can_be_repeated
            assert upload.filename == ("audio" if kind in ("bytes", "memory") else "song.mp3")


def test_a_pipe_is_read_once():
    with make_pipe(b"song") as pipe, uploading(pipe) as upload:
        assert upload.can_be_repeated
        assert not hasattr(upload.begin(), "seek")  # so that its length is not guessed
        assert read_all(upload) == b"song"
        assert not upload.can_be_repeated
        assert upload.filename == "audio"


def test_a_file_is_sent_from_where_it_stands():
    file = io.BytesIO(b"tag" + SONG)
    file.seek(3)

    with uploading(file) as upload:
        assert read_all(upload) == read_all(upload) == SONG
        assert upload.begin().seek(0, os.SEEK_END) == len(SONG)


def test_how_far_it_is_goes_from_nothing_to_all_of_it_and_begins_anew_when_it_is_sent_again():
    seen: list[tuple[int, int | None]] = []
    with uploading(b"x" * 10, on_bytes=lambda *told: seen.append(told)) as upload:
        read_all(upload, 4)
        read_all(upload, 10)

    assert seen == [(4, 10), (8, 10), (10, 10), (10, 10)]
    with make_pipe(b"song") as pipe, uploading(pipe, on_bytes=lambda *told: seen.append(told)) as upload:
        read_all(upload)
    assert seen[-1] == (4, None)


def test_what_is_added_to_a_file_while_it_is_sent_is_not_sent(tmp_path):
    path = tmp_path / "song.mp3"
    path.write_bytes(b"x" * 10)
    with uploading(path) as upload:
        part = upload.begin()
        with path.open("ab") as file:
            file.write(b"y" * 10)

        assert part.read(7) + part.read(7) + part.read(7) == b"x" * 10
        assert len(read_all(upload)) == 20


def test_a_file_that_becomes_shorter_while_it_is_sent_is_an_error_of_the_files(tmp_path):
    path = tmp_path / "song.mp3"
    path.write_bytes(b"x" * 100_000)
    with uploading(path) as upload:
        part = upload.begin()
        part.read(50_000)
        os.truncate(path, 10)

        with pytest.raises(OSError, match="shorter"):
            [part.read(50_000) for _ in range(3)]


@pytest.mark.parametrize(
    ("filename", "shown"), [("Ärzte.mp3", "Ärzte.mp3"), ("a\udcff.mp3", "a?.mp3"), (None, "song.mp3")]
)
def test_names_that_are_no_text_can_be_sent(tmp_path, filename, shown):
    path = tmp_path / "song.mp3"
    path.write_bytes(b"x")

    with uploading(path, filename=filename) as upload:
        assert upload.filename == shown


def test_what_was_opened_here_is_closed_and_what_was_not_is_left_open(tmp_path):
    path = tmp_path / "song.mp3"
    path.write_bytes(b"x")
    with path.open("rb") as theirs:
        with uploading(theirs):
            pass
        assert not theirs.closed
    before = len(list(Path("/proc/self/fd").iterdir()))
    with uploading(path):
        pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_cannot_be_sent_is_said_before_anything_is(tmp_path):
    with pytest.raises(FileNotFoundError), uploading(tmp_path / "none.mp3"):
        pass
    with pytest.raises(IsADirectoryError), uploading(tmp_path):
        pass
    with pytest.raises(TypeError, match="rb"), uploading(io.StringIO("song")):
        pass
