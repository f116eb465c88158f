from contextlib import suppress
from dataclasses import asdict, replace

import pytest
import torch

from shared.errors import SetupError, TrainingStopped, UnwritableFile
from support.networks import SMALL_SIZES
from worker.training.learning.branches import answers
from worker.training.learning.recipe import ORIGINAL, RECIPES, Recipe
from worker.training.learning.scores import score
from worker.training.learning.train import PREDICTED_AT_ONCE, predict, train

CPU = torch.device("cpu")


class Interrupted(Exception):
    pass


def run_of(folder, songs, *, valid=None, resume=False, stop_after=None, after=(None, None), **changes):
    """A run of few short epochs; after: (epoch, what to do when it is finished)."""
    recipe = Recipe(**{"epochs": 4, "warmup_epochs": 1, "batch_size": 5, "precision": "float32"} | changes)
    folder.mkdir(exist_ok=True)

    def report(progress):
        if progress.epoch == stop_after:
            raise Interrupted
        if progress.epoch == after[0]:
            after[1]()

    return train(
        recipe=recipe,
        sizes=SMALL_SIZES,
        songs=songs,
        valid=valid or songs,
        run=folder,
        device=CPU,
        resume=resume,
        report=report,
    )


def small_original(**changes):
    """The original recipe for the small network: its own takes windows of 640 frames."""
    return asdict(replace(ORIGINAL, architecture="pcrnn", batch_size=5, **changes))


def assert_same(resumed, whole):
    for kept in ("model", "average"):
        expected = getattr(whole, kept).state_dict()
        for name, tensor in getattr(resumed, kept).state_dict().items():
            assert torch.equal(tensor, expected[name]), name
    assert resumed.best["epoch"] == whole.best["epoch"]
    assert torch.equal(resumed.best_logits, whole.best_logits)
    # How long accuracy has stood still decides when the learning rate falls.
    assert stood_still(resumed) == stood_still(whole)
    for column in ("train_loss", "learning_rate"):
        assert [row[column] for row in resumed.history] == [row[column] for row in whole.history]


def stood_still(progress):
    return progress.plateau and progress.plateau.state_dict()


@pytest.mark.parametrize("changes", [{}, small_original(epochs=4, plateau_epochs=1)], ids=RECIPES)
def test_a_run_that_is_interrupted_and_resumed_ends_with_the_weights_of_one_that_is_not(
    tmp_path, small_songs, changes
):
    whole = run_of(tmp_path / "whole", small_songs, **changes)
    with pytest.raises(Interrupted):
        run_of(tmp_path / "broken", small_songs, stop_after=2, **changes)
    torch.manual_seed(99)  # whatever else drew random numbers in between

    # An epoch that was finished is not trained again.
    resumed = run_of(tmp_path / "broken", small_songs, resume=True, after=(1, pytest.fail), **changes)

    assert_same(resumed, whole)


def test_the_same_seed_gives_the_same_weights(tmp_path, small_songs):
    assert_same(run_of(tmp_path / "second", small_songs), run_of(tmp_path / "first", small_songs))


def test_a_run_that_ran_out_of_disk_goes_on_where_there_is_room_again(tmp_path, small_disk, small_songs):
    ballast = small_disk / "ballast"
    whole = run_of(tmp_path / "whole", small_songs)

    with pytest.raises(UnwritableFile, match=r"state\.pt cannot be written"):
        run_of(small_disk / "run", small_songs, after=(2, lambda: fill_up(ballast)))
    ballast.unlink()
    resumed = run_of(small_disk / "run", small_songs, resume=True, after=(1, pytest.fail))

    assert_same(resumed, whole)


def fill_up(ballast):
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_loss_that_is_not_finite_stops_the_run_and_the_last_good_epoch_is_kept(tmp_path, small_songs):
    run_of(tmp_path / "run", small_songs, epochs=2)
    kept = (tmp_path / "run" / "state.pt").read_bytes()

    with pytest.raises(TrainingStopped, match=r"The loss of epoch 3 is (nan|inf)\."):
        run_of(tmp_path / "run", small_songs, resume=True, learning_rate=1e30)

    assert (tmp_path / "run" / "state.pt").read_bytes() == kept


