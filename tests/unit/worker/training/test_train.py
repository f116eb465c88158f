import csv

import pytest
import torch

from worker.training.recipe import Recipe
from worker.training.scores import score
from worker.training.train import learning_rate, predict, train

SMALL = {"genres": 10, "channels": [2, 2, 2, 2, 4], "gru_units": 2, "gru_bands": 64, "dropout": 0.2}
CPU = torch.device("cpu")


class Interrupted(Exception):
    pass


def run_of(folder, songs, *, resume=False, stop_after=None, **changes):
    recipe = Recipe(**{"epochs": 4, "warmup_epochs": 1, "batch_size": 5, "precision": "float32"} | changes)
    folder.mkdir(exist_ok=True)

    def report(row):
        if row["epoch"] == stop_after:
            raise Interrupted

    return train(
        recipe=recipe,
        sizes=SMALL,
        songs=songs,
        valid=songs,
        run=folder,
        device=CPU,
        resume=resume,
        report=report,
    )


def test_a_run_that_is_interrupted_and_resumed_ends_with_the_weights_of_one_that_is_not(
    tmp_path, small_songs
):
    whole = run_of(tmp_path / "whole", small_songs)
    with pytest.raises(Interrupted):
        run_of(tmp_path / "broken", small_songs, stop_after=2)
    torch.manual_seed(99)  # whatever else drew random numbers in between

    resumed = run_of(tmp_path / "broken", small_songs, resume=True)

    for kept in ("model", "average"):
        expected = getattr(whole, kept).state_dict()
        for name, tensor in getattr(resumed, kept).state_dict().items():
            assert torch.equal(tensor, expected[name]), name
    assert resumed.best["epoch"] == whole.best["epoch"]
    assert [row["train_loss"] for row in resumed.history] == [row["train_loss"] for row in whole.history]


def test_an_interruption_while_the_state_is_written_loses_no_epoch(tmp_path, small_songs):
    run_of(tmp_path / "run", small_songs, epochs=1)
    (tmp_path / "run" / "state.partial").write_bytes(b"half a state")

    resumed = run_of(tmp_path / "run", small_songs, epochs=2, resume=True)

    assert [row["epoch"] for row in resumed.history] == [1, 2]


def test_another_seed_gives_other_weights(tmp_path, small_songs):
    first = run_of(tmp_path / "first", small_songs, epochs=1)
    second = run_of(tmp_path / "second", small_songs, epochs=1, seed=1)

    assert not torch.equal(
        first.model.state_dict()["linear.weight"], second.model.state_dict()["linear.weight"]
    )


def test_training_learns_to_tell_low_noise_from_high(tmp_path, small_songs):
    progress = run_of(tmp_path / "run", small_songs, epochs=12, average_decay=0.5, learning_rate=0.02)

    logits = predict(progress.average, small_songs, CPU, seed=0)

    assert score(logits, small_songs.labels, small_songs.genres).accuracy == 1


def test_the_metrics_have_a_line_for_each_epoch(tmp_path, small_songs):
    run_of(tmp_path / "run", small_songs, epochs=2)

    with (tmp_path / "run" / "metrics.csv").open() as file:
        assert [float(line["epoch"]) for line in csv.DictReader(file)] == [1, 2]


def test_training_stops_when_validation_stands_still(tmp_path, small_songs):
    progress = run_of(tmp_path / "run", small_songs, epochs=9, patience=2, learning_rate=0.0)

    assert progress.epoch == progress.best["epoch"] + 2


def test_the_learning_rate_rises_straight_and_falls_to_zero():
    recipe = Recipe(learning_rate=1.0, warmup_epochs=4, epochs=24)

    assert [learning_rate(recipe, epochs) for epochs in (1, 4)] == [0.25, 1.0]
    assert learning_rate(recipe, 14) == pytest.approx(0.5)
    assert learning_rate(recipe, 24) == pytest.approx(0)
