"""A zygote whose children do what the song says.

`python -m support.evil [--without WALL]… DESCRIPTOR SETTINGS`

A song that begins with `evil:` names an attack, `evil:open:/etc/passwd`; it stands for a decoder that a file
has taken over. What the attack got goes to the worker as the detail of a failure. Any other song is decoded.
"""

import ctypes
import json
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from worker.sandbox import inside, walls, zygote
from worker.sandbox.limits import DecodeLimits
from worker.sandbox.records import FACTS, FAILURE, FRACTION, HEADER, PIECE, SURPRISE, Send, write_failure

FACTS_OF_A_SONG = {
    "source_sample_rate": 44_100, "channels": 2, "codec": "mp3", "duration_seconds": 9.5, "truncated": False,
}  # fmt: skip


def song(attack: str, *arguments: object) -> bytes:
    """A file with this attack in it."""
    return ":".join(["evil", attack, *map(str, arguments)]).encode()


def _open(path: str) -> str:
    with Path(path).open("rb") as file:
        return f"read {len(file.read(10))} bytes"


def _write(path: str) -> str:
    with Path(path).open("wb") as file:
        file.write(b"x")
    return "wrote"


def _grow_song(_: str) -> str:
    """Write into the one file that is open."""
    os.ftruncate(3, 10**6)
    return "grew"


def _connect(address: str) -> str:
    host, port = address.rsplit("-", 1)
    with socket.socket() as connection:
        connection.connect((host.encode(), int(port)))  # not text: a child cannot load an encoding any more
    return "connected"


def _fork(_: str) -> str:
    if os.fork() == 0:
        os._exit(0)
    return "forked"


def _execute(path: str) -> str:
    os.execv(path, [path])
    return "executed"


def _kill(pid: str) -> str:
    os.kill(int(pid), signal.SIGUSR1)
    return "killed"


def _trace(pid: str) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, int(pid), 0, 0) != 0:  # PTRACE_ATTACH
        raise OSError(ctypes.get_errno(), "refused")
    return "traced"


def _raise_limit(_: str) -> str:
    resource.setrlimit(resource.RLIMIT_CPU, (10_000, 10_000))
    return "raised"


def _privileges(_: str) -> str:
    return str(ctypes.CDLL(None).prctl(39, 0, 0, 0, 0))  # PR_GET_NO_NEW_PRIVS


def _user(_: str) -> str:
    return str(os.geteuid())


def _environment(_: str) -> str:
    return " ".join(sorted(os.environ))


def _descriptors(_: str) -> str:
    return " ".join(str(number) for number in range(4_096) if _is_open(number))


def _is_open(number: int) -> bool:
    try:
        os.lseek(number, 0, os.SEEK_CUR)
    except OSError as error:
        return error.errno != 9  # EBADF
    return True


def _loaded(_: str) -> str:
    return " ".join(sorted({name.partition(".")[0] for name in sys.modules} & {"torch", "redis", "celery"}))


def _bloat(size: str) -> str:
    return f"got {len(bytearray(int(size)))} bytes"


def _many_files(_: str) -> str:
    return f"{len([os.dup(3) for _ in range(100)])} more"


def _loop(_: str) -> str:
    while True:
        pass


def _sleep(_: str) -> str:
    while True:
        time.sleep(1_000)


def _drip(_: str) -> str:
    """A piece now and then, and never an end."""
    while True:
        time.sleep(0.2)
        os.write(4, _piece(0.5))


def _pieces(samples: str) -> str:
    """Small pieces, as fast as they go, and never an end."""
    record = _piece(*[0.5] * int(samples))
    while True:
        os.write(4, record)


def _core(_: str) -> str:
    return str(resource.getrlimit(resource.RLIMIT_CORE))


def _dumpable(_: str) -> str:
    return str(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))  # PR_GET_DUMPABLE


def _segfault(_: str) -> str:
    return str(ctypes.string_at(0))


def _abort(_: str) -> str:
    os.abort()


def _exit(status: str) -> str:
    os._exit(int(status))


