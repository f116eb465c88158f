"""What worker, zygote and child say to each other.

The worker asks with a message and three descriptors; a child answers in records through a pipe, and the
zygote tells through another how the child ended. A record is a tag of one byte, the length of what follows in
four bytes, and that. The child has read a stranger's file: whoever reads what it says checks it.
"""

import json
import os
import struct
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from worker.song import AudioFacts, Piece

REQUEST: Final = b"decode"
"""Comes with three descriptors: the song, the pipe for records, the pipe for the status."""
STATUS: Final = struct.Struct("<i")
"""How a child ended, as of waitpid; NO_CHILD where there was none."""
NO_CHILD: Final = -1

PIECE: Final = b"P"  # fraction of the song (double), then samples (float32)
FACTS: Final = b"F"  # JSON of AudioFacts: the end of a song
FAILURE: Final = b"E"  # JSON {code, detail}: the end of one that is at fault
SURPRISE: Final = b"S"  # a traceback, for the log

HEADER: Final = struct.Struct("<cI")
FRACTION: Final = struct.Struct("<d")
SAMPLES_PER_RECORD: Final = 2**18
MAX_BYTES: Final = FRACTION.size + 4 * SAMPLES_PER_RECORD
"""No record is longer."""

Send = Callable[[bytes, bytes], None]


class OutOfForm(Exception):
    """Bytes that no honest child sends."""


def sender(pipe: int) -> Send:
    """Writes records to a descriptor; blocks while the reader is behind."""

    def send(tag: bytes, body: bytes) -> None:
        rest = memoryview(HEADER.pack(tag, len(body)) + body)
        while rest:
            rest = rest[os.write(pipe, rest) :]

    return send


def send_piece(send: Send, piece: Piece) -> None:
    """A piece, in as many records as it takes."""
    for start in range(0, len(piece.waveform), SAMPLES_PER_RECORD):
        samples = piece.waveform[start : start + SAMPLES_PER_RECORD]
        send(PIECE, FRACTION.pack(piece.fraction) + samples.astype("<f4", copy=False).tobytes())


def read_piece(body: bytearray) -> Piece:
    """The piece of a record; OutOfForm, also where a sample is not finite."""
    if len(body) < FRACTION.size or (len(body) - FRACTION.size) % 4:
        raise OutOfForm("a piece of odd length")
    (fraction,) = FRACTION.unpack_from(body)
    waveform = np.frombuffer(body, "<f4", offset=FRACTION.size)
    if not (0 <= fraction <= 1 and np.isfinite(waveform).all()):
        raise OutOfForm("a piece with numbers that are none")
    return Piece(waveform=waveform, fraction=fraction)


def write_facts(facts: AudioFacts) -> bytes:
    """The body of a FACTS record."""
    return json.dumps(vars(facts)).encode()


def read_facts(body: bytearray) -> AudioFacts:
    """The facts of a record; OutOfForm."""
    said = _object(body)
    kinds = AudioFacts.__annotations__
    if said.keys() != kinds.keys() or any(type(said[name]) is not kind for name, kind in kinds.items()):
        raise OutOfForm("facts of another form")
    facts = AudioFacts(**said)
    if not (facts.codec.isascii() and facts.codec.isprintable() and len(facts.codec) <= 64):
        raise OutOfForm("a codec without a name")
    # A stream of which nothing could be decoded may have no rate and no channels.
    if not (
        0 <= facts.duration_seconds < float("inf") and facts.channels >= 0 and facts.source_sample_rate >= 0
    ):
        raise OutOfForm("facts that cannot be")
    return facts


def write_failure(code: str, detail: str) -> bytes:
    """The body of a FAILURE record."""
    return json.dumps({"code": code, "detail": detail}).encode()


def read_failure(body: bytearray) -> tuple[str, str]:
    """Code and detail; OutOfForm."""
    said = _object(body)
    code, detail = said.get("code"), said.get("detail")
    if not (
        isinstance(code, str) and isinstance(detail, str) and detail.isprintable() and len(detail) <= 200
    ):
        raise OutOfForm("a failure of another form")
    return code, detail


def _object(body: bytearray) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError as error:
        raise OutOfForm("no JSON") from error
    if not isinstance(said, dict):
        raise OutOfForm("no object")
    return said
