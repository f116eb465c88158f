import json
from dataclasses import replace

import pytest

from shared.errors import SetupError
from worker.training.evaluation.outputs import json_text
from worker.training.learning.recipe import RECIPES, Recipe, load_recipe
from worker.training.release.ablations import PARTS, VARIANTS, ablate, shortened
from worker.training.release.ablations_page import ablations_page

BASE = replace(shortened(epochs=1), warmup_epochs=0, batch_size=5, precision="float32", width=0.1)


@pytest.fixture
def some():
    """The base, one that learns from other songs, one with another recipe, one with another network."""
    return tuple(each for each in VARIANTS if each.name in ("released", "unfilled", "no-mixup", "gru-last"))


def test_every_variant_differs_from_the_released_recipe_in_its_own_part_alone():
    released, *others = [each.recipe(0, RECIPES["released"]) for each in VARIANTS]

    assert released == Recipe()
    for variant, recipe in zip(VARIANTS[1:], others, strict=True):
        changed = {key for key, value in vars(recipe).items() if value != vars(released)[key]}
        assert changed == set(variant.changes)
        assert changed or not variant.filled


def test_ablations_are_trained_once_gone_on_with_and_shown_on_one_page(small_data, tmp_path, some):
    said: list[str] = []
    options = {"data": small_data, "variants": some, "base": BASE, "say": said.append}
    ablate(tmp_path, **options | {"seeds": (0,)})
    with pytest.raises(SetupError, match="begun with another recipe"):
        ablate(tmp_path, **options | {"base": replace(BASE, dropout=0.5)})
    states = {path: path.read_bytes() for path in tmp_path.glob("*/state.pt")}

    written = json.loads(json_text(ablate(tmp_path, **options)))

    assert len(states) == 4
    assert all(path.read_bytes() == kept for path, kept in states.items())
    assert load_recipe(tmp_path / "gru-last-1" / "recipe.toml", []) == replace(
        BASE, seed=1, gru_summary="last"
    )
    losses = {name: each["seeds"]["0"]["train_loss"] for name, each in written["variants"].items()}
    assert len(set(losses.values())) == len(losses), "a variant learned just as another did"
    page = ablations_page(written)
    for variant in some:
        assert variant.what in page
    for way in PARTS:
        assert way in page
    assert written["heard"]["0"].keys() == PARTS.keys()