def _surprise(_: str) -> str:
    raise RuntimeError("nobody expects this")


ATTACKS: dict[str, Callable[[str], str]] = {
    name.removeprefix("_"): attack
    for name, attack in list(globals().items())
    if name.startswith("_") and callable(attack)
}


def _record(tag: bytes, body: bytes) -> bytes:
    return HEADER.pack(tag, len(body)) + body


def _piece(*samples: float, fraction: float = 0.0, count: int = 1) -> bytes:
    return _record(PIECE, FRACTION.pack(fraction) + np.tile(np.array(samples, "<f4"), count).tobytes())


def _facts(**changes: object) -> bytes:
    return _record(FACTS, json.dumps(FACTS_OF_A_SONG | changes).encode())


NONSENSE = {
    "noise": b"\x93\x12" * 100,
    "endless record": HEADER.pack(PIECE, 2**32 - 1),
    "unknown tag": _record(b"?", b"x"),
    "half a header": b"P\0",
    "half a record": HEADER.pack(PIECE, 1_000) + bytes(10),
    "odd length": _record(PIECE, FRACTION.pack(0) + b"123"),
    "no fraction": _record(PIECE, b"12"),
    # With an honest end behind them, so that nothing but the piece is wrong.
    "not a number": _piece(0.5, float("nan")) + _facts(),
    "infinity": _piece(float("inf")) + _facts(),
    "louder than any song": _piece(3e38) + _facts(),
    "no samples": _piece() + _facts(),
    "crumbs": _piece(0.5) * 2_000 + _facts(),
    "brackets without end": _record(FACTS, b"[" * 8_000),
    "facts of a megabyte": _record(FACTS, json.dumps(FACTS_OF_A_SONG).encode().ljust(2**20)),
    "surprise of a megabyte": _record(SURPRISE, b"x" * 2**20),
    "odd fraction": _piece(0.5, fraction=7.0) + _facts(),
    "too many samples": _piece(0.5, count=2**18) * 100 + _facts(),
    "no json": _record(FACTS, b"{"),
    "no object": _record(FACTS, b"[1]"),
    "no facts": _record(FACTS, b"{}"),
    "more facts": _facts(extra=1),
    "text for a number": _facts(channels="2"),
    "truth for a number": _facts(channels=True),
    "long codec": _facts(codec="x" * 1_000),
    "codec of two lines": _facts(codec="mp3\nERROR all is lost"),
    "fewer channels than none": _facts(channels=-1),
    "no end": _facts(duration_seconds=float("inf")),
    "not a length": _facts(duration_seconds=float("nan")),
    "unknown failure": _record(FAILURE, write_failure("setup_error", "Stop the worker.")),
    "long failure": _record(FAILURE, write_failure("corrupt_audio", "x" * 100_000)),
    "failure of two lines": _record(FAILURE, write_failure("corrupt_audio", "a\nb")),
}
"""Bytes that no honest child sends, or not in this order."""


def task(*, sample_rate: int, limits: DecodeLimits) -> inside.Task:
    decode = inside.decode_task(sample_rate=sample_rate, limits=limits)

    def send_raw(data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(4, rest) :]

    def run(audio: BinaryIO, send: Send) -> None:
        audio.seek(0)
        kind, _, rest = audio.read(1_000).partition(b":")
        if kind != b"evil":
            return decode(audio, send)
        name, _, argument = rest.decode().partition(":")
        if name == "say":
            send_raw(NONSENSE[argument])
            return None
        if name == "piece-then":
            send(PIECE, FRACTION.pack(0) + bytes(4_000))
            name, _, argument = argument.partition(":")
        try:
            got = ATTACKS[name](argument)
        except (OSError, ValueError) as error:
            got = f"refused: {type(error).__name__}"
        return send(FAILURE, write_failure("corrupt_audio", got))

    return run


if __name__ == "__main__":
    while sys.argv[1] == "--without":
        assert hasattr(walls, sys.argv[2])
        setattr(walls, sys.argv[2], lambda *_: False)
        del sys.argv[1:3]
    zygote.main(task)
