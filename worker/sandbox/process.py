"""The zygote as its worker sees it: started, asked, and started anew where it has died."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from shared.errors import DecodeCrashed, SetupError
from worker.sandbox.limits import DecodeLimits
from worker.sandbox.records import REQUEST

PROGRAM: Final = ("-m", "worker.sandbox.zygote")
START_SECONDS = 60.0
END_SECONDS = 5.0
READY_BYTES = 4_096

log = structlog.get_logger(__name__)


class ZygoteProcess:
    """One zygote at a time, for any number of threads."""

    def __init__(self, *, sample_rate: int, limits: DecodeLimits, program: Sequence[str] = PROGRAM) -> None:
        """Start one. program: what the interpreter runs."""
        settings = json.dumps({"sample_rate": sample_rate, "limits": vars(limits)})
        self._command = ([sys.executable, "-P", *program], settings)
        self._lock = threading.Lock()
        self._start()

    @property
    def pid(self) -> int:
        """Of the present one."""
        return self._process.pid

    def wait_ready(self) -> Mapping[str, bool]:
        """Once a song can be decoded: which walls stand. SetupError where it never can."""
        with self._lock:
            return self._ready()

    def ask(self, descriptors: Sequence[int]) -> None:
        """Hand these to the zygote, to a new one where it has died. DecodeCrashed where none can be had."""
        with self._lock:
            for _ in range(2):
                if self._process.poll() is not None:
                    log.warning("the zygote has died", status=self._process.returncode)
                    self._stop()
                    self._start()
                try:
                    self._ready()
                    socket.send_fds(self._control, [REQUEST], descriptors)
                    return
                except (OSError, SetupError):
                    self._process.kill()
                    self._process.wait()
        raise DecodeCrashed("The decoder cannot be started.")

    def give_up(self, pid: int) -> None:
        """End this zygote, should it still be there: it does not answer. The next song starts another."""
        with self._lock:
            if self._process.pid == pid:
                self._process.kill()
                self._process.wait()

    def close(self) -> None:
        """End it, and all children."""
        with self._lock:
            self._stop()

    def _start(self) -> None:
        self._walls: dict[str, bool] = {}
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command, settings = self._command
        with theirs:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno()), settings],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for the worker, which ends the zygote when it is done
            )

    def _ready(self) -> dict[str, bool]:
        if not self._walls:
            self._control.settimeout(START_SECONDS)
            try:
                said = self._control.recv(READY_BYTES)
            except OSError:
                said = b""
            if not said:
                raise SetupError("The process that decodes songs cannot start.")
            self._control.settimeout(None)
            self._walls = json.loads(said)
        return self._walls

    def _stop(self) -> None:
        self._control.close()  # which ends it
        try:
            self._process.wait(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _environment() -> dict[str, str]:
    """Nothing of ours: no password, no key. Modules are found where this process finds them."""
    return {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "OPENBLAS_NUM_THREADS": "1",  # a process with threads cannot be forked
        "OMP_NUM_THREADS": "1",
        **{name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ},
    }
