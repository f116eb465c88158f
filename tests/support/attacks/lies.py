"""Good songs whose headers lie about lengths, counts, rates and times.

Every function takes the song in the format of its name and gives variants of it, by the lie.
"""

import struct
from functools import cache

from support.attacks.parts import box, chunk, element, full_box, id3_frame, id3_tag, with_checksum

_MOST = 2**32 - 1


def of_wav(song: bytes) -> dict[str, bytes]:
    """song: as libsndfile writes it, `fmt ` at 12 and `data` at 36."""
    return {
        "wav-data-of-4-gib": _set(song, 40, "<I", _MOST),
        "wav-riff-of-4-gib": _set(song, 4, "<I", _MOST),
        "wav-data-of-nothing": _set(song, 40, "<I", 0),
        "wav-data-of-2-gib": _set(song, 40, "<I", 2**31 - 1),
        "wav-rate-0": _set(song, 24, "<I", 0),
        "wav-rate-1": _set(song, 24, "<I", 1),
        "wav-rate-2^31": _set(song, 24, "<I", 2**31),
        "wav-rate-2^32-1": _set(song, 24, "<I", _MOST),
        "wav-channels-0": _set(song, 22, "<H", 0),
        "wav-channels-255": _set(song, 22, "<H", 255),
        "wav-channels-65535": _set(song, 22, "<H", 65_535),
        "wav-block-align-0": _set(song, 32, "<H", 0),
        "wav-block-align-65535": _set(song, 32, "<H", 65_535),
        "wav-bits-0": _set(song, 34, "<H", 0),
        "wav-bits-65535": _set(song, 34, "<H", 65_535),
        "wav-fmt-of-4-gib": _set(song, 16, "<I", _MOST),
        "wav-codec-unknown": _set(song, 20, "<H", 0x7A7A),
        "wav-codec-that-is-no-audio": _set(song, 20, "<H", 0x0092),  # S/PDIF: streams in the samples
    }


def of_rf64(song: bytes) -> dict[str, bytes]:
    """song: with `ds64` at 12."""
    return {
        "rf64-all-ones": _set(_set(song, 20, "<Q", 2**64 - 1), 28, "<Q", 2**64 - 1),
        "rf64-exabytes": _set(song, 28, "<Q", 2**62),
        "rf64-negative": _set(song, 28, "<q", -1),
        "rf64-table-of-billions": _set(song, 44, "<I", _MOST),
    }


def of_aiff(song: bytes) -> dict[str, bytes]:
    """Lies in COMM (channels, frames, bits, an 80-bit rate) and in SSND."""
    comm, ssnd = song.index(b"COMM") + 8, song.index(b"SSND") + 4
    rate = comm + 8
    return {
        "aiff-frames-2^32": _set(song, comm + 2, ">I", _MOST),
        "aiff-frames-0": _set(song, comm + 2, ">I", 0),
        "aiff-sound-of-4-gib": _set(song, ssnd, ">I", _MOST),
        "aiff-offset-of-4-gib": _set(song, ssnd + 4, ">I", _MOST),
        "aiff-channels-255": _set(song, comm, ">H", 255),
        "aiff-channels-0": _set(song, comm, ">H", 0),
        "aiff-bits-65535": _set(song, comm + 6, ">H", 65_535),
        "aiff-rate-0": _replace(song, rate, bytes(10)),
        "aiff-rate-1": _replace(song, rate, b"\x3f\xff\x80" + bytes(7)),
        "aiff-rate-2^31": _replace(song, rate, b"\x40\x1e\x80" + bytes(7)),
        "aiff-rate-infinite": _replace(song, rate, b"\x7f\xff\x80" + bytes(7)),
        "aiff-rate-negative": _replace(song, rate, b"\xc0\x0e\xfa" + bytes(7)),
    }


def of_au(song: bytes) -> dict[str, bytes]:
    """A header of six numbers."""
    return {
        "au-data-of-4-gib": _set(song, 8, ">I", _MOST - 1),
        "au-offset-of-4-gib": _set(song, 4, ">I", _MOST),
        "au-offset-0": _set(song, 4, ">I", 0),
        "au-rate-0": _set(song, 16, ">I", 0),
        "au-rate-2^31": _set(song, 16, ">I", 2**31),
        "au-channels-255": _set(song, 20, ">I", 255),
        "au-channels-2^32-1": _set(song, 20, ">I", _MOST),
    }


