import dataclasses
import json
import os
import subprocess
import sys

import pytest
import torch
import typer
from typer.testing import CliRunner

from worker.checkpoint import RELEASED, load_checkpoint, save_checkpoint
from worker.model import build_model
from worker.training.commands import evaluate
from worker.training.evaluation.evaluate import command_line
from worker.training.evaluation.evaluation_page import evaluation_page


@pytest.fixture
def scored(small_data):
    """Runs `genrewiz evaluate` on the small data folder."""
    app = typer.Typer()
    app.command()(evaluate)
    return lambda *arguments: CliRunner().invoke(
        app, ["--data", str(small_data), *(str(each) for each in arguments)]
    )


@pytest.fixture
def figures(scored, tmp_path):
    """The figures of the released checkpoint on the small validation list, as a file."""
    scored("--list", "valid", "--json", tmp_path / "figures.json")
    return tmp_path / "figures.json"


def trained_on(lists, path, **changes):
    """The released checkpoint as if it had been trained on these lists."""
    released = load_checkpoint(RELEASED)
    save_checkpoint(path, dataclasses.replace(released, provenance={"lists": lists}, **changes))
    return path


def refused(result):
    """The one sentence on standard error; the command has ended with status 1."""
    assert result.exit_code == 1
    assert "Traceback" not in result.stderr
    (line,) = result.stderr.splitlines()
    return line


def test_what_is_printed_and_written_as_markdown_is_made_of_the_json(scored, tmp_path):
    result = scored(
        "--json", tmp_path / "f.json", "--markdown", tmp_path / "f.md", "--pictures", tmp_path / "p"
    )

    assert result.exit_code == 0
    page = evaluation_page(json.loads((tmp_path / "f.json").read_text()))
    assert (tmp_path / "f.md").read_text() == page
    assert page.strip() == result.stdout.strip()
    assert {path.name for path in (tmp_path / "p").iterdir()} == {
        "confusion.png",
        "reliability.png",
        "coverage.png",
    }


def test_the_pictures_show_the_first_list_and_say_so(scored, tmp_path, monkeypatch):
    titles = []
    monkeypatch.setattr(
        "worker.training.evaluation.pictures.coverage_picture", lambda shown: titles.append(shown.title)
    )

    scored("--list", "valid", "--pictures", tmp_path)

    digest = load_checkpoint(RELEASED).identity.sha256[:8]
    (title,) = titles
    assert title == f"Validation list, fault-filtered: 10 songs\npcrnn 0.1.0, {digest}"


def test_the_json_holds_everything_that_is_asked_of_a_list(scored, tmp_path):
    scored("--json", tmp_path / "f.json", "--seed", 4)

    written = json.loads((tmp_path / "f.json").read_text())
    entry = written["lists"]["test_filtered"]
    assert written["fill_seed"] == 4
    assert {"accuracy", "macro_f1", "top_3", "nll", "brier", "ece", "ece_if_calibrated"} <= set(
        entry["scores"]
    )
    assert {"nll", "brier", "ece", "ece_if_calibrated"} <= set(entry["before_temperature"])
    assert set(entry["intervals"]) == {"accuracy", "macro_f1"}
    assert len(entry["abstention"]) == 10
    assert [song["name"] for song in entry["songs"]] == [f"{genre}.00002" for genre in written["genres"]]


def test_no_song_that_was_trained_on_is_scored(scored, tmp_path):
    scored("--json", tmp_path / "f.json")

    lists = json.loads((tmp_path / "f.json").read_text())["lists"]
    # In the small folder the songs .00000 are those to train on, and .00001 those that have real audio.
    scored_songs = {song["name"] for entry in lists.values() for song in entry["songs"]}
    assert not [name for name in scored_songs if name.endswith(".00000")]


def test_real_audio_is_scored_only_outside_the_train_list(scored, small_data, tmp_path):
    train = small_data / "gtzan" / "splits" / "train_filtered.txt"
    train.write_text(train.read_text() + "blues/blues.00001.wav\nrock/rock.00001.wav\n")

    scored("--json", tmp_path / "f.json")

    songs = json.loads((tmp_path / "f.json").read_text())["lists"]["real_audio_outside_train"]["songs"]
    assert len(songs) == 8
    assert not {"blues.00001", "rock.00001"} & {song["name"] for song in songs}


