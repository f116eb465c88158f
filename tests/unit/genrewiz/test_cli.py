"""What every command has in common: the version, the help, and a stdout that takes no more."""

import os
import subprocess
import sys

import pytest


def genrewiz(*arguments: str, stdout: int = subprocess.PIPE) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "genrewiz", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


def test_the_version_is_told_however_it_is_asked_for():
    by_option, by_command = genrewiz("--version"), genrewiz("version")

    assert (by_option.returncode, by_option.stderr) == (0, "")
    assert by_option.stdout == by_command.stdout
    assert by_option.stdout.startswith("genrewiz ")


def test_the_help_tells_every_exit_code():
    text = genrewiz("--help").stdout

    assert [code for code in ("0", "1", "2", "3", "4", "5", "130", "141") if f" {code} " not in text] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("version",),
        ("--version",),
        ("--help",),
        ("submit", "--help"),
        ("openapi",),  # more than a buffer holds
    ],
)
def test_a_full_disk_is_one_sentence(arguments):
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        done = genrewiz(*arguments, stdout=full)
    finally:
        os.close(full)

    assert done.returncode == 1
    assert done.stderr == "genrewiz: The output cannot be written: No space left on device.\n"


def test_help_that_nobody_reads_ends_quietly():
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = genrewiz("--help", stdout=writing)
    finally:
        os.close(writing)

    assert (done.returncode, done.stderr) == (141, "")
