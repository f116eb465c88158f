import pytest

from shared.errors import SetupError
from worker.training.learning.recipe import Recipe
from worker.training.learning.run_folder import LEFT_OUT, run_folder


def test_a_folder_that_another_process_trains_in_is_refused(tmp_path):
    with (
        run_folder(tmp_path / "run", Recipe(), {}, resume=False),
        pytest.raises(SetupError, match="Another process"),
        run_folder(tmp_path / "run", Recipe(), {}, resume=True),
    ):
        pass


def test_a_folder_that_holds_a_checkpoint_and_no_runs_state_is_refused_and_stays_as_it_is(tmp_path):
    (tmp_path / "pcrnn.safetensors").write_bytes(b"mine")

    with (
        pytest.raises(SetupError, match="holds pcrnn"),
        run_folder(tmp_path, Recipe(), {}, resume=False),
    ):
        pass

    assert [each.name for each in tmp_path.iterdir()] == ["pcrnn.safetensors"]


def test_going_on_where_nothing_was_begun_is_refused(tmp_path):
    with pytest.raises(SetupError, match="no run"), run_folder(tmp_path / "typo", Recipe(), {}, resume=True):
        pass


def test_a_run_that_was_ended_in_its_first_epoch_is_begun_again_by_the_same_recipe_alone(tmp_path):
    with run_folder(tmp_path, Recipe(), {}, resume=False):
        (tmp_path / LEFT_OUT).write_text("left out blues/1.mp3: it is silent\n")
    with run_folder(tmp_path, Recipe(), {}, resume=True):
        pass

    with (
        pytest.raises(SetupError, match="mixup"),
        run_folder(tmp_path, Recipe(mixup=0.1), {}, resume=True),
    ):
        pass
