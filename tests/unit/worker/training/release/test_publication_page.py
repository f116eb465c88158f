import copy
import json
from pathlib import Path

import pytest

from worker.training.release.publication_page import publication_page

EVALUATION = json.loads((Path(__file__).parents[5] / "docs" / "evaluation.json").read_text())


@pytest.fixture
def written():
    return copy.deepcopy(EVALUATION)


@pytest.mark.parametrize(
    ("mean", "words"), [(0.6463, "is missed by 0.4 points"), (0.65, "is met"), (0.7, "is met")]
)
def test_the_page_says_whether_the_target_was_met_and_by_how_much_it_was_missed(written, mean, words):
    written["over_seeds"]["accuracy"]["mean"] = mean

    assert f"The target for their mean, 65.0 %, {words}." in publication_page(written)


def test_the_page_counts_the_seeds_whose_calibration_is_that_of_a_calibrated_model(written):
    for number, row in enumerate(written["seeds"]):
        row["scores"] |= {"ece": 0.02 * number, "ece_if_calibrated": [0.03, 0.04]}

    assert "or under it, is met by 3 of 5 seeds." in publication_page(written)


@pytest.mark.parametrize(("after", "said"), [(1.121, True), (1.107, False)])
def test_the_page_says_where_the_temperature_does_no_good(written, after, said):
    written["lists"]["test_filtered"]["before_temperature"]["nll"] = 1.108
    written["lists"]["test_filtered"]["scores"]["nll"] = after

    assert ("It does no good there: NLL is 0.013 higher with it." in publication_page(written)) is said
