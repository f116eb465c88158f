import math
from dataclasses import asdict

import pytest
import torch

from shared.errors import SetupError
from worker.training.learning.augment import augment
from worker.training.learning.recipe import LEAST, MOST, RECIPES, Recipe, as_toml, load_recipe, recipe_from
from worker.training.learning.schedule import cosine, make_optimizer, make_plateau


def test_options_take_precedence_over_assignments_and_those_over_the_file(tmp_path):
    config = tmp_path / "recipe.toml"
    config.write_text("epochs = 5\nseed = 5\nbatch_size = 5\n")

    recipe = load_recipe(config, ["seed=6", "batch_size=6"], batch_size=7, epochs=None)

    assert (recipe.epochs, recipe.seed, recipe.batch_size) == (5, 6, 7)
    assert recipe.learning_rate == Recipe().learning_rate


def test_a_recipe_written_as_toml_reads_back_the_same(tmp_path):
    recipe = Recipe(epochs=3, learning_rate=1e-05, precision="float32")
    (tmp_path / "recipe.toml").write_text(as_toml(recipe))

    assert load_recipe(tmp_path / "recipe.toml", []) == recipe


@pytest.mark.parametrize(
    ("assignment", "reason"),
    [
        ("epoch=3", "'epoch'"),
        ("epochs=many", "epochs is 'many'"),
        ("epochs=1.5", "epochs is '1.5', which is no int"),
        ("epochs", "equals sign"),
        ("epochs=-1", "epochs is -1; it must be from 1 to 100000"),
        ("seed=99999999999999999999", "seed is 9"),
        ("batch_size=1", "batch_size is 1"),
        ("learning_rate=-0.1", "learning_rate is -0.1; it must be from 0 to 1"),
        ("learning_rate=nan", "learning_rate is nan"),
        ("learning_rate=inf", "learning_rate is inf"),
        ("mixup=1.5", "mixup is 1.5; it must be from 0 to 1"),
        ("noise_floor_db=3", "noise_floor_db is 3.0; it must be from -80 to 0"),
        ("optimizer=adam", "optimizer is 'adam'; it can be adamw or rmsprop"),
        ("schedule=step", "schedule is 'step'"),
        ("precision=float16", "precision is 'float16'"),
    ],
)
def test_a_wrong_assignment_is_named(assignment, reason):
    with pytest.raises(SetupError, match=reason):
        load_recipe(None, [assignment])


@pytest.mark.parametrize("line", ["epochs = 1.5", "epochs = true", "epochs = [3]", "optimizer = 3"])
def test_a_files_value_of_another_kind_is_named(tmp_path, line):
    (tmp_path / "recipe.toml").write_text(line)

    with pytest.raises(SetupError, match=f"^{line.split()[0]} is .*, which is no (int|str)"):
        load_recipe(tmp_path / "recipe.toml", [])


@pytest.mark.parametrize("content", [b"epochs: 3", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_named(tmp_path, content):
    (tmp_path / "recipe.toml").write_bytes(content)

    with pytest.raises(SetupError, match=r"recipe\.toml"):
        load_recipe(tmp_path / "recipe.toml", [])


@pytest.mark.parametrize("name", RECIPES)
def test_our_recipes_fit_their_own_limits_and_come_back_from_their_files(tmp_path, name):
    recipe = load_recipe(None, [], recipe=name)
    (tmp_path / "recipe.toml").write_text(as_toml(recipe))

    assert recipe_from(asdict(recipe)) == recipe
    assert load_recipe(tmp_path / "recipe.toml", []) == recipe


def test_the_original_recipe_is_what_its_report_says_and_is_changed_as_any_other():
    recipe = load_recipe(None, ["seed=3"], recipe="original")

    assert (recipe.architecture, recipe.optimizer, recipe.learning_rate) == (
        "pcrnn-original",
        "rmsprop",
        5e-4,
    )
    assert (recipe.schedule, recipe.label_smoothing, recipe.seed) == ("plateau", 0, 3)
    assert recipe.epochs >= 120
    assert recipe.patience == 0


NUMBERS = [key for key, value in asdict(Recipe()).items() if not isinstance(value, str)]


@pytest.mark.parametrize("key", NUMBERS)
def test_every_number_has_a_finite_most_and_is_refused_above_it(key):
    assert math.isfinite(MOST[key])
    assert LEAST.get(key, 0) < MOST[key]
    assert getattr(recipe_from({key: MOST[key]}), key) == MOST[key]

    with pytest.raises(SetupError, match=f"^{key} is .*; it must be from .* to"):
        recipe_from({key: int(MOST[key]) + 1})
    with pytest.raises(SetupError, match=f"^{key} is "):
        recipe_from({key: "9" * 400})


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize("limits", [MOST, LEAST], ids=["most", "least"])
def test_a_recipe_at_its_limits_varies_windows_and_steps(key, limits):
    recipe = recipe_from({key: limits.get(key, 0), "schedule": "plateau"})
    generator = torch.Generator().manual_seed(recipe.seed)
    windows = -80 * torch.rand(2, 32, 128, generator=generator)

    varied = augment(windows - windows.amax(dim=(1, 2), keepdim=True), recipe, generator)

    assert varied.isfinite().all()
    assert math.isfinite(cosine(recipe, 1.5))
    assert make_plateau(make_optimizer(torch.nn.Linear(2, 2), recipe), recipe) is not None
