"""What is published of a release: each of its trainings, scored on the lists that it may be scored on.

Scores; it trains nothing, and writes nothing. Which checkpoint is the released one is decided on the
validation list, before a test list is opened.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from shared.errors import SetupError
from worker.checkpoint import Checkpoint
from worker.model import build_model
from worker.training.evaluation.abstention import abstention, recommended_threshold
from worker.training.evaluation.evaluate import (
    FILTERED,
    Subject,
    described,
    gtzan_lists,
    open_subject,
    report,
)
from worker.training.evaluation.intervals import over_seeds
from worker.training.evaluation.report import ListReport
from worker.training.learning.scores import score
from worker.training.learning.train import predict
from worker.training.release.release_runs import Run, check_no_copies, epochs_of, is_finished, load_run
from worker.training.songs.gtzan import Gtzan
from worker.training.songs.songs import Songs

Json = dict[str, Any]  # what the JSON of a publication holds

FILL_SEED = 0  # fills the gaps of every list that is scored, whatever seed a run was trained with
OVER_SEEDS = {"accuracy": 1.0, "macro_f1": 1.0, "top_3": 1.0, "nll": math.inf, "brier": 2.0, "ece": 1.0}
"""Figures that are averaged, and the highest that each can be."""
PUBLISHED = (
    {"name": "MFCC and SVM", "accuracy": 0.534},
    {"name": "CNN of 391 k parameters, from scratch", "accuracy": 0.576},
    {"name": "CLMR", "accuracy": 0.686},
    {"name": "musicnn", "accuracy": 0.772},
    {"name": "VGGish", "accuracy": 0.776},
    {"name": "Jukebox", "accuracy": 0.797},
    {"name": "SampleCNN, transfer", "accuracy": 0.821},
)
"""Accuracy on the same fault-filtered test list, as others report it."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A run that has come to its end."""

    run: Run
    checkpoint: Checkpoint
    epochs: int

    @property
    def subject(self) -> Subject:
        """What is scored."""
        return Subject(checkpoint=self.checkpoint, trained_on=self.run.lists)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What everything is scored with."""

    gtzan: Gtzan
    device: torch.device
    say: Callable[[str], None]

    def report(self, subject: Subject, songs: Songs) -> ListReport:
        """The report on these songs."""
        return report(subject, songs, self.device, seed=FILL_SEED)


def finished_runs(plan: tuple[Run, ...], runs: Path) -> dict[str, Finished]:
    """By name; SetupError where one is not what the plan says, or is a copy of another."""
    found = {
        run.name: Finished(run=run, checkpoint=load_run(run, runs), epochs=len(epochs_of(run, runs)))
        for run in plan
        if is_finished(run, runs)
    }
    check_no_copies({name: each.checkpoint for name, each in found.items()}, runs)
    return found


def chosen_seed(found: Mapping[str, Finished], bench: Bench) -> tuple[str, dict[str, float]]:
    """The seed with the lowest NLL on the validation list, and all of theirs."""
    songs = bench.gtzan.rebuilt.chosen(bench.gtzan.split(FILTERED).valid)
    losses = {name: _nll(each.checkpoint, songs, bench.device) for name, each in _seeds(found).items()}
    if not losses:
        raise SetupError("No seed of the released recipe is finished: there is nothing to release.")
    return min(losses, key=lambda name: losses[name]), losses


def check_released(released: Checkpoint, chosen: str, found: Mapping[str, Finished]) -> None:
    """SetupError unless the released checkpoint is the chosen seed's."""
    if released.identity.sha256 != found[chosen].checkpoint.identity.sha256:
        raise SetupError(
            f"The released checkpoint is not that of {chosen}, which has the lowest NLL on the validation "
            "list: `make evaluation RELEASE=1` (--release) puts it in its place."
        )


def figures(
    found: Mapping[str, Finished], chosen: str, losses: dict[str, float], original: Path, bench: Bench
) -> Json:
    """Everything that is published, in the order of the page; parts whose runs are not finished are absent.

    original: the weights of the original project.
    """
    bench.say("Looks at the test lists now: nothing may be chosen by what follows.")
    subject = found[chosen].subject
    written = described(subject, seed=FILL_SEED) | {
        "parameters": _parameters(subject.checkpoint),
        "released": chosen,
    }
    test = gtzan_lists(bench.gtzan, split="test", lists=FILTERED)
    valid = gtzan_lists(bench.gtzan, split="valid", lists=FILTERED)["valid_filtered"]
    bench.say(f"{chosen}, the released one, on every list")
    reports = {name: bench.report(subject, each.songs) for name, each in test.items()}
    written["lists"] = {name: asdict(reports[name]) | {"notes": test[name].notes} for name in reports}
    on_valid = bench.report(subject, valid.songs)
    written["lists"]["valid_filtered"] = asdict(on_valid) | {"notes": valid.notes}
    written["recommended"] = _recommended(on_valid, reports["test_filtered"])
    written["seeds"] = [
        _row(each, bench, test["test_filtered"].songs) | {"valid_nll": losses[name]}
        for name, each in _seeds(found).items()
    ]
    written["over_seeds"] = _spreads(written["seeds"])
    written |= _originals(found, original, bench) | _folds(found, bench)
    written["published"] = PUBLISHED
    return written


