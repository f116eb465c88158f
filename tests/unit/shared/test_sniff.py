"""What the first bytes of a file are taken for."""

import pytest

from shared.sniff import HEAD_BYTES, looks_like_audio, looks_like_page, looks_like_playlist
from support.audio import FORMATS, OPUS_SAMPLE_RATE, SAMPLE_RATE, encode, music_like


@pytest.mark.parametrize("kind", FORMATS)
def test_a_song_of_any_format_looks_like_audio(kind):
    sample_rate = OPUS_SAMPLE_RATE if kind in ("opus", "webm") else SAMPLE_RATE
    song = encode(music_like(seconds=0.5, sample_rate=sample_rate), kind, sample_rate=sample_rate)

    head = song[:HEAD_BYTES]

    assert looks_like_audio(head)


def test_an_mp3_looks_like_audio_without_its_tag_and_behind_zeros():
    frames = encode(music_like(seconds=0.5), "mp3")
    assert frames[0] == 0xFF

    cut = bytes(40) + frames

    assert looks_like_audio(frames[:HEAD_BYTES])
    assert looks_like_audio(cut[:HEAD_BYTES])


def test_an_id3_tag_of_any_length_looks_like_audio():
    tag = b"ID3\x04\x00\x00" + bytes((0x00, 0x7F, 0x7F, 0x7F)) + b"TIT2"

    assert looks_like_audio(tag)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff", id="one byte"),
        pytest.param(bytes(HEAD_BYTES), id="zeros"),
        pytest.param(b"\xff" * HEAD_BYTES, id="ones"),
        pytest.param(b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", id="m3u8"),
        pytest.param(b"ffconcat version 1.0\nfile secret.mp3\n", id="ffconcat"),
        pytest.param(b"[playlist]\nFile1=song.mp3\n", id="pls"),
        pytest.param(b"<!doctype html><title>404</title>", id="html"),
        pytest.param(b'{"error": "not found"}', id="json"),
        pytest.param(b"ID3 is a tag", id="text that begins with ID3"),
        pytest.param("\ufeff#EXTM3U\n".encode("utf-16-le"), id="utf-16 little endian"),
        pytest.param("\ufeff#EXTM3U\n".encode("utf-16-be"), id="utf-16 big endian"),
        pytest.param("\ufeff#EXTM3U\n".encode(), id="utf-8 with a mark"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", id="png"),
        pytest.param(b"\xff\xd8\xff\xe0\x00\x10JFIF\0", id="jpeg"),
        pytest.param(b"GIF89a\x01\0\x01\0", id="gif"),
        pytest.param(b"RIFF\x24\0\0\0WEBPVP8 ", id="webp"),
        pytest.param(b"RIFF\x24\0\0\0AVI LIST", id="avi"),
        pytest.param(b"\0\0\0\x1cftypavif\0\0\0\0", id="avif"),
        pytest.param(b"\0\0\0\x1cftypheic\0\0\0\0", id="heic"),
        pytest.param(b"%PDF-1.7\n", id="pdf"),
        pytest.param(b"PK\x03\x04\x14\0", id="zip"),
        pytest.param(b"\x1f\x8b\x08\0\0\0\0\0", id="gzip"),
        pytest.param(b"MThd\0\0\0\x06\0\x01", id="midi"),
        pytest.param(b"\x7fELF\x02\x01\x01\0", id="elf"),
    ],
)
def test_what_is_no_audio_does_not_look_like_it(head):
    assert not looks_like_audio(head)


def test_only_the_head_counts():
    page = b"<html>".ljust(HEAD_BYTES) + encode(music_like(seconds=0.5), "wav16")

    assert not looks_like_audio(page)


@pytest.mark.parametrize(
    ("head", "playlist", "page"),
    [
        (b"#EXTM3U", True, False),
        (b"\xef\xbb\xbf\r\n#extm3u", True, False),
        (b"[Playlist]\r\n", True, False),
        (b"<ASX VERSION='3.0'>", True, False),
        (b"<?xml version='1.0'?>\n<playlist version='1'", True, False),
        (b"<?xml version='1.0'?>\n<svg", False, False),
        (b"ffconcat version 1.0", True, False),
        (b"http://a.example/", True, False),
        (b"; comment\r\n# another\r\n\r\n[Playlist]\r\n", True, False),
        (b"\n\n# a comment\nmusic/song.MP3\nother.mp3\n", True, False),
        (b"song.flac", True, False),
        ("\ufeff#EXTM3U\nhttp://a.example/".encode("utf-16-le").ljust(HEAD_BYTES + 1, b"\0"), True, False),
        ("\ufeff[playlist]".encode("utf-16-be"), True, False),
        ("\ufeff<html>".encode("utf-16-le"), False, True),
        (b"\xff\xfe\x00\xd8\x00", False, False),
        (b"# only a comment", False, False),
        (b"# a comment\nthe first line is no song\nsong.mp3\n", False, False),
        (b"\x01\x80\x00.mp3", False, False),
        (b"<!DOCTYPE HTML>", False, True),
        (b"\n  <html lang=en>", False, True),
        (b"fLaC", False, False),
        (b"", False, False),
    ],
)
def test_playlists_and_pages_are_told_from_the_rest(head, playlist, page):
    assert (looks_like_playlist(head), looks_like_page(head)) == (playlist, page)
