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

from worker.song import LOUDEST, AudioFacts, Piece, Waveform

REQUEST: Final = b"decode"
"""Comes with three descriptors: the song, the pipe for records, the pipe for the status."""
STATUS: Final = struct.Struct("<i")
"""How a child ended, as of waitpid; NO_CHILD where there could be none."""
NO_CHILD: Final = -1
BORN: Final = -2
"""The first thing that is told of a child: it is there."""

PIECE: Final = b"P"  # fraction of the song (double), then samples (float32)
FACTS: Final = b"F"  # JSON of AudioFacts: the end of a song
FAILURE: Final = b"E"  # JSON {code, detail}: the end of one that is at fault
SURPRISE: Final = b"S"  # a traceback, for the log

HEADER: Final = struct.Struct("<cI")
FRACTION: Final = struct.Struct("<d")
SAMPLES_PER_RECORD: Final = 2**18
_TEXT_BYTES: Final = 8 * 2**10
MAX_BYTES: Final = {
    PIECE: FRACTION.size + 4 * SAMPLES_PER_RECORD,
    FACTS: _TEXT_BYTES,
    FAILURE: _TEXT_BYTES,
    SURPRISE: _TEXT_BYTES,
}
"""By tag: no record is longer."""
LEAST_SAMPLES: Final = 2**10
"""Of waveform, in a piece: fewer come only where a song ends or its sample rate changes."""
_RINGING: Final = 2.0  # no resampler's overshoot is louder, beside the loudest sample

Send = Callable[..., None]
"""Takes a tag, and the body in one or more parts."""


class OutOfForm(Exception):
    """Bytes that no honest child sends."""


def sender(pipe: int) -> Send:
    """Writes records to a descriptor; blocks while the reader is behind."""

    def send(tag: bytes, *body: bytes | memoryview) -> None:
        header = HEADER.pack(tag, sum(map(len, body)))
        for part in (header, *body):  # a megabyte of waveform is not copied to stand behind its header
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(pipe, rest) :]

    return send


def send_piece(send: Send, piece: Piece) -> None:
    """A piece, in as many records as it takes."""
    for start in range(0, len(piece.waveform), SAMPLES_PER_RECORD):
        samples = piece.waveform[start : start + SAMPLES_PER_RECORD]
        waveform = np.ascontiguousarray(samples, "<f4")
        send(PIECE, FRACTION.pack(piece.fraction), waveform.data.cast("B"))


def read_piece(body: bytearray) -> Piece:
    """The piece of a record; OutOfForm, also where a sample is louder than any song's, or no number."""
    if len(body) <= FRACTION.size or (len(body) - FRACTION.size) % 4:
        raise OutOfForm("a piece of odd length")
    (fraction,) = FRACTION.unpack_from(body)
    waveform = np.frombuffer(body, "<f4", offset=FRACTION.size)
    if not (0 <= fraction <= 1 and _is_quiet_enough(waveform)):
        raise OutOfForm("a piece with numbers that are none")
    return Piece(waveform=waveform, fraction=fraction)


def _is_quiet_enough(waveform: Waveform) -> bool:
    bound = _RINGING * LOUDEST
    return bool(-bound <= waveform.min() and waveform.max() <= bound)  # false for NaN, too


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
    except (ValueError, RecursionError) as error:
        raise OutOfForm("no JSON") from error
    if not isinstance(said, dict):
        raise OutOfForm("no object")
    return said
