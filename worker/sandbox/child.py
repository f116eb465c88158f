"""One child as the thread sees it that waits for it: records out of a pipe, and how it ended out of another.

The child has read a stranger's file. Nothing that it says is believed, nor that it will ever say more.
"""

import os
import select
import signal
import time

import structlog

from shared.errors import (
    AudioTooLong,
    CorruptAudio,
    DecodeCrashed,
    DecodeTimeout,
    JobFailure,
    NoAudioStream,
    UnsupportedFormat,
)
from worker.sandbox.records import (
    FACTS,
    FAILURE,
    HEADER,
    LEAST_SAMPLES,
    MAX_BYTES,
    NO_CHILD,
    PIECE,
    STATUS,
    OutOfForm,
    read_facts,
    read_failure,
    read_piece,
)
from worker.song import AudioFacts, Piece

STATUS_SECONDS = 5.0  # from a child's last word to what the zygote says of its end
BIRTH_SECONDS = 30.0  # a zygote that needs longer for a fork is not well
FEW_RECORDS = 64  # more than pieces of a fair size need: ends, and changes of rate
LOGGED_CHARACTERS = 2_000
FAILURES = {
    kind.code: kind for kind in (UnsupportedFormat, CorruptAudio, NoAudioStream, AudioTooLong, DecodeCrashed)
}

log = structlog.get_logger(__name__)


class Lost(Exception):
    """The zygote has died or hangs, and the child with it: the song is not at fault."""


class Child:
    """What comes out of a child."""

    def __init__(self, *, records: int, status: int, wait_seconds: float, most_samples: float) -> None:
        """records, status: the pipes to read. wait_seconds: in all; most_samples: of waveform, in all."""
        self._records = records
        self._status = status
        self._wait_seconds = wait_seconds
        self._most_samples = most_samples
        self._most_records = FEW_RECORDS + most_samples / LEAST_SAMPLES

    def await_birth(self) -> None:
        """Returns once it is there. Lost where the zygote is silent, DecodeCrashed where none can be."""
        try:
            said = self._read(self._status, STATUS.size, seconds=BIRTH_SECONDS)
        except DecodeTimeout:
            raise Lost from None
        if said is None:
            raise Lost
        if STATUS.unpack(said) == (NO_CHILD,):
            raise DecodeCrashed("The decoder cannot be started.")

    def next(self) -> Piece | AudioFacts:
        """The next piece, or the end; the JobFailure that it met or that it is; Lost."""
        try:
            tag, body = self._record()
            if tag == PIECE:
                return self._counted(read_piece(body))
            if tag == FACTS:
                return read_facts(body)
            if tag == FAILURE:
                raise _failure(*read_failure(body))
        except OutOfForm as error:
            log.error("nonsense from the decoder", error=str(error))
            raise DecodeCrashed from None
        log.error("surprise in the decoder", traceback=body.decode("utf-8", "replace")[-LOGGED_CHARACTERS:])
        raise DecodeCrashed

    def _counted(self, piece: Piece) -> Piece:
        self._most_samples -= len(piece.waveform)
        self._most_records -= 1
        if self._most_samples < 0 or self._most_records < 0:
            raise OutOfForm("more samples than the limit, or too few in each piece")
        return piece

    def _record(self) -> tuple[bytes, bytearray]:
        header = self._read(self._records, HEADER.size, seconds=self._wait_seconds)
        if header is None:
            raise self._end()
        tag, length = HEADER.unpack(header)
        if length > MAX_BYTES.get(tag, -1):
            raise OutOfForm("no record")
        body = self._read(self._records, length, seconds=self._wait_seconds)
        if body is None:
            raise self._end()
        return tag, body

    def _end(self) -> Exception:
        """It has ended without an end: what to raise."""
        said = self._read(self._status, STATUS.size, seconds=STATUS_SECONDS)
        if said is None:
            return Lost()
        (status,) = STATUS.unpack(said)
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        log.warning("the decoder died", by=signal.Signals(number).name if number else f"status {status}")
        return DecodeTimeout() if number == signal.SIGXCPU else DecodeCrashed()

    def _read(self, pipe: int, size: int, *, seconds: float) -> bytearray | None:
        """So many bytes, or None where the other end is closed before; DecodeTimeout."""
        buffer = bytearray(size)
        rest = memoryview(buffer)
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        while rest:
            since = time.monotonic()
            come = poll.poll(max(0.0, seconds) * 1_000)
            waited = time.monotonic() - since
            seconds -= waited
            self._wait_seconds -= waited
            if not come:
                raise DecodeTimeout
            count = os.readv(pipe, [rest])
            if count == 0:
                return None
            rest = rest[count:]
        return buffer


def _failure(code: str, detail: str) -> JobFailure:
    if code not in FAILURES:
        raise OutOfForm("no failure of decoding")
    return FAILURES[code](detail)
