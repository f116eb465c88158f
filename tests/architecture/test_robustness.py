"""What docs/robustness.md says was measured, and on the checkpoint that is released."""

import json
from pathlib import Path

from support.distortions import DISTORTIONS
from support.robustness_report import report

DOCS = Path(__file__).parents[2] / "docs"
RELEASED = DOCS.parent / "worker" / "checkpoints" / "pcrnn.safetensors.sha256"


def test_the_page_is_made_of_the_figures():
    figures = json.loads((DOCS / "robustness.json").read_text())

    assert (DOCS / "robustness.md").read_text() == report(figures)


def test_every_way_to_the_service_was_measured_with_the_checkpoint_that_is_released():
    figures = json.loads((DOCS / "robustness.json").read_text())

    assert figures["checkpoint"]["sha256"] == RELEASED.read_text().split()[0]
    assert {name: each["what"] for name, each in figures["ways"].items()} == {
        way.name: way.what for way in DISTORTIONS
    }
