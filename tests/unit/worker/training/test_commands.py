import json
import re
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from support.song_folder import write_songs
from worker.checkpoint import GENRES, load_checkpoint
from worker.commands import classify
from worker.training.commands import evaluate, train
from worker.training.learning.recipe import MOST


@pytest.fixture
def invoke():
    app = typer.Typer()
    app.command()(train)
    app.command()(evaluate)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_listing_the_commands_does_not_load_torch():
    script = (
        "import sys, worker.training.commands; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_train_writes_a_checkpoint_that_loads_and_evaluate_scores_it(invoke, small_data, tmp_path):
    run, figures = tmp_path / "run", tmp_path / "figures.json"

    trained = invoke("train", "--data", small_data, "--output", run, "--epochs", 1, "--set", "batch_size=5")
    scored = invoke(
        "evaluate", run / "pcrnn.safetensors", "--data", small_data, "--json", figures, "--seed", 4
    )

    assert (trained.exit_code, scored.exit_code) == (0, 0)
    checkpoint = load_checkpoint(run / "pcrnn.safetensors")
    written = json.loads(figures.read_text())
    assert written["checkpoint"]["sha256"] == checkpoint.identity.sha256
    assert written["fill_seed"] == 4
    assert written["lists"]["test_filtered"]["scores"]["songs"] == 10
    assert "test list" in scored.stdout
    assert checkpoint.provenance["recipe"]["epochs"] == 1


def test_a_run_is_neither_overwritten_nor_gone_on_with_by_another_recipe(invoke, small_data, tmp_path):
    options = ("--data", small_data, "--output", tmp_path / "run", "--epochs", 1)
    invoke("train", *options)

    again = invoke("train", *options)
    other = invoke("train", *options, "--resume", "--seed", 1)

    assert (again.exit_code, other.exit_code) == (1, 1)
    assert "--resume" in again.stderr
    assert "another recipe" in other.stderr


def test_the_original_recipe_trains_the_original_network(invoke, small_data, tmp_path):
    run = tmp_path / "run"

    trained = invoke("train", "--recipe", "original", "--data", small_data, "--output", run, "--epochs", 1)

    assert trained.exit_code == 0, trained.stderr
    checkpoint = load_checkpoint(run / "pcrnn-original.safetensors")
    assert checkpoint.architecture == "pcrnn-original"
    assert checkpoint.provenance["recipe"]["optimizer"] == "rmsprop"


def test_a_finished_run_that_is_gone_on_with_writes_its_files_again(invoke, small_data, tmp_path):
    options = ("train", "--data", small_data, "--output", tmp_path / "run", "--epochs", 1, "--threads", 1)
    invoke(*options)
    tmp_path /= "run"
    names = ("pcrnn.safetensors", "pcrnn.safetensors.sha256", "metrics.csv", "curves.png")
    before = {name: (tmp_path / name).read_bytes() for name in names}
    for name in names:
        (tmp_path / name).unlink()

    again = invoke(*options, "--resume")

    assert again.exit_code == 0
    assert {name: (tmp_path / name).read_bytes() for name in names} == before


@pytest.fixture
def any_learning_rate(monkeypatch):
    """Learning rates over the limit of recipes, for losses that are not finite."""
    monkeypatch.setitem(MOST, "learning_rate", 1e30)


@pytest.mark.usefixtures("any_learning_rate")
def test_a_loss_that_is_not_finite_is_one_line_and_status_1(invoke, small_data, tmp_path):
    options = ("--data", small_data, "--output", tmp_path / "run", "--set", "batch_size=3")

    result = invoke("train", *options, "--set", "learning_rate=1e30", "--set", "warmup_epochs=0")

    assert result.exit_code == 1
    assert re.search(
        r"of epoch 1 (is|are) .*\. No epoch was finished; try a lower learning_rate", result.stderr
    )
    assert "Traceback" not in result.stderr


@pytest.mark.usefixtures("any_learning_rate")
def test_the_best_checkpoint_before_a_loss_that_is_not_finite_is_named_and_loads(
    invoke, small_data, tmp_path
):
    options = ("train", "--data", small_data, "--output", tmp_path / "run", "--set", "batch_size=3")
    invoke(*options, "--set", "epochs=1")
    tmp_path /= "run"
    recipe = tmp_path / "recipe.toml"
    further = re.sub("\nepochs = 1\n", "\nepochs = 3\n", recipe.read_text())
    recipe.write_text(re.sub("learning_rate = .*", "learning_rate = 1e30", further))

    result = invoke(*options, "--config", recipe, "--resume")

    assert result.exit_code == 1
    assert f"of epoch 1, is {tmp_path / 'pcrnn.safetensors'}." in result.stderr
    assert load_checkpoint(tmp_path / "pcrnn.safetensors").provenance["epoch"] == 1


@pytest.mark.parametrize("place", ["file", "file/run"])
def test_an_output_that_can_be_no_folder_is_one_line_and_status_1(invoke, small_data, tmp_path, place):
    (tmp_path / "file").write_bytes(b"")

    result = invoke("train", "--data", small_data, "--output", tmp_path / place)

    assert result.exit_code == 1
    assert "file" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_missing_data_is_one_line_and_status_1(invoke, tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where there is no run of before
    result = invoke(command, "--data", tmp_path / "nowhere")

    assert result.exit_code == 1
    assert "GENREWIZ_DATA" in result.stderr
    assert "Traceback" not in result.stderr


def test_own_genres_are_trained_scored_and_answered_with(invoke, tmp_path, monkeypatch):
    folder = write_songs(tmp_path / "songs", {"Drum & Bass": 3, "Österreichische Volksmusik": 3})
    for number in range(25):
        (folder / "Drum & Bass" / f"broken{number:02d}.mp3").write_bytes(b"no song")
    run, cache = tmp_path / "run", tmp_path / "cache"
    options = ("--audio", folder, "--cache", cache)

    trained = invoke("train", *options, "--random-split", "--output", run, "--epochs", 1)
    known = invoke("evaluate", run / "pcrnn.safetensors", *options)
    elsewhere = write_songs(
        tmp_path / "elsewhere", {"Drum & Bass": 3, "Österreichische Volksmusik": 3}, seed=7
    )
    options = ("--audio", elsewhere, "--cache", cache)
    scored = invoke("evaluate", run / "pcrnn.safetensors", *options, "--json", tmp_path / "figures.json")

    assert known.exit_code == 1
    assert "trained or validated on every song" in known.stderr
    assert (trained.exit_code, scored.exit_code) == (0, 0), trained.stderr + scored.stderr
    assert "leaks" in trained.stderr
    broken = [f"left out Drum & Bass/broken{number:02d}.mp3" for number in range(25)]
    assert [line.partition(":")[0] for line in trained.stderr.splitlines() if "broken" in line] == broken[:20]
    kept = (run / "left_out.txt").read_text().splitlines()
    assert [line.partition(":")[0] for line in kept] == broken
    assert f"5 more were left out; {run / 'left_out.txt'} names all 25" in trained.stderr
    checkpoint = load_checkpoint(run / "pcrnn.safetensors")
    assert checkpoint.genres == ("Drum & Bass", "Österreichische Volksmusik")
    assert checkpoint.provenance["lists"] == "audio"
    assert checkpoint.provenance["songs_per_genre"] == {"Drum & Bass": 2, "Österreichische Volksmusik": 2}
    assert (
        json.loads((tmp_path / "figures.json").read_text())["lists"]["audio_folder"]["scores"]["songs"] == 6
    )
    monkeypatch.setenv("GENREWIZ_CHECKPOINT", str(run / "pcrnn.safetensors"))
    app = typer.Typer()
    app.command()(classify)
    answer = CliRunner().invoke(app, ["--json", str(folder / "Drum & Bass" / "0.wav")])
    assert {each["genre"] for each in json.loads(answer.stdout)["result"]["top"]} == set(checkpoint.genres)


def test_a_run_is_not_gone_on_with_by_other_songs(invoke, tmp_path):
    folder = write_songs(tmp_path / "songs", {"blues": 3, "rock": 3})
    options = (
        "--audio",
        folder,
        "--cache",
        tmp_path / "cache",
        "--output",
        tmp_path / "run",
        "--random-split",
    )
    begun = invoke("train", *options, "--epochs", 1)
    (folder / "rock" / "0.wav").unlink()

    other = invoke("train", *options, "--epochs", 1, "--resume")

    assert (begun.exit_code, other.exit_code) == (0, 1), begun.stderr
    assert "other songs or another split" in other.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--groups", "groups.csv"), "--audio names no folder"),
        (("--audio", "songs"), "--random-split"),
        (("--audio", "songs", "--random-split", "--recipe", "original"), "ten genres"),
        (("--audio", "nowhere", "--random-split"), "cannot be read"),
        (("--audio", "songs", "--groups", "nowhere.csv"), "cannot be read"),
    ],
)
def test_audio_that_cannot_be_trained_on_is_one_line_and_status_1(
    invoke, tmp_path, monkeypatch, options, reason
):
    write_songs(tmp_path / "songs", {"blues": 2, "rock": 2})
    monkeypatch.chdir(tmp_path)

    result = invoke("train", *options, "--output", "run", "--cache", "cache", "--epochs", 1)

    assert result.exit_code == 1
    assert reason in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_a_recipe_that_cannot_be_is_refused_before_a_song_is_decoded(invoke, tmp_path):
    folder = write_songs(tmp_path / "songs", {"blues": 2, "rock": 2})
    (folder / "rock" / "broken.mp3").write_bytes(b"no song")
    options = ("--audio", folder, "--cache", tmp_path / "cache", "--random-split")

    result = invoke("train", *options, "--output", tmp_path / "run", "--set", "crop_frames=20")

    assert result.exit_code == 1
    assert result.stderr.startswith("genrewiz: crop_frames is 20;")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [((), "holds a run already"), (("--resume", "--seed", 1), "another recipe"), (("--resume",), None)],
    ids=["begun anew", "another recipe", "gone on with"],
)
def test_a_folder_that_is_not_for_this_run_is_refused_before_a_song_is_decoded(
    invoke, tmp_path, options, reason
):
    folder, run = write_songs(tmp_path / "songs", {"blues": 2, "rock": 2}), tmp_path / "run"
    train_it = ("train", "--audio", folder, "--random-split", "--output", run, "--epochs", 1)
    begun = invoke(*train_it, "--cache", tmp_path / "first")

    again = invoke(*train_it, "--cache", tmp_path / "second", *options)

    assert begun.exit_code == 0, begun.stderr
    assert (again.exit_code, (tmp_path / "second").exists()) == ((0, True) if reason is None else (1, False))
    assert (reason or "") in again.stderr


