"""The exit codes of every command, and which one a number of inputs makes.

It ends no process: commands do.
"""

from typing import Final

UNEXPECTED: Final = 1
USAGE: Final = 2
SOME_FAILED: Final = 3
ALL_FAILED: Final = 4
UNREACHABLE: Final = 5
INTERRUPTED: Final = 130
NOBODY_READS: Final = 141
"""What a shell says of a program that died of SIGPIPE: whoever read our output has read enough."""


def exit_code(*, good: int, failed: int) -> int:
    """The exit code of a command that was given so many inputs which went well, and which did not."""
    if not failed:
        return 0
    return SOME_FAILED if good else ALL_FAILED
