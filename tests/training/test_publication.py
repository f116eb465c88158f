import json
import shutil
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from shared.errors import SetupError
from worker.checkpoint import RELEASED, load_checkpoint, save_checkpoint
from worker.model import build_model
from worker.training.commands import evaluate
from worker.training.learning.recipe import RECIPES
from worker.training.release.publication import Places, main, publish
from worker.training.release.publication_page import card_figures, publication_page, with_figures

CARD = "# Card\n\n<!-- figures -->\nnone yet\n<!-- /figures -->\n\nWords that stay.\n"


@pytest.fixture(scope="module")
def recipes():
    """The two recipes, so short that they learn nothing."""
    return {
        name: replace(recipe, epochs=1, warmup_epochs=0, batch_size=5, precision="float32")
        for name, recipe in RECIPES.items()
    }


@pytest.fixture
def folder(small_data):
    """The small data folder with artist folds of ten songs each and the original's weights."""
    splits = small_data / "gtzan" / "splits" / "artist3fold"
    splits.mkdir()
    names = np.load(small_data / "gtzan" / "mel_rebuilt.npz")["names"]
    files = [f"./{name.replace('.', '_')}.wav" for name in names]
    for fold in range(3):
        # Of the first fold are the songs .00001, those with real audio.
        test = files[(fold + 1) % 3 :: 3]
        train = [file for file in files if file not in test]
        (splits / f"f{fold + 1}_test.txt").write_text("".join(f"{file}\n" for file in test))
        lines = [f"{file}\t{number}\n" for number, file in enumerate(train)]
        (splits / f"f{fold + 1}_train_groups.txt").write_text("".join(lines))
    (small_data / "original").mkdir()
    torch.save(build_model("pcrnn-original", {}).state_dict(), small_data / "original" / "model.pth")
    return small_data


@pytest.fixture
def places(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "model-card.md").write_text(CARD)
    return Places(runs=tmp_path / "runs", docs=docs, released=tmp_path / "released.safetensors")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Where the first test of this module leaves its runs for the others: training takes seconds."""
    return tmp_path_factory.mktemp("kept") / "release"


@pytest.fixture
def published(places, folder, recipes, kept):
    """What the whole command leaves behind, and what it says."""
    if not kept.exists():
        said: list[str] = []
        publish(places, data=folder, recipes=recipes, release=True, device="cpu", say=said.append)
        (places.docs.parent / "said.json").write_text(json.dumps(said))
        shutil.copytree(places.docs.parent, kept)
    shutil.copytree(kept, places.docs.parent, dirs_exist_ok=True)
    return json.loads((kept / "said.json").read_text())


def written(places):
    return json.loads((places.docs / "evaluation.json").read_text())


def test_a_release_from_the_data_folder_to_the_figures_in_the_documents(published, places, folder, recipes):
    figures = written(places)

    # Every part is there, of as many songs as the lists hold.
    assert figures["missing"] == []
    assert [row["run"] for row in figures["seeds"]] == [f"seed-{seed}" for seed in range(5)]
    assert figures["over_seeds"]["accuracy"]["seeds"] == 5
    for spread in [*figures["over_seeds"].values(), *figures["over_folds"].values()]:
        low, high = spread["interval"]
        assert 0 <= low <= spread["mean"] <= high
    assert [row["run"] for row in figures["folds"]] == ["fold-1", "fold-2", "fold-3"]
    assert {row["scores"]["songs"] for row in figures["seeds"] + figures["folds"]} == {10}
    assert figures["fold1_real_audio"]["scores"]["songs"] == 10
    assert figures["original_recipe"]["epochs"] == 1
    assert figures["original_weights"]["trained_on"] == "unknown"

    # The released one is the seed that the validation list prefers, byte for byte.
    best = min(figures["seeds"], key=lambda row: row["valid_nll"])
    assert figures["released"] == best["run"]
    assert figures["checkpoint"]["sha256"] == best["sha256"]
    assert load_checkpoint(places.released).identity.sha256 == best["sha256"]

    # The documents are made of the JSON, and nothing else of them has changed.
    assert (places.docs / "evaluation.md").read_text() == publication_page(figures)
    card = (places.docs / "model-card.md").read_text()
    assert card == with_figures(CARD, card_figures(figures))
    assert card.endswith("Words that stay.\n")
    assert {path.name for path in (places.docs / "evaluation").iterdir()} == set(figures["pictures"])
    for heading in ("Beside others", "over seeds", "The released checkpoint", "The original", "Artist folds"):
        assert heading in (places.docs / "evaluation.md").read_text()

    # Every training's epochs and the released one's recipe can be read.
    trainings = {path.stem: path.read_bytes() for path in (places.docs / "training").glob("*.csv")}
    assert len(trainings) == 9
    for name, epochs in trainings.items():
        assert epochs == (places.runs / name / "metrics.csv").read_bytes()
    recipe = places.runs / figures["released"] / "recipe.toml"
    assert (places.docs / "training" / "recipe.toml").read_bytes() == recipe.read_bytes()

    # The test lists are looked at after the choice, and it is said.
    choice = next(row for row, line in enumerate(published) if "is the released checkpoint" in line)
    look = next(row for row, line in enumerate(published) if "Looks at the test lists" in line)
    assert choice < look

    # What `genrewiz evaluate` finds for the released checkpoint is what is published.
    app = typer.Typer()
    app.command()(evaluate)
    against = ["--data", str(folder), "--against", str(places.docs / "evaluation.json")]
    result = CliRunner().invoke(app, [str(places.released), *against])
    assert (result.exit_code, result.stderr) == (0, "")

    # Again: nothing is trained anew, and the same figures come out.
    before = {path: path.read_bytes() for path in places.runs.rglob("*") if path.is_file()}
    again = publish(places, data=folder, recipes=recipes, device="cpu", say=lambda _: None)
    assert {path: path.read_bytes() for path in places.runs.rglob("*") if path.is_file()} == before
    assert json.loads(json.dumps(again)) == figures


def only(places, *names):
    """Leave only these runs, as if the others had not been trained yet."""
    for run in places.runs.iterdir():
        if run.name not in names:
            shutil.rmtree(run)


def test_score_only_scores_what_is_finished_and_says_what_is_missing(published, places, folder, recipes):
    only(places, written(places)["released"], "fold-2")
    said: list[str] = []

    publish(places, data=folder, recipes=recipes, score_only=True, device="cpu", say=said.append)

    figures = written(places)
    assert len(figures["missing"]) == 7
    assert "original" in figures["missing"]
    assert any("fold-1, fold-3" in line for line in said)
    assert figures["over_seeds"]["accuracy"]["interval"] is None
    assert [row["run"] for row in figures["folds"]] == ["fold-2"]
    assert not {"original_recipe", "fold1_real_audio"} & set(figures)
    assert "Not finished" in publication_page(figures)
    assert len(list(places.runs.iterdir())) == 2


def test_a_run_that_is_still_going_on_is_not_scored(published, places, folder, recipes):
    seed = written(places)["released"]
    recipe = places.runs / "original" / "recipe.toml"
    recipe.write_text(recipe.read_text().replace("epochs = 1\n", "epochs = 9\n", 1))
    only(places, seed, "original")

    publish(places, data=folder, recipes=recipes, score_only=True, device="cpu", say=lambda _: None)

    assert "original" in written(places)["missing"]
    assert "original_recipe" not in written(places)


def test_another_released_checkpoint_is_refused_before_a_test_list_is_looked_at(
    published, places, folder, recipes
):
    shutil.copy(RELEASED, places.released)
    places.released.with_name("released.safetensors.sha256").unlink()
    said: list[str] = []

    with pytest.raises(SetupError, match="`make evaluation RELEASE=1` "):
        publish(places, data=folder, recipes=recipes, score_only=True, device="cpu", say=said.append)

    assert not any("test list" in line for line in said)


def test_runs_of_different_recipes_are_not_averaged(published, places, folder, recipes):
    changed = {**recipes, "released": replace(recipes["released"], mixup=0.1)}
    shutil.rmtree(places.runs / "seed-2")

    with pytest.raises(SetupError, match="mixup"):
        publish(places, data=folder, recipes=changed, device="cpu", say=lambda _: None)


def test_a_run_on_other_lists_than_its_name_says_is_refused(published, places, folder, recipes):
    shutil.rmtree(places.runs / "fold-1")
    shutil.copytree(places.runs / "fold-2", places.runs / "fold-1")

    with pytest.raises(SetupError, match="fold2 and not fold1"):
        publish(places, data=folder, recipes=recipes, score_only=True, device="cpu", say=lambda _: None)


def copied(places, old, new, **provenance):
    """The run `old` under the name `new`, and this in its checkpoint's header."""
    shutil.rmtree(places.runs / new)
    shutil.copytree(places.runs / old, places.runs / new)
    path = places.runs / new / "pcrnn.safetensors"
    checkpoint = load_checkpoint(path)
    save_checkpoint(path, replace(checkpoint, provenance={**checkpoint.provenance, **provenance}))