def test_who_asks_for_the_validation_list_sees_no_song_of_the_test_list(scored, small_data, tmp_path):
    test = small_data / "gtzan" / "splits" / "test_filtered.txt"
    test.write_text(test.read_text() + "blues/blues.00001.wav\n")

    scored("--list", "valid", "--json", tmp_path / "f.json")

    lists = json.loads((tmp_path / "f.json").read_text())["lists"]
    assert set(lists) == {"valid_filtered", "real_audio_outside_train_and_test"}
    real = {song["name"] for song in lists["real_audio_outside_train_and_test"]["songs"]}
    assert len(real) == 9
    assert "blues.00001" not in real


def test_a_checkpoint_is_not_scored_on_lists_that_hold_its_artists(scored, tmp_path):
    assert "fold1" in refused(scored(trained_on("fold1", tmp_path / "c.safetensors"), "--lists", "filtered"))
    assert "fold2" in refused(scored(RELEASED, "--lists", "fold2"))


def test_a_checkpoint_that_may_have_heard_gtzan_is_not_scored_on_it(scored, tmp_path):
    assert "--audio" in refused(scored(trained_on("audio", tmp_path / "c.safetensors")))


def test_a_checkpoint_that_hears_other_features_is_not_scored_on_these(scored, tmp_path):
    features = dataclasses.replace(load_checkpoint(RELEASED).features, hop_length=512)

    sentence = refused(scored(trained_on("filtered", tmp_path / "c.safetensors", features=features)))

    assert "features" in sentence


def test_a_checkpoint_of_other_genres_is_refused_with_the_genres_that_it_lacks(scored, tmp_path):
    genres = ("polka", *load_checkpoint(RELEASED).genres[1:])

    sentence = refused(scored(trained_on("filtered", tmp_path / "c.safetensors", genres=genres)))

    assert "knows no blues" in sentence


def test_a_checkpoint_with_its_genres_in_another_order_is_scored_by_their_names(scored, tmp_path):
    released = load_checkpoint(RELEASED)
    order = list(reversed(range(10)))
    weights = dict(released.weights)
    for name in ("linear.weight", "linear.bias"):
        weights[name] = weights[name][order]
    other = trained_on(
        "filtered",
        tmp_path / "c.safetensors",
        genres=tuple(released.genres[row] for row in order),
        weights=weights,
    )

    scored("--json", tmp_path / "a.json")
    scored(other, "--json", tmp_path / "b.json")

    first, second = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json"))
    expected, found = (each["lists"]["test_filtered"] for each in (first, second))
    assert [song["label"] for song in found["songs"]] == [song["label"] for song in expected["songs"]]
    assert [song["genre"] for song in found["songs"]] == [song["genre"] for song in expected["songs"]]
    assert found["scores"]["nll"] == pytest.approx(expected["scores"]["nll"], abs=1e-4)


def test_the_originals_weights_are_scored_and_said_to_know_the_songs(scored, tmp_path):
    torch.save(build_model("pcrnn-original", {}).state_dict(), tmp_path / "model.pth")

    result = scored(tmp_path / "model.pth", "--json", tmp_path / "f.json")

    assert json.loads((tmp_path / "f.json").read_text())["trained_on"] == "unknown"
    assert "flatter" in result.stdout


@pytest.mark.parametrize("damage", ["missing", "cut short", "another architecture", "no weights"])
def test_a_checkpoint_that_cannot_be_used_is_one_sentence(scored, tmp_path, damage):
    path = tmp_path / ("model.pth" if damage == "no weights" else "c.safetensors")
    if damage == "cut short":
        path.write_bytes(RELEASED.read_bytes()[:5000])
    if damage == "another architecture":
        path.write_bytes(RELEASED.read_bytes().replace(b'\\"pcrnn\\"', b'\\"prcnn\\"'))
    if damage == "no weights":
        path.write_bytes(b"nothing")

    assert str(path) in refused(scored(path, "--json", tmp_path / "f.json"))
    assert not (tmp_path / "f.json").exists()


@pytest.mark.parametrize("option", ["--json", "--markdown", "--pictures"])
def test_what_cannot_be_written_is_one_sentence_before_anything_is_scored(
    scored, tmp_path, monkeypatch, option
):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(
        "worker.training.evaluation.evaluate.open_subject", lambda path: pytest.fail("It scores.")
    )

    sentence = refused(scored(option, tmp_path / "file" / "new" / "f"))

    assert f"cannot be written: {tmp_path / 'file'} is no folder." in sentence
    assert {path.name for path in tmp_path.iterdir()} == {"data", "file"}


def test_a_full_disk_is_one_sentence(scored):
    assert "/dev/full cannot be written" in refused(scored("--json", "/dev/full"))


