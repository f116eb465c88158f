import csv
import io
import sys
from types import ModuleType

import matplotlib.image
import pytest
from matplotlib.figure import Figure

from shared.errors import UnwritableFile
from worker.training.learning.curves import curves
from worker.training.learning.records import Records


def history_of(epochs):
    return [
        {
            "epoch": float(epoch),
            "learning_rate": 1e-3 / epoch,
            "train_loss": 2 / epoch,
            "valid_nll": 2.5 / epoch,
            "valid_accuracy": 1 - 1 / (epoch + 1),
            "valid_macro_f1": 0.9 - 1 / (epoch + 1),
            "seconds": 3.0,
        }
        for epoch in range(1, epochs + 1)
    ]


class Board:
    """What stands in for TensorBoard's writer."""

    made = ()

    def __init__(self, folder, purge_step):
        self.folder, self.purge_step = folder, purge_step
        self.scalars, self.closed = [], False
        Board.made = (*Board.made, self)

    def add_scalar(self, name, value, epoch):
        self.scalars.append((name, value, epoch))

    def close(self):
        self.closed = True


@pytest.fixture
def tensorboard(monkeypatch):
    """TensorBoard installed; gives the writers that were made."""
    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Board
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    monkeypatch.setattr(Board, "made", ())
    return lambda: Board.made


@pytest.fixture
def no_tensorboard(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)


def pixels(png):
    return matplotlib.image.imread(io.BytesIO(png))


def test_the_metrics_have_a_line_for_each_epoch(tmp_path, no_tensorboard):
    with Records(tmp_path) as records:
        for epoch in (1, 2):
            records.add(history_of(epoch))

    with (tmp_path / "metrics.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [float(line["epoch"]) for line in lines] == [1, 2]
    assert lines[1]["train_loss"] == "1.0"


def test_curves_are_drawn_every_few_epochs_and_at_the_end(tmp_path, no_tensorboard):
    drawn = []
    with Records(tmp_path) as records:
        for epoch in range(1, 8):
            records.add(history_of(epoch))
            if (tmp_path / "curves.png").exists():
                drawn.append((tmp_path / "curves.png").read_bytes())

    assert drawn == [curves(history_of(5))] * 3
    assert (tmp_path / "curves.png").read_bytes() == curves(history_of(7))


def interrupted(records):
    with records:
        records.add(history_of(2))
        raise KeyboardInterrupt


def test_curves_are_drawn_when_the_run_is_interrupted(tmp_path, no_tensorboard):
    with pytest.raises(KeyboardInterrupt):
        interrupted(Records(tmp_path))

    assert (tmp_path / "curves.png").read_bytes() == curves(history_of(2))


def test_a_disk_that_takes_no_picture_does_not_hide_what_ended_the_run(tmp_path, no_tensorboard):
    (tmp_path / "curves.png.partial").mkdir()

    with pytest.raises(KeyboardInterrupt):
        interrupted(Records(tmp_path))


def test_a_disk_that_takes_no_picture_is_said_at_the_end_of_a_run(tmp_path, no_tensorboard):
    (tmp_path / "curves.png.partial").mkdir()

    with pytest.raises(UnwritableFile, match=r"curves\.png"), Records(tmp_path) as records:
        records.add(history_of(2))


def test_a_run_that_ends_before_its_first_epoch_leaves_no_records(tmp_path):
    with Records(tmp_path):
        pass

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("epochs", [1, 2, 150])
def test_curves_are_lines_in_their_colours_on_white(epochs):
    picture = pixels(curves(history_of(epochs)))

    height, width, _ = picture.shape
    assert 700 <= width <= 1000
    assert height < 1000
    assert (picture[0, 0] == 1).all()
    for colour in ((0, 0x72, 0xB2), (0xD5, 0x5E, 0)):
        near = abs(picture[:, :, :3] * 255 - colour).max(axis=2) < 2
        assert near.sum() > 50


@pytest.mark.parametrize("share", [0.0, 0.97, 1.0])
def test_no_axis_of_shares_runs_below_none_or_over_all(share, monkeypatch):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: drawn.append(figure))
    same = {"valid_accuracy": share, "valid_macro_f1": share}

    curves([row | same for row in history_of(3)] + [row | {"epoch": 4.0} for row in history_of(99)[-1:]])
    curves([row | same for row in history_of(3)])

    for figure in drawn:
        (axes,) = (each for each in figure.axes if each.get_ylabel() == "%")
        low, high = axes.get_ylim()
        assert 0 <= low < high <= 100
        assert all(low <= value <= high for line in axes.lines[:2] for value in line.get_ydata())


def test_tensorboard_has_every_column_of_every_epoch_where_it_is_installed(tmp_path, tensorboard):
    with Records(tmp_path) as records:
        for epoch in (3, 4):  # a run that is gone on with
            records.add(history_of(epoch))

    (board,) = tensorboard()
    assert board.purge_step == 3
    assert board.closed
    assert board.scalars == [
        (name, value, epoch) for epoch in (3, 4) for name, value in history_of(epoch)[-1].items()
    ]


def test_training_needs_no_tensorboard(tmp_path, no_tensorboard):
    with Records(tmp_path) as records:
        records.add(history_of(1))

    assert {path.name for path in tmp_path.iterdir()} == {"metrics.csv", "curves.png"}