def test_of_files_that_are_all_left_out_every_one_is_named(invoke, tmp_path):
    for number in range(30):
        genre = tmp_path / "songs" / ("blues", "rock")[number % 2]
        genre.mkdir(parents=True, exist_ok=True)
        (genre / f"broken{number:02d}.mp3").write_bytes(b"no song %d" % number)

    result = invoke(
        *("train", "--audio", tmp_path / "songs", "--random-split"),
        *("--cache", tmp_path / "cache", "--output", tmp_path / "run"),
    )

    assert result.exit_code == 1
    assert result.stderr.count("left out ") == 30
    assert "is a song that can be used" in result.stderr.splitlines()[-1]
    assert not (tmp_path / "run").exists()


def test_a_list_other_than_the_fault_filtered_one_stands_in_the_checkpoint(invoke, small_data, tmp_path):
    folds = small_data / "gtzan" / "splits" / "artist3fold"
    folds.mkdir()
    lines = [f"./{genre}_{number:05d}.wav\t{genre}{number}\n" for genre in GENRES for number in range(3)]
    (folds / "f1_train_groups.txt").write_text("".join(lines))
    (folds / "f1_test.txt").write_text("")

    trained = invoke(
        "train", "--data", small_data, "--lists", "fold1", "--output", tmp_path / "run", "--epochs", 1
    )

    assert trained.exit_code == 0, trained.stderr
    provenance = load_checkpoint(tmp_path / "run" / "pcrnn.safetensors").provenance
    assert provenance["lists"] == "fold1"
    assert sum(provenance["songs_per_genre"].values()) < 30


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        ("train", "--threads", 1025),
        ("evaluate", "--threads", 2**40),
        ("evaluate", "--seed", 2**64),
    ],
)
def test_numbers_that_would_run_over_are_refused(invoke, small_data, tmp_path, command, option, value):
    result = invoke(command, "--data", small_data, option, value)

    assert result.exit_code == 2
    assert "less than or equal to" in " ".join(result.stderr.split())
