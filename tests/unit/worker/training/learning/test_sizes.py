from dataclasses import replace

import pytest
import torch

from shared.errors import SetupError
from worker.checkpoint import GENRES
from worker.model import FEWEST_FRAMES, RELEASED_SIZES, build_model
from worker.training.learning.recipe import ORIGINAL, Recipe
from worker.training.learning.sizes import check_network, sizes_of


def test_the_recipe_that_is_released_makes_the_network_that_is_released():
    sizes = sizes_of(Recipe(), GENRES)

    assert {key: tuple(v) if isinstance(v, list) else v for key, v in sizes.items()} == RELEASED_SIZES


def test_a_recipe_says_how_wide_the_network_is_and_the_songs_how_many_genres_it_knows():
    recipe = Recipe(width=0.5, kernel=5, gru_units=8, gru_summary="last", dropout=0.1)

    sizes = sizes_of(recipe, ("a", "b", "c"))

    assert sizes["channels"] == [16, 32, 32, 64, 64]
    model = build_model("pcrnn", sizes)
    assert model.linear.out_features == 3
    assert model.linear.in_features == 2 * 64 + 2 * 8
    assert model.cnn[4].kernel_size == (5, 5)


def test_a_kernel_without_a_middle_is_refused():
    with pytest.raises(SetupError, match="kernel is 4; it must be odd"):
        sizes_of(Recipe(kernel=4), GENRES)


def test_crops_in_which_the_network_hears_nothing_are_refused_and_no_longer_ones():
    with pytest.raises(SetupError, match="crop_frames is 62; the network hears nothing of fewer than 63"):
        check_network(Recipe(crop_frames=FEWEST_FRAMES - 1))
    check_network(Recipe(crop_frames=0))
    check_network(Recipe(crop_frames=FEWEST_FRAMES))

    model = build_model("pcrnn", sizes_of(Recipe(), GENRES)).eval()

    assert model(torch.zeros(1, 1, FEWEST_FRAMES, 128)).shape == (1, 10)
    with pytest.raises(RuntimeError):
        model(torch.zeros(1, 1, FEWEST_FRAMES - 1, 128))


def test_an_unknown_architecture_is_refused_with_those_that_there_are():
    with pytest.raises(SetupError, match=r"'resnet'; there are pcrnn, pcrnn-original\."):
        sizes_of(Recipe(architecture="resnet"), GENRES)


@pytest.mark.parametrize(
    "changes",
    [
        *({"width": 2.0}, {"kernel": 5}, {"gru_units": 8}, {"gru_summary": "last"}, {"dropout": 0.0}),
        *({"branch_loss": 0.5}, {"crop_frames": 320}),
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_the_original_network_does_not_have_is_refused_and_not_passed_over(changes):
    with pytest.raises(SetupError, match=f"takes no (other )?{next(iter(changes))}"):
        sizes_of(replace(ORIGINAL, **changes), GENRES)


def test_the_original_network_knows_its_ten_genres_alone():
    assert sizes_of(ORIGINAL, GENRES) == {}
    with pytest.raises(SetupError, match="the ten genres of GTZAN alone"):
        sizes_of(ORIGINAL, ("folk", "techno"))
