"""How good a checkpoint is, on songs that it was not trained on.

Scores only: nothing here is fitted, the temperature comes from the checkpoint. Every figure that the
documents quote comes out of the JSON that is made here.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor

from shared.errors import SetupError, UnwritableFile
from shared.settings import read_settings
from worker.checkpoint import RELEASED, Checkpoint, import_original, load_checkpoint
from worker.device import choose_device
from worker.features import FeatureSettings
from worker.training.evaluation.answers import check_reproduced, read_evaluation
from worker.training.evaluation.evaluation_page import evaluation_page
from worker.training.evaluation.outputs import check_writable, json_text, write_all
from worker.training.evaluation.pictures import PICTURES, picture, pictured
from worker.training.evaluation.report import ListReport, report_on
from worker.training.learning.train import predict
from worker.training.songs.audio_folder import scored_folder
from worker.training.songs.gtzan import Gtzan, data_folder, find_data, load_gtzan
from worker.training.songs.songs import Songs

FILTERED = "filtered"
UNKNOWN = "unknown"  # what weights from elsewhere were trained on


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is scored."""

    checkpoint: Checkpoint
    trained_on: str  # the lists whose train list it learned from, "audio" for a folder, or UNKNOWN


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """One list of songs, and what is worth knowing of its choice."""

    songs: Songs
    notes: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a command was asked to leave behind."""

    json: Path | None = None
    markdown: Path | None = None
    pictures: Path | None = None  # a folder
    against: Path | None = None  # figures to be reproduced

    @property
    def files(self) -> list[Path]:
        """All that it leaves behind, the pictures last."""
        drawn = [self.pictures / name for name in PICTURES] if self.pictures else []
        return [path for path in (self.json, self.markdown) if path] + drawn


def run_evaluation(  # noqa: PLR0913  # one parameter for each option
    checkpoint: Path | None,
    *,
    data: Path | None,
    audio: Path | None = None,
    cache: Path | None = None,
    split: str = "test",
    lists: str | None = None,
    seed: int = 0,
    wanted: Wanted,
    device: str = "auto",
    threads: int | None = None,
) -> dict[str, Any]:  # JSON
    """Print the figures and write what is wanted; returns what the JSON holds."""
    if threads is not None:
        torch.set_num_threads(threads)
    # Before anything is computed: a typing error in a name should not cost minutes.
    check_writable(wanted.files)
    expected = read_evaluation(wanted.against) if wanted.against else None
    subject = open_subject(checkpoint or RELEASED)
    where = choose_device(device)
    computed = described(subject, seed=seed) | {
        "command": command_line(),
        "lists": {
            name: asdict(report(subject, chosen.songs, where, seed=seed)) | {"notes": chosen.notes}
            for name, chosen in _chosen(
                subject, data=data, audio=audio, cache=cache, split=split, lists=lists
            ).items()
        },
    }
    text = json_text(computed)
    evaluation: dict[str, Any] = json.loads(text)  # as it reads back: what is shown is what is written
    # First the files: who reads the page may stop at its first line.
    failures = _leave(evaluation, text, wanted)
    console = Console()
    failures += _print(console, evaluation_page(evaluation))
    if failures:
        raise UnwritableFile(" ".join(failures))
    if expected is not None:
        songs = check_reproduced(evaluation, expected, source=str(wanted.against))
        if failures := _print(console, f"{wanted.against} is reproduced: {songs} songs."):
            raise UnwritableFile(" ".join(failures))
    return evaluation


def open_subject(path: Path) -> Subject:
    """A checkpoint, or the original project's weights where the file is a `.pth`."""
    if path.suffix == ".pth":
        return Subject(checkpoint=import_original(path), trained_on=UNKNOWN)
    checkpoint = load_checkpoint(path)
    return Subject(checkpoint=checkpoint, trained_on=str(checkpoint.provenance.get("lists", FILTERED)))


def described(subject: Subject, *, seed: int) -> dict[str, Any]:  # JSON
    """What was scored, and how."""
    return {
        "checkpoint": asdict(subject.checkpoint.identity),
        "trained_on": subject.trained_on,
        "genres": subject.checkpoint.genres,
        "temperature": subject.checkpoint.temperature,
        "fill_seed": seed,
    }


def report(subject: Subject, songs: Songs, device: torch.device, *, seed: int) -> ListReport:
    """The report on one list of songs."""
    checkpoint = subject.checkpoint
    labels = _labels(checkpoint.genres, songs)
    logits = predict(checkpoint.build().to(device), songs, device, seed=seed)
    return report_on(logits, labels, songs.names, checkpoint.genres, temperature=checkpoint.temperature)


