"""Asks a real server everything that docs/openapi.json allows, and forbids: `make contract`.

It judges nothing: schemathesis does, with all of its checks and along all links.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from support.api_server import api_serving
from support.quick_worker import quick_worker
from support.redis_server import redis_serving

CHECKOUT = Path(__file__).parents[2]
FIXED, FUZZING, STATEFUL = "examples,coverage", "fuzzing", "stateful"
"""Phases. The first take as long as they do; the others share the seconds, and go on until they are over."""


def ask_everything(folder: Path, *, seconds: int, seed: int) -> Iterator["subprocess.CompletedProcess[str]"]:
    """Runs of schemathesis, one after the other, against an api, a Valkey and a quick worker of their own."""
    with (
        redis_serving(folder) as server,
        server.client() as redis,
        quick_worker(redis, seed=seed),
        api_serving(folder, server.url) as api,
    ):
        for phases in (FIXED, FUZZING, STATEFUL):
            limit = () if phases == FIXED else ("--max-time", str(max(1, seconds // 2)))
            yield subprocess.run(
                [
                    *(sys.executable, "-m", "schemathesis.cli"),
                    *("--config-file", "tests/contract/schemathesis.toml"),
                    *("run", "docs/openapi.json", "--url", f"http://127.0.0.1:{api.port}"),
                    *("--checks", "all", "--phases", phases, "--seed", str(seed), "--no-color", *limit),
                ],
                cwd=CHECKOUT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for run in ask_everything(Path(folder), seconds=asked.seconds, seed=asked.seed):
            print(run.stdout, flush=True)
            failed |= run.returncode != 0
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