def of_flac(song: bytes) -> dict[str, bytes]:
    """song: STREAMINFO at 8. 20 bits of rate, 3 of channels, 5 of depth, 36 of samples stand at 18."""
    packed = int.from_bytes(song[18:26], "big")
    rate_mask = (2**20 - 1) << 44
    return {
        "flac-samples-2^36": _replace(song, 18, (packed | 2**36 - 1).to_bytes(8, "big")),
        "flac-samples-unknown": _replace(song, 18, (packed >> 36 << 36).to_bytes(8, "big")),
        "flac-rate-0": _replace(song, 18, (packed & ~rate_mask).to_bytes(8, "big")),
        "flac-rate-1": _replace(song, 18, (packed & ~rate_mask | 1 << 44).to_bytes(8, "big")),
        "flac-rate-2^20": _replace(song, 18, (packed | rate_mask).to_bytes(8, "big")),
        "flac-channels-8": _replace(song, 18, (packed | 7 << 41).to_bytes(8, "big")),
        "flac-block-sizes-65535": _replace(song, 8, b"\xff" * 4),
        "flac-block-sizes-0": _replace(song, 8, bytes(4)),
        "flac-metadata-of-16-mib": _replace(song, 42, b"\x04\xff\xff\xff"),
    }


def of_mp3(song: bytes) -> dict[str, bytes]:
    """song: whose first frame is a Xing header."""
    xing = max(song.find(b"Xing"), song.find(b"Info"))
    picture = b"\0image/png\0\3\0" + bytes(5_000_000)
    return {
        "mp3-xing-frames-2^32": _set(song, xing + 8, ">I", _MOST),
        "mp3-xing-frames-0": _set(song, xing + 8, ">I", 0),
        "mp3-xing-bytes-2^32": _set(song, xing + 12, ">I", _MOST),
        "mp3-tag-of-256-mb": id3_tag(claimed_bytes=2**28 - 1) + song,
        "mp3-tag-of-nothing": id3_tag(claimed_bytes=0) + song,
        "mp3-huge-cover": id3_tag(id3_frame(b"APIC", picture)) + song,
        "mp3-frame-larger-than-tag": id3_tag(b"APIC" + b"\x7f" * 4 + b"\0\0") + song,
        "mp3-hundred-tags": id3_tag(id3_frame(b"TIT2", b"\3x")) * 100 + song,
    }


def of_mp4(song: bytes) -> dict[str, bytes]:
    """song: with the whole of its index."""
    lies: dict[str, bytes] = {}
    for table in (b"stts", b"stsc", b"stsz", b"stco"):
        count = song.index(table) + 8 + 4 * (table == b"stsz")
        lies[f"mp4-{table.decode()}-billions"] = _set(song, count, ">I", _MOST)
        lies[f"mp4-{table.decode()}-none"] = _set(song, count, ">I", 0)
        lies[f"mp4-{table.decode()}-2^28"] = _set(song, count, ">I", 2**28)
    sizes, times, places = (song.index(kind) for kind in (b"stsz", b"stts", b"stco"))
    media = song.index(b"mdhd")
    return lies | {
        "mp4-samples-of-4-gib": _set(song, sizes + 8, ">I", _MOST),
        "mp4-samples-of-one-byte": _set(song, sizes + 8, ">I", 1),
        "mp4-durations-2^32": _set(song, times + 16, ">I", _MOST),
        "mp4-durations-0": _set(song, times + 16, ">I", 0),
        "mp4-samples-behind-the-end": _set(song, places + 12, ">I", _MOST),
        "mp4-timescale-0": _set(song, media + 16, ">I", 0),
        "mp4-timescale-2^32": _set(song, media + 16, ">I", _MOST),
        "mp4-duration-2^32": _set(song, media + 20, ">I", _MOST),
        "mp4-entry-of-255-channels": _set(song, song.index(b"mp4a") + 20, ">H", 255),
        "mp4-entry-of-rate-0": _set(song, song.index(b"mp4a") + 28, ">I", 0),
        "mp4-moov-of-4-gib": _set(song, song.index(b"moov") - 4, ">I", _MOST),
        "mp4-moov-of-8-bytes": _set(song, song.index(b"moov") - 4, ">I", 8),
        "mp4-edit-before-zero": _set(song, song.index(b"elst") + 16, ">i", -(2**31)),
        "mp4-edit-far-behind": _set(song, song.index(b"elst") + 16, ">I", 2**31 - 1),
    }


def of_ogg(song: bytes) -> dict[str, bytes]:
    """Pages with another position in the song, and with the right checksum for it."""
    last = song.rindex(b"OggS")
    first_audio = song.index(b"OggS", song.index(b"OggS", 4) + 4)

    def with_granule(place: int, granule: int) -> bytes:
        end = song.find(b"OggS", place + 4)
        page = song[place : end if end > 0 else len(song)]
        return song[:place] + with_checksum(_set(page, 6, "<q", granule)) + song[place + len(page) :]

    return {
        "ogg-ends-in-centuries": with_granule(last, 2**62),
        "ogg-ends-before-it-begins": with_granule(last, -(2**62)),
        "ogg-ends-at-minus-one": with_granule(last, -1),
        "ogg-begins-in-centuries": with_granule(first_audio, 2**62),
        "ogg-begins-before-zero": with_granule(first_audio, -(2**40)),
    }


