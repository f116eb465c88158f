"""The worker's side of the sandbox: hands songs to the zygote, and gives back what their children send.

A child that dies, hangs or talks nonsense is one typed failure of its song; another zygote takes the place of
one that dies.
"""

import fcntl
import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import BinaryIO

from shared.errors import DecodeCrashed
from worker.sandbox.child import Child, Lost
from worker.sandbox.limits import DecodeLimits
from worker.sandbox.process import PROGRAM, ZygoteProcess
from worker.song import AudioFacts, Decoding, Piece

PIPE_BYTES = 2**20  # the most that a user may ask for: fewer turns between child and worker
RESAMPLING_SLACK_SECONDS = 1.0


class DecodeSandbox:
    """Decodes songs in walled child processes, for any number of threads at once."""

    def __init__(self, *, sample_rate: int, limits: DecodeLimits, program: Sequence[str] = PROGRAM) -> None:
        """Start the zygote. sample_rate: Hz, of the waveform; program: what the interpreter runs for it."""
        self._limits = limits
        self._most_samples = (limits.max_seconds + RESAMPLING_SLACK_SECONDS) * sample_rate
        self._zygote = ZygoteProcess(sample_rate=sample_rate, limits=limits, program=program)

    def __enter__(self) -> "DecodeSandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def zygote_pid(self) -> int:
        """Of the process that forks the children."""
        return self._zygote.pid

    def wait_ready(self) -> Mapping[str, bool]:
        """Once a song can be decoded: which walls stand. SetupError where it never can."""
        return self._zygote.wait_ready()

    def decode(self, audio: BinaryIO) -> Decoding:
        """As `worker.decode.decode_pieces`, behind the walls. Closing it ends the child.

        audio: seekable; one without a descriptor is copied. Raises what `decode_pieces` raises, DecodeCrashed
        and DecodeTimeout.
        """
        given = 0  # samples; a child that begins anew says them again
        for is_last in (False, True):
            zygote = self._zygote.pid
            try:
                with self._child(audio) as child:
                    behind = given
                    while not isinstance(said := child.next(), AudioFacts):
                        fresh = said.waveform[behind:]
                        behind -= len(said.waveform) - len(fresh)
                        if len(fresh):
                            given += len(fresh)
                            yield Piece(waveform=fresh, fraction=said.fraction)
                    return said
            except Lost:
                if is_last:
                    raise DecodeCrashed("The decoder cannot be started.") from None
                self._zygote.give_up(zygote)
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        """End the zygote and all children."""
        self._zygote.close()

    @contextmanager
    def _child(self, audio: BinaryIO) -> Iterator[Child]:
        with ExitStack() as ours, ExitStack() as theirs:
            records, status = (_pipe(ours, theirs) for _ in range(2))
            with suppress(OSError):  # a user has only so much of large pipes
                fcntl.fcntl(records[0], fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            song = theirs.enter_context(_descriptor(audio))
            self._zygote.ask([song, records[1], status[1]])
            theirs.close()
            child = Child(
                records=records[0],
                status=status[0],
                wait_seconds=self._limits.wait_seconds,
                most_samples=self._most_samples,
            )
            child.await_birth()
            yield child


def _pipe(ours: ExitStack, theirs: ExitStack) -> tuple[int, int]:
    """Where we read and where they write."""
    reader, writer = os.pipe()
    ours.callback(os.close, reader)
    theirs.callback(os.close, writer)
    return reader, writer


@contextmanager
def _descriptor(audio: BinaryIO) -> Iterator[int]:
    """Of the song for reading alone, with a position of its own: of the file itself, or of a copy."""
    with ExitStack() as stack:
        try:
            number = audio.fileno()
        except io.UnsupportedOperation:
            copy = stack.enter_context(tempfile.TemporaryFile())
            audio.seek(0)
            shutil.copyfileobj(audio, copy)
            copy.flush()
            number = copy.fileno()
        descriptor = os.open(f"/proc/self/fd/{number}", os.O_RDONLY)
        stack.callback(os.close, descriptor)
        yield descriptor
