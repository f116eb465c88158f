"""Small songs for fault tests: no two alike, and some with an order to the worker that runs them.

The order stands in a chunk at the end of a WAV, which decoders pass over. Only `worker_process` obeys it.
"""

import re
import secrets
import struct
from typing import BinaryIO

from support.audio import encode, sine

SECONDS = 3.2  # the service takes none under three
SAMPLE_RATE = 8_000  # Hz
_ORDER = re.compile(rb"FAULT:(SLOW|POISON):([a-z0-9.]+);")
_RIFF_HEADER_BYTES = 8

_PLAIN = encode(sine(440, seconds=SECONDS, sample_rate=SAMPLE_RATE), "wav16", sample_rate=SAMPLE_RATE)


def song(*, slow_seconds: float = 0.0, poison: str | None = None) -> bytes:
    """A WAV like no other: one whose run takes so long, or one that does this to its worker."""
    order = b""
    if poison:
        order = b"FAULT:POISON:%s;" % poison.encode()
    elif slow_seconds:
        order = b"FAULT:SLOW:%g;" % slow_seconds
    return _with_chunk(_PLAIN, secrets.token_hex(16).encode() + order)


def order_in(audio: BinaryIO) -> tuple[str, str] | None:
    """("SLOW", seconds) or ("POISON", kind), where a song holds one; leaves the file at its beginning."""
    audio.seek(0)
    found = _ORDER.search(audio.read())
    audio.seek(0)
    return (found[1].decode(), found[2].decode()) if found else None


def _with_chunk(wav: bytes, content: bytes) -> bytes:
    content += bytes(len(content) % 2)
    whole = wav + b"note" + struct.pack("<I", len(content)) + content
    return whole[:4] + struct.pack("<I", len(whole) - _RIFF_HEADER_BYTES) + whole[_RIFF_HEADER_BYTES:]
