"""One running service for the tests that only use it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.service import LIMITS, Service, serving

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("service"), **LIMITS) as service:
        yield service


@pytest.fixture(scope="session")
def sample() -> bytes:
    """One of the bundled songs."""
    return (CHECKOUT / "api" / "static" / "samples" / "nightdrive.mp3").read_bytes()
