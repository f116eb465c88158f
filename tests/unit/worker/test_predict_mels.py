import csv
import dataclasses
import io
import zipfile

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from shared.errors import MelsUnusable
from worker.checkpoint import GENRES, RELEASED, load_checkpoint, save_checkpoint
from worker.commands import predict_mels
from worker.features import FeatureSettings
from worker.predict_mels import WINDOWS_AT_ONCE, read_windows
from worker.predict_mels import predict_mels as predict
from worker.spectrogram import log_mel

HEADER = "index,blues,classical,country,disco,hiphop,jazz,metal,pop,reggae,rock"


@pytest.fixture
def run(tmp_path):
    """The command on what is saved as X: its result and the path of its output."""
    app = typer.Typer()
    app.command()(predict_mels)

    def run(x=None, *options, source=tmp_path / "mels.npz", output=tmp_path / "answers.csv"):
        if x is not None:
            np.savez_compressed(source, X=x)
        arguments = (source, "--output", output, *options)
        return CliRunner().invoke(app, [str(argument) for argument in arguments]), output

    return run


@pytest.fixture(scope="module")
def levels() -> np.ndarray:
    """Three windows of noise that is louder below than above, each with its own loudest point at 255."""
    levels = np.random.default_rng(7).integers(0, 100, (3, 640, 128), dtype=np.uint8)
    levels[0, :, :40] += 100
    levels[1, :, 40:90] += 100
    levels[:, 100, 20] = 255
    return levels


def decibels(levels: np.ndarray) -> np.ndarray:
    return levels.astype(np.float64) * 80 / 255 - 80


def rows(path) -> np.ndarray:
    """(windows, genres), once header and index are seen to be right."""
    with path.open(newline="") as file:
        header, *lines = csv.reader(file)
    assert ",".join(header) == HEADER
    assert [int(line[0]) for line in lines] == list(range(len(lines)))
    return np.array([[float(share) for share in line[1:]] for line in lines])


def test_each_window_gets_the_calibrated_probabilities_of_the_model(run, levels):
    result, output = run(levels)

    assert result.exit_code == 0, result.output
    checkpoint = load_checkpoint(RELEASED)
    windows = torch.from_numpy(decibels(levels)).float()
    with torch.inference_mode():
        logits = checkpoint.build()(windows.unsqueeze(1))
    expected = (logits.double() / checkpoint.temperature).softmax(dim=1)
    assert np.allclose(rows(output), expected, atol=1e-5)
    assert np.abs(rows(output).sum(axis=1) - 1).max() < 1e-5
    assert checkpoint.genres == GENRES


def test_a_row_is_that_of_its_window_however_many_there_are(run, levels):
    count = 2 * WINDOWS_AT_ONCE + 1
    order = np.arange(count) % 3

    _, output = run(levels)
    three = rows(output)
    run(levels[order])

    assert rows(output).shape == (count, 10)
    assert np.allclose(rows(output), three[order], atol=1e-5)
    assert np.abs(three[0] - three[1]).max() > 0.01


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", ">f4"])
def test_floating_decibels_get_the_answer_of_the_levels_they_stand_for(run, levels, kind):
    _, output = run(levels)
    expected = rows(output)

    result, output = run(decibels(levels).astype(kind))

    assert result.exit_code == 0, result.output
    assert np.allclose(rows(output), expected, atol=2e-3 if kind == "f2" else 1e-5)


def test_a_float_window_is_brought_to_its_own_maximum_and_cut_off_as_the_service_does(run, levels):
    quiet = decibels(levels) - 35.0
    quiet[quiet < -110] -= 200

    _, output = run(quiet)

    windows = log_mel(torch.from_numpy(10 ** (decibels(levels) / 10)), top_db=80.0).float()
    windows[torch.from_numpy(decibels(levels) < -75)] = -80.0
    _, expected = run(windows.numpy(), output=output.with_name("expected.csv"))
    assert np.allclose(rows(output), rows(expected), atol=1e-5)