def refusal(places, folder, recipes) -> str:
    with pytest.raises(SetupError) as refused:
        publish(places, data=folder, recipes=recipes, score_only=True, device="cpu", say=lambda _: None)
    return refused.value.detail


def test_copies_of_one_run_are_not_averaged_as_seeds(published, places, folder, recipes):
    copied(places, "seed-1", "seed-3")
    plain = refusal(places, folder, recipes)
    recipe = asdict(replace(recipes["released"], seed=3))
    copied(places, "seed-1", "seed-3", recipe=recipe)
    of_the_plans_recipe = refusal(places, folder, recipes)
    copied(places, "seed-1", "seed-3", recipe=recipe, seed=3)
    of_the_plans_seed = refusal(places, folder, recipes)

    path = places.runs / "seed-3" / "pcrnn.safetensors"
    assert plain == f"{path} was trained with seed 1 and not 3."
    assert of_the_plans_recipe == f"{path} says that its seed is 1 and not 3."
    assert of_the_plans_seed == (
        f"{path.parent} holds the weights of {places.runs / 'seed-1'}: a copy is no run."
    )


def test_a_run_with_a_setting_that_the_plan_does_not_know_is_refused(published, places, folder, recipes):
    recipe = {**asdict(replace(recipes["released"], seed=3)), "older": 0.5}
    copied(places, "seed-1", "seed-3", recipe=recipe, seed=3)

    assert refusal(places, folder, recipes).endswith("was trained with older 0.5 and not None.")


def test_a_card_without_marks_is_refused_before_a_test_list_is_looked_at(published, places, folder, recipes):
    before = (places.docs / "evaluation.json").read_bytes()
    places.card.write_text("# Card\n")

    said: list[str] = []
    with pytest.raises(SetupError, match="figures"):
        publish(places, data=folder, recipes=recipes, score_only=True, device="cpu", say=said.append)

    assert not any("test list" in line for line in said)
    assert (places.docs / "evaluation.json").read_bytes() == before


def test_without_a_finished_seed_there_is_one_sentence_and_status_1(small_data, tmp_path):
    app = typer.Typer()
    app.command()(main)

    result = CliRunner().invoke(
        app, ["--data", str(small_data), "--runs", str(tmp_path / "runs"), "--score-only"]
    )

    assert result.exit_code == 1
    assert result.stderr == (
        "publication: No seed of the released recipe is finished: there is nothing to release.\n"
    )
