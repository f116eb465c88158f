"""Every format in every shape that it can hold, against the same signal. docs/formats.md has the figures."""

from pathlib import Path

import pytest

from support.format_families import FAMILIES
from support.formats import EXACT, error_decibels

FORMS = [
    pytest.param(family, form, id=f"{family.name}-{form}") for family in FAMILIES for form in family.forms()
]
DOCUMENT = Path(__file__).parents[2] / "docs" / "formats.md"


@pytest.mark.parametrize(("family", "form"), FORMS)
def test_a_file_of_any_shape_decodes_to_the_mean_of_the_channels_that_went_in(family, form):
    assert error_decibels(form, family) <= family.bound


def test_lossless_formats_are_held_to_every_bit():
    lossless = {family.name for family in FAMILIES if family.bound == EXACT}

    assert {"WAV", "RF64", "AIFF, AIFF-C", "AU", "FLAC", "WavPack", "ALAC (m4a)"} <= lossless


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_document_has_a_row_for_every_format_and_says_what_it_cannot_hold(family):
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith(f"| {family.name} |")]

    assert len(rows) == 4  # by channels, by rate, by depth, and what it cannot hold
    assert family.cannot in rows[-1]
