"""How good a checkpoint is, on a fault-filtered list and on songs with real audio.

Scores only: nothing here is fitted, the temperature comes from the checkpoint. Every figure that the
documents quote comes out of the JSON that this writes.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Column, Table

from shared.settings import read_settings
from worker.checkpoint import RELEASED, Checkpoint, load_checkpoint
from worker.device import choose_device
from worker.training.audio_folder import scored_folder
from worker.training.gtzan import Gtzan, MelSongs, find_data, load_gtzan
from worker.training.scores import Scores, score
from worker.training.songs import Songs
from worker.training.train import predict


def run_evaluation(  # noqa: PLR0913  # one parameter for each option
    checkpoint: Path | None,
    *,
    data: Path | None,
    audio: Path | None = None,
    cache: Path | None = None,
    split: str = "test",
    seed: int = 0,
    json_file: Path | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> dict[str, Any]:
    """Print the figures and, where a file is named, write them as JSON; returns what is written."""
    if threads is not None:
        torch.set_num_threads(threads)
    loaded = load_checkpoint(checkpoint or RELEASED)
    lists = (
        {"audio_folder": scored_folder(audio, loaded, cache, read_settings())}
        if audio
        else _lists_of_gtzan(load_gtzan(find_data(data)), split)
    )
    where = choose_device(device)
    figures = {name: _scores(loaded, songs, where, seed=seed) for name, songs in lists.items()}
    written = {
        "command": _command(),
        "checkpoint": asdict(loaded.identity),
        "fill_seed": seed,
        "temperature": loaded.temperature,
        "lists": {name: asdict(scores) for name, scores in figures.items()},
    }
    _print(figures)
    if json_file is not None:
        json_file.write_text(json.dumps(_rounded(written), indent=2) + "\n", encoding="utf-8")
    return written


def _lists_of_gtzan(gtzan: Gtzan, split: str) -> dict[str, Songs]:
    return {
        f"{split}_filtered": gtzan.rebuilt.chosen(gtzan.listed(split)),
        "real_audio_outside_train": _real_audio(gtzan),
    }


def _real_audio(gtzan: Gtzan) -> MelSongs:
    """Songs with real audio that training never saw; some of them are on the validation list."""
    train = set(gtzan.listed("train"))
    return gtzan.true.chosen(tuple(name for name in gtzan.true.names if name not in train))


def _scores(checkpoint: Checkpoint, songs: Songs, device: torch.device, *, seed: int) -> Scores:
    logits = predict(checkpoint.build().to(device), songs, device, seed=seed)
    return score(logits, songs.labels, checkpoint.genres, temperature=checkpoint.temperature)


def _print(figures: dict[str, Scores]) -> None:
    """Rows to standard output; all shares in per cent."""
    console = Console()
    headings = ("list", "songs", "accuracy", "macro-F1", "top-3", "ECE", "NLL", "Brier")
    summary = Table(*(Column(heading, no_wrap=True) for heading in headings), box=None)
    for name, scores in figures.items():
        shares = (scores.accuracy, scores.macro_f1, scores.top_3, scores.ece)
        cells = [f"{100 * share:.1f}" for share in shares]
        summary.add_row(name, str(scores.songs), *cells, f"{scores.nll:.3f}", f"{scores.brier:.3f}")
    console.print(summary)
    name, scores = next(iter(figures.items()))
    genres = Table("genre", "songs", "precision", "recall", "F1", title=name)
    for genre, each in scores.genres.items():
        cells = [f"{100 * share:.1f}" for share in (each.precision, each.recall, each.f1)]
        genres.add_row(genre, str(each.songs), *cells)
    console.print(genres)


def _command() -> str:
    """The command line that made the figures, the program by its bare name."""
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])


def _rounded(value: Any) -> Any:
    """JSON with four decimals; any JSON value."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value