def test_answers_that_are_not_finite_stop_the_run(tmp_path, small_songs):
    broken = replace(small_songs, rough=torch.full((12, 128), torch.nan))

    with pytest.raises(TrainingStopped, match="answers after epoch 1 are not finite"):
        run_of(tmp_path / "run", small_songs, valid=broken)

    assert not (tmp_path / "run" / "state.pt").exists()


def test_too_few_songs_are_counted(tmp_path, small_songs):
    with pytest.raises(SetupError, match="1 songs to train on"):
        run_of(tmp_path / "run", small_songs.chosen(small_songs.names[:1]), valid=small_songs)


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


def test_training_stops_when_validation_stands_still(tmp_path, small_songs):
    progress = run_of(tmp_path / "run", small_songs, epochs=9, patience=2, learning_rate=0.0)

    figures = [row["valid_macro_f1"] for row in progress.history]
    assert progress.epoch < 9
    assert progress.epoch == figures.index(max(figures)) + 1 + 2


def test_a_run_without_patience_goes_to_its_end(tmp_path, small_songs):
    progress = run_of(tmp_path / "run", small_songs, epochs=6, patience=0, learning_rate=0.0)

    assert progress.epoch == 6


def test_the_model_never_sees_more_than_a_few_windows_at_once(small_songs):
    class LongSongs:
        def __len__(self):
            return 3

        def whole(self, row, *, seed):
            return small_songs.whole(0, seed=seed).repeat((1, 70, 2)[row], 1, 1)

    class Watching(torch.nn.Module):
        def forward(self, windows):
            seen.append(len(windows))
            return torch.arange(len(windows)).float().unsqueeze(1)

    seen = []

    logits = predict(Watching(), LongSongs(), CPU, seed=0)

    assert max(seen) <= PREDICTED_AT_ONCE
    assert sum(seen) == 73
    assert logits.shape == (3, 1)


def test_the_first_epochs_learn_from_parts_of_windows_and_the_last_from_whole_ones(
    tmp_path, small_songs, monkeypatch
):
    seen = []

    def watching(model, heads, windows):
        seen.append(windows)
        return answers(model, heads, windows)

    monkeypatch.setattr("worker.training.learning.train.answers", watching)

    run_of(tmp_path / "run", small_songs, batch_size=12, crop_frames=64, whole_share=0.5)

    assert [windows.shape[2] for windows in seen] == [64, 64, 128, 128]


def test_the_answers_of_the_branches_are_learned_with_the_networks(tmp_path, small_songs):
    still = run_of(tmp_path / "still", small_songs, epochs=1, learning_rate=0.0)
    moved = run_of(tmp_path / "moved", small_songs, epochs=1)

    for before, after in zip(still.heads.parameters(), moved.heads.parameters(), strict=True):
        assert not torch.equal(before, after)


def test_parts_of_windows_begin_anywhere(tmp_path, small_songs, monkeypatch):
    """The windows count their frames: what is learned from tells where it began."""
    still = Recipe(**small_original(crop_frames=8, whole_share=0.0, epochs=12))
    counting = replace(
        small_songs,
        levels=torch.arange(128, dtype=torch.uint8).view(1, 128, 1).repeat(12, 1, 128) + 100,
        gap=torch.zeros(12, 128, dtype=torch.uint8),
    )
    first = set()

    def watching(model, heads, windows):
        first.add(round(float(windows[0, 0, 0, 0] + 80) * 255 / 80) - 100)
        return (model(counting.whole(0, seed=0).unsqueeze(1).repeat(len(windows), 1, 1, 1)),)

    monkeypatch.setattr("worker.training.learning.train.answers", watching)

    train(recipe=still, sizes=SMALL_SIZES, songs=counting, valid=counting, run=tmp_path, device=CPU)

    assert len(first) > 6
    assert min(first) >= 0
    assert max(first) <= 120
