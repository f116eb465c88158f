"""What containers are made of: boxes, elements, pages, chunks and frames, with their checksums."""

import struct
from functools import cache


def box(kind: bytes, *content: bytes, size: int | None = None) -> bytes:
    """A box of MP4 (ISO 14496-12, 4.2); size: what it claims."""
    body = b"".join(content)
    return struct.pack(">I", len(body) + 8 if size is None else size) + kind + body


def full_box(kind: bytes, *content: bytes, flags: int = 0) -> bytes:
    """A box with a version (0) and flags."""
    return box(kind, struct.pack(">I", flags), *content)


def chunk(kind: bytes, *content: bytes, size: int | None = None, big_endian: bool = False) -> bytes:
    """A chunk of RIFF or (big-endian) IFF."""
    body = b"".join(content)
    order = ">" if big_endian else "<"
    return (
        kind + struct.pack(f"{order}I", len(body) if size is None else size) + body + b"\0" * (len(body) % 2)
    )


def element(number: int, *content: bytes, unknown_size: bool = False) -> bytes:
    """An element of EBML (RFC 8794), whose size takes eight bytes."""
    body = b"".join(content)
    size = b"\x01" + (b"\xff" * 7 if unknown_size else len(body).to_bytes(7, "big"))
    return number.to_bytes((number.bit_length() + 7) // 8, "big") + size + body


def ogg_page(
    packets: list[bytes],
    *,
    granule: int,
    number: int,
    serial: int = 1,
    first: bool = False,
    last: bool = False,
) -> bytes:
    """A page of Ogg (RFC 3533, section 6) of whole packets, 255 segments in all."""
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    flags = 2 * first + 4 * last
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, serial, number, 0, len(lacing)) + lacing
    return with_checksum(head + b"".join(packets))


def with_checksum(page: bytes) -> bytes:
    """A page of Ogg with the checksum that belongs to it; without, it would be passed over."""
    blank = page[:22] + bytes(4) + page[26:]
    return page[:22] + struct.pack("<I", _checksum(blank, 0x04C11DB7, 32)) + page[26:]


def flac_frame(number: int, *, samples: int) -> bytes:
    """A frame of silence in mono, 16 bits (RFC 9639, section 9): ten odd bytes for up to 65,536 samples."""
    head = b"\xff\xf8\x70\x08" + chr(number).encode("utf-8", "surrogatepass") + struct.pack(">H", samples - 1)
    head += bytes([_checksum(head, 0x07, 8)])
    frame = head + b"\0\0\0"  # one constant subframe, whose constant is 0
    return frame + struct.pack(">H", _checksum(frame, 0x8005, 16))


def id3_tag(*frames: bytes, claimed_bytes: int | None = None) -> bytes:
    """A tag of ID3v2.4."""
    body = b"".join(frames)
    return b"ID3\x04\0\0" + _seven_bits(len(body) if claimed_bytes is None else claimed_bytes) + body


def id3_frame(kind: bytes, content: bytes) -> bytes:
    """A frame of ID3v2.4."""
    return kind + _seven_bits(len(content)) + b"\0\0" + content


def _seven_bits(number: int) -> bytes:
    return bytes((number >> shift) & 0x7F for shift in (21, 14, 7, 0))


def _checksum(data: bytes, polynomial: int, bits: int) -> int:
    table = _table(polynomial, bits)
    rest, mask = 0, (1 << bits) - 1
    for byte in data:
        rest = (rest << 8 & mask) ^ table[rest >> (bits - 8) ^ byte]
    return rest


@cache
def _table(polynomial: int, bits: int) -> tuple[int, ...]:
    top, mask = 1 << (bits - 1), (1 << bits) - 1
    table = []
    for byte in range(256):
        rest = byte << (bits - 8)
        for _ in range(8):
            rest = (rest << 1 ^ polynomial if rest & top else rest << 1) & mask
        table.append(rest)
    return tuple(table)