def of_matroska() -> dict[str, bytes]:
    """Headers without a song: rates and times that are no numbers, sizes without an end."""
    lies = {}
    for name, rate in (
        ("nan", float("nan")),
        ("infinite", float("inf")),
        ("negative", -48_000.0),
        ("zero", 0.0),
    ):
        lies[f"matroska-rate-{name}"] = _matroska(rate=rate)
    lies["matroska-before-zero"] = _matroska(block_time=-32_768)
    lies["matroska-in-centuries"] = _matroska(cluster_time=2**63 - 1)
    lies["matroska-channels-2^32"] = _matroska(channels=_MOST)
    lies["matroska-bits-2^32"] = _matroska(bits=_MOST)
    lies["matroska-timescale-0"] = _matroska(timescale=0)
    lies["matroska-timescale-2^63"] = _matroska(timescale=2**63 - 1)
    return lies


def _matroska(
    *,
    rate: float = 16_000.0,
    channels: int = 1,
    bits: int = 16,
    block_time: int = 0,
    cluster_time: int = 0,
    timescale: int = 1_000_000,
) -> bytes:
    """Four seconds of PCM in four blocks."""
    audio = element(
        0xE1,
        element(0xB5, struct.pack(">d", rate)),
        element(0x9F, channels.to_bytes(4, "big")),
        element(0x6264, bits.to_bytes(4, "big")),
    )
    track = element(0xAE, element(0xD7, b"\1"), element(0x83, b"\2"), element(0x86, b"A_PCM/INT/LIT"), audio)
    blocks = [
        element(0xA3, b"\x81" + struct.pack(">h", block_time + 1_000 * n) + b"\x80" + b"\x11\x10" * 16_000)
        for n in range(4)
    ]
    return element(0x1A45DFA3, element(0x4282, b"matroska")) + element(
        0x18538067,
        element(0x1549A966, element(0x2AD7B1, timescale.to_bytes(8, "big"))),
        element(0x1654AE6B, track),
        element(0x1F43B675, element(0xE7, cluster_time.to_bytes(8, "big")), *blocks),
        unknown_size=True,
    )


@cache
def nested() -> dict[str, bytes]:
    """Boxes in boxes, chunks in chunks, elements in elements, far deeper than any song's; and very many."""
    boxes, elements, lists = b"", b"", b""
    for _ in range(2_000):
        boxes, elements, lists = box(b"moov", boxes), element(0xAE, elements), chunk(b"LIST", b"adtl" + lists)
    notes = chunk(b"ANNO", big_endian=True)
    brand, head = box(b"ftyp", b"M4A \0\0\0\0"), element(0x1A45DFA3, element(0x4282, b"webm"))
    return {
        "mp4-deep": brand + boxes,
        "mp4-open-boxes": brand + b"\xff\xff\xff\xfftrak" * 100_000,
        "mp4-million-boxes": brand + box(b"free") * 1_000_000,
        "mp4-box-of-size-0": brand + box(b"moov", box(b"trak", size=0)),
        "mp4-box-of-size-1": brand + box(b"moov", struct.pack(">I4sQ", 1, b"trak", 2**63 - 1)),
        "mp4-thousands-of-tracks": brand + box(b"moov", box(b"trak", full_box(b"tkhd", bytes(80))) * 20_000),
        "matroska-deep": head + element(0x18538067, element(0x1654AE6B, elements)),
        "matroska-open-elements": head + b"\x18\x53\x80\x67\x01" * 100_000,
        "matroska-thousands-of-tracks": head
        + element(0x18538067, element(0x1654AE6B, element(0xAE, element(0x86, b"A_AAC")) * 20_000)),
        "wav-deep": chunk(b"RIFF", b"WAVE", lists),
        "wav-million-chunks": chunk(b"RIFF", b"WAVE", chunk(b"JUNK") * 1_000_000),
        "aiff-million-chunks": chunk(b"FORM", b"AIFF" + notes * 1_000_000, big_endian=True),
    }


def _set(data: bytes, place: int, form: str, number: int) -> bytes:
    return _replace(data, place, struct.pack(form, number))


def _replace(data: bytes, place: int, with_bytes: bytes) -> bytes:
    return data[:place] + with_bytes + data[place + len(with_bytes) :]
