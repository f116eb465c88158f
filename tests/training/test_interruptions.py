"""`genrewiz train` as a process of its own that is killed, interrupted or out of disk, and gone on with."""

import fcntl
import hashlib
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from genrewiz.cli import build
from support.waiting import eventually
from worker.checkpoint import load_checkpoint

EPOCHS = 3
SMALLER_THAN_A_STATE_BYTES = 10_000


@pytest.fixture
def arguments(small_data) -> Callable[..., list[str]]:
    changes = (f"epochs={EPOCHS}", "batch_size=5", "precision=float32", "warmup_epochs=1")
    options = [option for change in changes for option in ("--set", change)]

    def to(run: Path, *more: str) -> list[str]:
        return ["train", "--data", str(small_data), "--output", str(run), "--threads", "1", *options, *more]

    return to


def trained(arguments: list[str]):
    return CliRunner().invoke(build(), arguments)


def sha256(run: Path) -> str:
    return hashlib.sha256((run / "pcrnn.safetensors").read_bytes()).hexdigest()


def kill(process):
    process.kill()
    return -signal.SIGKILL, ""


def interrupt(process):
    process.send_signal(signal.SIGINT)
    return 130, "the same command with --resume goes on"


def forbid_files(process):
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (SMALLER_THAN_A_STATE_BYTES,) * 2)
    return 1, "state.pt cannot be written: File too large. Make room."


@contextmanager
def held_after_an_epoch(arguments: list[str], run: Path):
    """A process that waits, its first epoch on disk, for somebody to read what it says of it."""
    ours, its = os.pipe()
    os.write(its, b" " * fcntl.fcntl(its, fcntl.F_GETPIPE_SZ))
    # Whoever runs the tests in the background of a shell has made them deaf to interruptions.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "genrewiz", *arguments]
    with subprocess.Popen(command, stderr=its) as process, os.fdopen(ours) as said:
        os.close(its)
        try:
            eventually((run / "metrics.csv").exists)
            yield process, said
        finally:
            process.kill()


@pytest.mark.parametrize("blow", [kill, interrupt, forbid_files])
def test_a_process_that_is_ended_and_gone_on_with_writes_the_checkpoint_of_one_that_was_not(
    tmp_path, arguments, blow
):
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    with held_after_an_epoch(arguments(broken), broken) as (process, stderr):
        status, reason = blow(process)
        said = stderr.read().strip()
        process.wait()
    so_far = load_checkpoint(broken / "pcrnn.safetensors")

    resumed, uninterrupted = trained(arguments(broken, "--resume")), trained(arguments(whole))

    assert process.returncode == status
    assert reason in said
    assert "Traceback" not in said
    assert so_far.provenance["epoch"] == 1
    assert (resumed.exit_code, uninterrupted.exit_code) == (0, 0)
    assert sha256(broken) == sha256(whole)
    assert not list(broken.glob("*.partial"))
