"""What every kind of test may use."""

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real music; where there is none, the test says what was not covered."""
    named = os.environ.get("GENREWIZ_DATA")
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "data"
    if not (folder / "gtzan").is_dir():
        pytest.skip("no data folder: real music was not covered (GENREWIZ_DATA names it)")
    return folder