def gtzan_lists(gtzan: Gtzan, *, split: str, lists: str) -> dict[str, Chosen]:
    """A list of rebuilt spectrograms, and all songs with real audio outside the train list.

    Who asks for the validation list does not see the test list, its real audio neither.
    """
    names = gtzan.split(lists)
    hidden = {"test": set(names.train), "valid": set(names.train) | set(names.test)}[split]
    outside = gtzan.true.chosen(tuple(name for name in gtzan.true.names if name not in hidden))
    called = {"test": "real_audio_outside_train", "valid": "real_audio_outside_train_and_test"}[split]
    listed = {"test": names.test, "valid": names.valid}[split]
    found = {
        f"{split}_{lists}": Chosen(songs=gtzan.rebuilt.chosen(listed), notes={}),
        called: Chosen(
            songs=outside, notes={"on_the_validation_list": len(set(outside.names) & set(names.valid))}
        ),
    }
    return {name: each for name, each in found.items() if len(each.songs)}


def command_line() -> str:
    """The command that made the figures, the program by its bare name."""
    program = Path(sys.argv[0])
    name = f"python -m {program.parent.name}" if program.name == "__main__.py" else program.name
    return " ".join([name, *sys.argv[1:]])


def scored_lists(subject: Subject, wanted: str | None) -> str:
    """Which lists of GTZAN fit this checkpoint; SetupError where figures would flatter."""
    if subject.checkpoint.features != FeatureSettings():
        raise SetupError("The checkpoint hears other features than the spectrograms of the data folder hold.")
    if subject.trained_on == "audio":
        raise SetupError(
            "The checkpoint was trained on a folder of songs, and GTZAN's may be among them: "
            "score it on another folder with --audio."
        )
    if subject.trained_on == UNKNOWN:
        return wanted or FILTERED
    if wanted not in (None, subject.trained_on):
        raise SetupError(
            f"The checkpoint was trained on the train list of {subject.trained_on}: "
            f"the other lists of {wanted} hold its songs and its artists."
        )
    return subject.trained_on


def _chosen(
    subject: Subject,
    *,
    data: Path | None,
    audio: Path | None,
    cache: Path | None,
    split: str,
    lists: str | None,
) -> dict[str, Chosen]:
    """The lists to score on: the one place where they are decided."""
    if audio is not None:
        if lists is not None:
            raise SetupError("--audio scores a whole folder; --lists is for the data folder's spectrograms.")
        songs = scored_folder(audio, subject.checkpoint, cache, read_settings(), data_folder(data))
        return {"audio_folder": Chosen(songs=songs, notes={})}
    fitting = scored_lists(subject, lists)
    return gtzan_lists(load_gtzan(find_data(data)), split=split, lists=fitting)


def _labels(genres: tuple[str, ...], songs: Songs) -> Tensor:
    """The songs' labels counted through the checkpoint's genres."""
    used = {songs.genres[label] for label in songs.labels.tolist()}
    if unknown := sorted(used - set(genres)):
        raise SetupError(f"The checkpoint knows no {', '.join(unknown)}; it knows {', '.join(genres)}.")
    position = [genres.index(genre) if genre in used else -1 for genre in songs.genres]
    return torch.tensor(position)[songs.labels]


def _leave(evaluation: dict[str, Any], text: str, wanted: Wanted) -> list[str]:
    """Write what is wanted, each as if it were alone; returns what went wrong."""
    failures = []
    for path, content in _contents(evaluation, text, wanted):
        try:
            data = content()
        # A picture that the library fails on, whatever with, costs no figures.
        except Exception as error:  # noqa: BLE001
            said = " ".join(str(error).split()) or type(error).__name__
            failures.append(f"{path} cannot be made: {said}.")
            continue
        try:
            write_all({path: data})
        except UnwritableFile as error:
            failures.append(str(error))
    return failures


def _contents(
    evaluation: dict[str, Any], text: str, wanted: Wanted
) -> Iterator[tuple[Path, Callable[[], bytes]]]:
    if wanted.json:
        yield wanted.json, text.encode
    if wanted.markdown:
        yield wanted.markdown, lambda: evaluation_page(evaluation).encode()
    if wanted.pictures:
        shown = pictured(evaluation, next(iter(evaluation["lists"])))
        for name in PICTURES:
            yield wanted.pictures / name, partial(picture, name, shown)


def _print(console: Console, text: str) -> list[str]:
    """Show it; returns what went wrong. A reader that has gone away ends the command in silence."""
    try:
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    except OSError as error:
        # What is left in the buffer would fail once more at the end, with a traceback.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        return [f"The figures cannot be printed: {error.strerror}."]
    return []
