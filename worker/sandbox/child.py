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
    MAX_BYTES,
    NO_CHILD,
    PIECE,
    STATUS,
    SURPRISE,
    OutOfForm,
    read_facts,
    read_failure,
    read_piece,
)
from worker.song import AudioFacts, Piece

STATUS_SECONDS = 5.0  # from a child's last word to what the zygote says of its end
FAILURES = {
    kind.code: kind for kind in (UnsupportedFormat, CorruptAudio, NoAudioStream, AudioTooLong, DecodeCrashed)
}

log = structlog.get_logger(__name__)


class NoChild(Exception):
    """The zygote died before a child could begin."""


class Child:
    """What comes out of a child."""

    def __init__(self, *, records: int, status: int, wait_seconds: float, most_samples: float) -> None:
        """records, status: the pipes to read. wait_seconds: in all; most_samples: of waveform, in all."""
        self._records = records
        self._status = status
        self._wait_seconds = wait_seconds
        self._most_samples = most_samples

    def next(self) -> Piece | AudioFacts:
        """The next piece, or the end; the JobFailure that it met or that it is; NoChild."""
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
        log.error("surprise in the decoder", traceback=body.decode("utf-8", "replace"))
        raise DecodeCrashed

    def _counted(self, piece: Piece) -> Piece:
        self._most_samples -= len(piece.waveform)
        if self._most_samples < 0:
            raise OutOfForm("more samples than the limit")
        return piece

    def _record(self) -> tuple[bytes, bytearray]:
        header = self._read(self._records, HEADER.size, seconds=self._wait_seconds)
        if header is None:
            raise self._end()
        tag, length = HEADER.unpack(header)
        if length > MAX_BYTES or tag not in (PIECE, FACTS, FAILURE, SURPRISE):
            raise OutOfForm("no record")
        body = self._read(self._records, length, seconds=self._wait_seconds)
        if body is None:
            raise self._end()
        return tag, body

    def _end(self) -> Exception:
        """It has ended without an end: what to raise."""
        said = self._read(self._status, STATUS.size, seconds=STATUS_SECONDS)
        if said is None:
            return NoChild()
        (status,) = STATUS.unpack(said)
        if status == NO_CHILD:
            return DecodeCrashed("The decoder cannot be started.")
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
