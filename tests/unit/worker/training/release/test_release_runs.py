import dataclasses

import pytest

from shared.errors import SetupError
from worker.checkpoint import RELEASED, load_checkpoint, save_checkpoint
from worker.training.learning.recipe import RECIPES
from worker.training.release.release_runs import load_run, release_runs


def test_a_checkpoint_that_tells_no_recipe_is_no_run_of_the_plan(tmp_path):
    run = next(run for run in release_runs(RECIPES) if run.lists == "filtered")
    released = load_checkpoint(RELEASED)
    provenance = {key: value for key, value in released.provenance.items() if key != "recipe"}
    save_checkpoint(run.checkpoint(tmp_path), dataclasses.replace(released, provenance=provenance))

    with pytest.raises(SetupError, match="does not say by which recipe"):
        load_run(run, tmp_path)