def test_what_cannot_be_drawn_or_written_costs_no_other_file(scored, tmp_path, monkeypatch):
    def broken(*_):
        raise ValueError("no\nfont")

    monkeypatch.setattr("worker.training.evaluation.pictures.reliability_picture", broken)
    figures, page, pictures = tmp_path / "f.json", tmp_path / "f.md", tmp_path / "p"

    sentence = refused(scored("--json", "/dev/full", "--markdown", page, "--pictures", pictures))

    assert "/dev/full cannot be written" in sentence
    assert f"{pictures / 'reliability.png'} cannot be made: no font." in sentence
    assert page.read_text().startswith("# Evaluation of")
    assert {path.name for path in pictures.iterdir()} == {"confusion.png", "coverage.png"}
    assert "reliability.png" in refused(scored("--json", figures, "--pictures", pictures))
    assert json.loads(figures.read_text())["lists"]


@pytest.mark.parametrize("output", ["closed", "full"])
def test_an_output_that_takes_no_page_costs_no_file(small_data, tmp_path, output):
    figures, page = tmp_path / "f.json", tmp_path / "f.md"
    # A page that fits into the output's buffer fails once more when the program ends.
    script = """
import typer
from worker.training import commands
from worker.training.evaluation import evaluate
evaluate.evaluation_page = lambda _: "# A short page"
typer.run(commands.evaluate)
"""
    command = [sys.executable, "-c", script, "--data", small_data, "--json", figures, "--markdown", page]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    reading, writing = os.pipe()
    os.close(reading)
    full = os.open("/dev/full", os.O_WRONLY)
    with os.fdopen(full if output == "full" else writing, "wb") as stdout:
        ended = subprocess.run(
            command, env=buffered, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
        )
    os.close(writing if output == "full" else full)

    assert ended.returncode == 1
    assert json.loads(figures.read_text())["lists"]
    assert page.read_text() == "# A short page"
    said = "genrewiz: The figures cannot be printed: No space left on device.\n"
    assert ended.stderr == (said if output == "full" else "")


def test_an_evaluation_reproduces_itself(scored, figures):
    result = scored("--list", "valid", "--against", figures)

    assert result.exit_code == 0
    assert "20 songs" in result.stdout


def change(song, what):
    if what == "probability":
        song["probabilities"][3] += 2e-4
    else:
        song[what] = {"label": "polka", "genre": "polka", "name": "polka.00000"}[what]


@pytest.mark.parametrize("what", ["probability", "label", "genre", "name"])
def test_the_first_song_with_another_answer_is_named(scored, figures, what):
    held = json.loads(figures.read_text())
    songs = held["lists"]["valid_filtered"]["songs"]
    change(songs[4], what)
    change(songs[7], what)
    figures.write_text(json.dumps(held))

    sentence = refused(scored("--list", "valid", "--against", figures))

    assert ("polka.00000" if what == "name" else "hiphop.00001") in sentence


def test_a_rounding_error_is_no_other_answer(scored, figures):
    held = json.loads(figures.read_text())
    held["lists"]["valid_filtered"]["songs"][4]["probabilities"][3] += 0.9e-4
    figures.write_text(json.dumps(held))

    assert scored("--list", "valid", "--against", figures).exit_code == 0


def test_a_song_that_the_file_lacks_is_named(scored, figures):
    held = json.loads(figures.read_text())
    del held["lists"]["valid_filtered"]["songs"][4]
    figures.write_text(json.dumps(held))

    assert "hiphop.00001" in refused(scored("--list", "valid", "--against", figures))


def test_figures_that_were_filled_with_another_seed_are_not_compared(scored, figures):
    assert "--seed 0" in refused(scored("--list", "valid", "--against", figures, "--seed", 1))


def test_figures_of_other_lists_reproduce_nothing(scored, figures):
    assert "none of the lists test_filtered" in refused(scored("--against", figures))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"lists": {"valid_filtered": {}}}', '{"lists": [1]}'])
def test_a_file_without_answers_is_refused_before_anything_is_scored(scored, figures, text):
    figures.write_text(text)

    result = scored("--list", "valid", "--against", figures)

    assert "holds no answers to songs" in refused(result)
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("program", "name"),
    [("/anywhere/bin/genrewiz", "genrewiz"), ("/anywhere/genrewiz/__main__.py", "python -m genrewiz")],
)
def test_the_command_that_made_figures_can_be_given_again_and_names_no_folder(monkeypatch, program, name):
    monkeypatch.setattr("sys.argv", [program, "evaluate", "--seed", "1"])

    assert command_line() == f"{name} evaluate --seed 1"
