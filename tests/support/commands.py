"""The command line as a user runs it, against a server that is named in its environment."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Done:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its output, where that was asked for as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


class CommandLine:
    """`genrewiz …` for one server."""

    def __init__(self, url: str, **environment: str) -> None:
        self.environment = {**os.environ, "GENREWIZ_URL": url, **environment}

    def __call__(self, *arguments: object, stdin: bytes = b"", cwd: object = None) -> Done:
        """Run it to its end; it never shows a traceback."""
        done = subprocess.run(
            self._command(arguments),
            env=self.environment,
            input=stdin,
            capture_output=True,
            cwd=str(cwd) if cwd else None,
            check=False,
        )
        err = done.stderr.decode()
        assert "Traceback" not in err, err
        assert "\x1b" not in err, "nobody looks: there is nothing to draw"
        return Done(done.returncode, done.stdout.decode("utf-8", "surrogateescape"), err)

    def start(self, *arguments: object, **options: Any) -> "subprocess.Popen[str]":
        """Run it beside the test, which ends it."""
        return subprocess.Popen(
            # A test that was itself started in the background hands on that Ctrl-C means nothing.
            ["env", "--default-signal=INT", *self._command(arguments)],
            env=self.environment,
            text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )

    @staticmethod
    def _command(arguments: Iterable[object]) -> list[str]:
        return [sys.executable, "-m", "genrewiz", *map(str, arguments)]
