"""What a decode may use."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DecodeLimits:
    """The bounds of one song."""

    max_seconds: float  # of audio
    memory_bytes: int  # address space of the child
    cpu_seconds: int  # of the child
    wait_seconds: (
        float  # that the worker waits for the child, in all; what the worker itself takes is not counted
    )