def test_levels_are_taken_as_they_are(run, levels):
    halved = levels // 2

    _, output = run(halved)

    as_floats = decibels(halved)
    as_floats[:, 0, 0] = 0.0  # keeps the maximum from being moved
    _, moved = run(decibels(halved), output=output.with_name("moved.csv"))
    _, kept = run(as_floats, output=output.with_name("kept.csv"))
    assert np.abs(rows(output) - rows(kept)).max() < np.abs(rows(output) - rows(moved)).max()


def test_silence_is_answered_too(run):
    for silent in (np.zeros((1, 640, 128), np.uint8), np.full((1, 640, 128), -100, np.float32)):
        result, output = run(silent)

        assert result.exit_code == 0
        assert rows(output).sum() == pytest.approx(1, abs=1e-5)


def test_single_precision_levels_that_end_a_little_above_0_are_no_mistake(run, levels):
    result, _ = run(levels.astype(np.float32) * np.float32(80 / 255) - np.float32(80) + np.float32(1e-5))

    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        (np.zeros((0, 640, 128), np.uint8), "is empty"),
        (np.zeros((2, 128, 640), np.uint8), "has shape (2, 128, 640); (windows, 640, 128) is needed"),
        (np.zeros((640, 128), np.uint8), "has shape (640, 128)"),
        (np.zeros((), np.uint8), "has shape ()"),
        (np.zeros((1, 640, 128), np.int16), "is int16"),
        (np.zeros((1, 640, 128), bool), "is bool"),
        (np.zeros((1, 640, 128), complex), "is complex128"),
        (np.full((1, 640, 128), "a"), "is <U1"),
        (np.full((1, 640, 128), None), "is damaged, or no NumPy archive of plain numbers"),
        (np.full((1, 640, 128), 3.5), "reaches 3.5 in window 0"),
        (np.full((1, 640, 128), np.nan), "in window 0 that is not finite"),
        (np.full((1, 640, 128), -np.inf), "in window 0 that is not finite"),
    ],
)  # fmt: skip
def test_an_x_that_is_none_is_refused_in_a_sentence(run, x, sentence):
    result, output = run(x)

    assert_refused(result, sentence)
    assert not output.exists()


def test_the_last_of_many_windows_is_checked_before_anything_is_written(run, tmp_path):
    x = np.full((2 * WINDOWS_AT_ONCE, 640, 128), -20, np.float16)
    x[-1, 5, 5] = np.nan

    result, _ = run(x)

    assert_refused(result, f"window {2 * WINDOWS_AT_ONCE - 1}")
    assert [path.name for path in tmp_path.iterdir()] == ["mels.npz"]


def npz(*, compressed: bool = False, **arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **arrays)
    return file.getvalue()


def npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros((1, 640, 128), np.uint8))
    return file.getvalue()


def no_array() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("X", "no array")
    return file.getvalue()


def flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]


