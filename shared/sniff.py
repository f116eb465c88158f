"""The first bytes of a file -> does it look like audio?

A cheap first answer for whoever takes bytes in: a song is let through, a page, a picture or a playlist is
not, and a playlist is told for what it is. It proves nothing (only `worker/decode.py` can), believes no file
name and no content type, and never reads beyond the head.
"""

import codecs

HEAD_BYTES = 64

_MPEG_HEADER_BYTES = 4

# Containers that begin with a name of their own.
_MAGIC = (
    b"fLaC",
    b"OggS",
    b"\x1aE\xdf\xa3",  # EBML: Matroska, WebM
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c",  # ASF header object: WMA
    b"wvpk",
    b".snd",
)
# Containers made of chunks: a name, four bytes of size, then the kind.
_CHUNKED = {
    b"RIFF": (b"WAVE",),
    b"RIFX": (b"WAVE",),
    b"RF64": (b"WAVE",),
    b"BW64": (b"WAVE",),
    b"FORM": (b"AIFF", b"AIFC"),
}
# Pictures share the box structure of MP4; their brands begin with these.
_PICTURE_BRANDS = (b"avi", b"hei", b"hev", b"mif", b"msf")
_QUICKTIME_BOXES = (b"moov", b"mdat", b"wide")  # files older than the `ftyp` box begin with one of these

# How playlists begin, in lower case: m3u (with and without its header), pls, asx, ffconcat, smil, wpl.
_PLAYLISTS = (
    b"#ext",
    b"http://",
    b"https://",
    b"file://",
    b"[playlist]",
    b"[reference]",
    b"<asx",
    b"ffconcat version",
    b"<smil",
    b"<?wpl",
    b"<playlist",
)
# What may stand before that, or before the first name: lines of m3u and of pls.
_COMMENTS = (b"#", b";")
# An m3u without a header is told by its first line: the name of a song.
_SONG_NAMES = tuple(
    b"." + ending for ending in b"aac aif aiff flac m3u m3u8 m4a mp3 oga ogg opus wav webm wma wv".split()
)


def looks_like_audio(head: bytes) -> bool:
    """Whether a file that begins with `head` (its first HEAD_BYTES, or all of a shorter one) may be a song.

    True for wav, flac, ogg (vorbis, opus), mp3, aac (ADTS), mp4/m4a/mov, aiff, webm/matroska, wma/asf,
    wavpack and au. A video in one of these containers passes: it may have sound.
    """
    head = head[:HEAD_BYTES]
    return (
        head.startswith(_MAGIC)
        or head[8:12] in _CHUNKED.get(head[:4], ())
        or _is_mp4(head)
        or _is_id3(head)
        # Cutters and recorders leave zeros in front of the first frame.
        or _is_mpeg_frame(head.lstrip(b"\0"))
    )


def looks_like_playlist(head: bytes) -> bool:
    """Whether a file that begins with `head` only says where audio is: m3u, pls, asx, xspf and their like.

    Ask `looks_like_audio` first: this one only finds a name for what is none.
    """
    text = _text(head)
    if text.startswith(b"<?xml"):
        return b"<playlist" in text
    for line in map(bytes.strip, text.splitlines()):
        if line.startswith(_PLAYLISTS):
            return True
        if line and not line.startswith(_COMMENTS):
            return line.isascii() and line.endswith(_SONG_NAMES)
    return False


def looks_like_page(head: bytes) -> bool:
    """Whether a file that begins with `head` is a web page."""
    return _text(head).startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<!--"))


def _text(head: bytes) -> bytes:
    """The head as text in UTF-8 and lower case, without a byte order mark and white space in front."""
    head = head[:HEAD_BYTES]
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        head = head.decode("utf-16", errors="ignore").encode(errors="ignore")
    return head.removeprefix(codecs.BOM_UTF8).lstrip().lower()


def _is_mp4(head: bytes) -> bool:
    box, brand = head[4:8], head[8:12]
    if box == b"ftyp":
        return len(brand) == 4 and not brand.startswith(_PICTURE_BRANDS)
    return box in _QUICKTIME_BOXES


def _is_id3(head: bytes) -> bool:
    """An ID3v2 tag, as it stands before MP3, AAC and some FLAC (id3.org, ID3v2.4 section 3.1)."""
    return (
        len(head) >= 10
        and head.startswith(b"ID3")
        and head[3] in (2, 3, 4)
        and all(byte < 0x80 for byte in head[6:10])
    )


def _is_mpeg_frame(head: bytes) -> bool:
    """The header of an MPEG layer II or III frame (ISO 11172-3, 2.4.1.3) or of ADTS (ISO 13818-7, 6.2).

    Layer I is nobody's song, and the byte order marks of UTF-16 text (FF FE) read as one.
    """
    if len(head) < _MPEG_HEADER_BYTES or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    layer = (head[1] >> 1) & 0b11
    if layer == 0b00:
        return head[1] & 0xF0 == 0xF0 and (head[2] >> 2) & 0b1111 < 13  # 13 sample rates are defined
    version = (head[1] >> 3) & 0b11
    bit_rate, sample_rate = head[2] >> 4, (head[2] >> 2) & 0b11
    return layer != 0b11 and version != 0b01 and 0 < bit_rate < 15 and sample_rate != 0b11
