import pytest

from shared.errors import SetupError
from worker.training.recipe import Recipe, as_toml, load_recipe


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
    [("epoch=3", "'epoch'"), ("epochs=many", "epochs is 'many'"), ("epochs", "equals sign")],
)
def test_a_wrong_assignment_is_named(assignment, reason):
    with pytest.raises(SetupError, match=reason):
        load_recipe(None, [assignment])


def test_a_file_that_is_no_toml_is_named(tmp_path):
    (tmp_path / "recipe.toml").write_text("epochs: 3")

    with pytest.raises(SetupError, match=r"recipe\.toml"):
        load_recipe(tmp_path / "recipe.toml", [])