def _originals(found: Mapping[str, Finished], weights: Path, bench: Bench) -> Json:
    """The original design, trained here to its end, and the original's own weights."""
    subjects: dict[str, tuple[Subject, Json]] = {}
    if weights.exists():
        subjects["original_weights"] = (open_subject(weights), {})
    if "original" in found:
        run = found["original"]
        subjects["original_recipe"] = (run.subject, _training(run))
    test = gtzan_lists(bench.gtzan, split="test", lists=FILTERED)
    written = {}
    for name, (subject, training) in subjects.items():
        bench.say(f"{name.replace('_', ' ')} on {' and '.join(test)}")
        written[name] = described(subject, seed=FILL_SEED) | training
        written[name]["lists"] = {
            key: _brief(bench.report(subject, chosen.songs)) for key, chosen in test.items()
        }
    return written


def _folds(found: Mapping[str, Finished], bench: Bench) -> Json:
    """Artist folds on rebuilt spectrograms, and the first on those of its songs that have real audio."""
    folds = {name: each for name, each in found.items() if name.startswith("fold-")}
    if not folds:
        return {}
    written: Json = {"folds": []}
    for each in folds.values():
        test = bench.gtzan.split(each.run.lists).test
        written["folds"].append(_row(each, bench, bench.gtzan.rebuilt.chosen(test)))
        real = bench.gtzan.true.chosen(test)
        if each.run.lists == "fold1" and len(real):
            written["fold1_real_audio"] = _brief(bench.report(each.subject, real))
    written["over_folds"] = _spreads(written["folds"])
    return written


def _row(each: Finished, bench: Bench, songs: Songs) -> Json:
    bench.say(f"{each.run.name} on the test list of {each.run.lists}")
    return {"run": each.run.name} | _training(each) | _brief(bench.report(each.subject, songs))


def _training(each: Finished) -> Json:
    return {
        "sha256": each.checkpoint.identity.sha256,
        "epochs": each.epochs,
        "best_epoch": each.checkpoint.provenance["epoch"],
        "code_sha256": each.checkpoint.provenance["code_sha256"],
    }


def _brief(full: ListReport) -> Json:
    return {"scores": asdict(full.scores), "intervals": asdict(full.intervals)}


def _spreads(rows: list[Json]) -> Json:
    return {
        name: asdict(over_seeds([row["scores"][name] for row in rows], highest=highest))
        for name, highest in OVER_SEEDS.items()
    }


def _recommended(valid: ListReport, test: ListReport) -> Json | None:
    """The threshold, chosen on the validation list, and what it does there and on the test list."""
    probabilities, labels = _answers(valid)
    found = recommended_threshold(probabilities, labels)
    if found is None:
        return None
    (on_test,) = abstention(*_answers(test), (found.min_confidence,))
    return {"valid": asdict(found), "test": asdict(on_test)}


def _answers(of: ListReport) -> tuple[torch.Tensor, torch.Tensor]:
    genres = list(of.scores.genres)
    return (
        torch.tensor([song.probabilities for song in of.songs], dtype=torch.float64),
        torch.tensor([genres.index(song.genre) for song in of.songs]),
    )


def _nll(checkpoint: Checkpoint, songs: Songs, device: torch.device) -> float:
    logits = predict(checkpoint.build().to(device), songs, device, seed=FILL_SEED)
    return score(logits, songs.labels, checkpoint.genres, temperature=checkpoint.temperature).nll


def _parameters(checkpoint: Checkpoint) -> int:
    """Numbers that training fits; what batch norm counts along is not among them."""
    with torch.device("meta"):  # shapes alone, no memory
        model = build_model(checkpoint.architecture, checkpoint.sizes)
    return sum(each.numel() for each in model.parameters())


def _seeds(found: Mapping[str, Finished]) -> dict[str, Finished]:
    return {name: each for name, each in found.items() if name.startswith("seed-")}