GOOD = npz(X=np.zeros((1, 640, 128), np.uint8))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is damaged"),
        (b"index,blues\n", "is damaged"),
        (GOOD[: len(GOOD) // 2], "is damaged"),
        (flipped(GOOD, len(GOOD) // 2), "is damaged"),
        (GOOD.replace(b"'shape': (1, 640, 128), }", b"'shape': (1, 640, 128(, }"), "is damaged"),
        (npy(), "is a single array"),
        (npz(Y=np.zeros(3), names=np.zeros(2)), "has no array X; it has Y, names"),
        (no_array(), "has an X that is no array"),
    ],
)
def test_a_file_that_is_no_archive_with_x_is_refused_in_a_sentence(run, tmp_path, data, sentence):
    (tmp_path / "mels.npz").write_bytes(data)

    result, output = run()

    assert_refused(result, sentence)
    assert not output.exists()


def test_whatever_is_damaged_in_an_archive_it_is_refused_in_a_sentence(tmp_path):
    random = np.random.default_rng(11)
    small = [npz(X=np.zeros((1, 8, 8), np.uint8), compressed=compressed) for compressed in (False, True)]
    path = tmp_path / "mels.npz"

    for round_number in range(2_000):
        good = small[round_number % 2]
        size = int(random.integers(len(good) + 1)) if random.random() < 0.5 else len(good)
        path.write_bytes(flipped(good, int(random.integers(len(good))))[:size])

        with pytest.raises(MelsUnusable):
            read_windows(path, FeatureSettings())


def test_a_missing_file_or_folder_is_named(run, tmp_path, levels):
    absent, _ = run(source=tmp_path / "none.npz")
    folder, _ = run(source=tmp_path)
    homeless, _ = run(levels, output=tmp_path / "nowhere" / "answers.csv")
    taken, _ = run(levels, output=tmp_path)
    itself, _ = run(levels, output=tmp_path / "mels.npz")

    assert_refused(absent, "none.npz cannot be read: No such file")
    assert_refused(folder, "cannot be read: Is a directory")
    assert_refused(homeless, "nowhere of the output is missing")
    assert_refused(taken, "is there and is no file")
    assert_refused(itself, "would replace the input")


def test_an_output_that_is_there_is_kept_where_the_input_is_bad_and_replaced_where_it_is_good(run, levels):
    _, output = run(levels[:1])
    before = output.read_text()

    run(np.full((1, 640, 128), np.nan))
    kept = output.read_text()
    run(levels)

    assert kept == before
    assert len(rows(output)) == 3


def test_an_interruption_leaves_what_was_there(tmp_path, levels):
    np.savez(tmp_path / "mels.npz", X=levels)
    output = tmp_path / "answers.csv"
    output.write_text("older\n")

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(
            tmp_path / "mels.npz",
            output,
            checkpoint=load_checkpoint(RELEASED),
            device=torch.device("cpu"),
            report=interrupt,
        )

    assert output.read_text() == "older\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.csv", "mels.npz"]


def test_a_full_disk_is_a_sentence_and_leaves_what_was_there(run, levels, tmp_path):
    output = tmp_path / "answers.csv"
    output.write_text("older\n")
    output.with_name("answers.csv.partial").symlink_to("/dev/full")

    result, _ = run(levels)

    assert_refused(result, "No space left on device")
    assert output.read_text() == "older\n"


def test_a_link_stays_a_link_and_what_it_names_is_replaced(run, levels, tmp_path):
    (tmp_path / "real.csv").write_text("older\n")
    (tmp_path / "answers.csv").symlink_to("real.csv")

    _, output = run(levels)

    assert output.is_symlink()
    assert len(rows(tmp_path / "real.csv")) == 3


def test_another_checkpoint_writes_its_own_genres(run, levels, tmp_path):
    released = load_checkpoint(RELEASED)
    renamed = ("polka", *released.genres[1:])
    save_checkpoint(tmp_path / "polka.safetensors", dataclasses.replace(released, genres=renamed))

    _, output = run(levels, "--checkpoint", tmp_path / "polka.safetensors")

    assert output.read_text().startswith("index,polka,classical,")


def test_weights_that_overflow_write_no_answers(run, levels, tmp_path):
    released = load_checkpoint(RELEASED)
    huge = {**released.weights, "linear.weight": torch.full_like(released.weights["linear.weight"], 3e38)}
    save_checkpoint(tmp_path / "huge.safetensors", dataclasses.replace(released, weights=huge))

    result, output = run(levels, "--checkpoint", tmp_path / "huge.safetensors")

    assert_refused(result, "no finite answer for windows from 0 on")
    assert not output.exists()


def test_a_checkpoint_that_is_missing_or_damaged_is_a_sentence(run, levels, tmp_path):
    (tmp_path / "damaged.safetensors").write_bytes(b"no checkpoint")

    missing, _ = run(levels, "--checkpoint", tmp_path / "none.safetensors")
    damaged, _ = run(levels, "--checkpoint", tmp_path / "damaged.safetensors")

    assert_refused(missing, "is missing")
    assert_refused(damaged, "is damaged")


def assert_refused(result, sentence: str) -> None:
    """Status 1 and one line that begins with the command and has these words."""
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert sentence in result.stderr
    assert result.stderr.startswith("genrewiz predict-mels: ")
    assert result.stderr.count("\n") == 1
