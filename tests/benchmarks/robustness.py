"""How many answers change where the same song comes by another way; writes docs/robustness.json and .md.

Run by `make robustness`. GENREWIZ_DATA names the data folder, GENREWIZ_CHECKPOINT another checkpoint. It
compares answers with answers: nothing is fitted or chosen here.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from shared.settings import read_settings
from support.audio import noise
from support.distortions import DISTORTIONS, EXCERPT_SECONDS, SAMPLE_RATE, Distortion
from support.robustness_report import report
from worker.build import open_pipeline
from worker.checkpoint import RELEASED, Checkpoint, load_checkpoint
from worker.decode import decode
from worker.pipeline import Pipeline
from worker.spectrogram import mel_power
from worker.stream import SongWindows
from worker.training.songs.gtzan import Gtzan, find_data, load_gtzan

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = "resampled"  # the way that codecs are compared with: they take the song at its rate
CODECS = ("mp3", "aac", "opus")
LOUD_ABOVE_DB = -50.0
EIGHTHS = 8
SIMULATED = ("resampled", "low_rate", "telephone", "excerpt")
FILL_SEED = 0
NOISE_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One song by one way."""

    probabilities: dict[str, float]
    window: Tensor  # (frames, bands) in dB

    @property
    def genre(self) -> str:
        """The likeliest."""
        return max(self.probabilities, key=self.probabilities.__getitem__)


def main() -> None:
    """Measures everything, some minutes of it, and writes both files."""
    named = os.environ.get("GENREWIZ_DATA")
    gtzan = load_gtzan(find_data(Path(named) if named else None))
    tracks = sorted((gtzan.folder / "audio").glob("*.flac"))
    settings = read_settings().model_copy(update={"concurrency": 1})
    checkpoint = load_checkpoint(settings.checkpoint or RELEASED)
    songs = [_waveform(track.read_bytes()) for track in tracks]
    with open_pipeline(settings) as pipeline:
        before = [_heard(pipeline, checkpoint, track.read_bytes()) for track in tracks]
        after = {}
        for way in DISTORTIONS:
            after[way.name] = [_heard(pipeline, checkpoint, way.apply(song)) for song in songs]
            print(way.name, _changed(before, after[way.name]), file=sys.stderr)
    figures = {
        "checkpoint": asdict(checkpoint.identity),
        "tracks": len(tracks),
        "tracks_on_lists": _on_lists(gtzan, {track.stem for track in tracks}),
        "reference": REFERENCE,
        "loud_above_db": LOUD_ABOVE_DB,
        "ways": {way.name: _figures(way, before, after) for way in DISTORTIONS},
        "simulated": _simulated(checkpoint, gtzan, before, after),
    }
    rounded = json.loads(json.dumps(figures), parse_float=lambda text: round(float(text), 4))
    (DOCS / "robustness.json").write_text(json.dumps(rounded, indent=2) + "\n", encoding="utf-8")
    (DOCS / "robustness.md").write_text(report(rounded), encoding="utf-8")


def _on_lists(gtzan: Gtzan, names: set[str]) -> dict[str, int]:
    """How many of these songs are on each of the fault-filtered lists, and on none."""
    counts = {split: len(names.intersection(gtzan.listed(split))) for split in ("train", "valid", "test")}
    return counts | {"none": len(names) - sum(counts.values())}


def _waveform(audio: bytes) -> np.ndarray:
    return decode(BytesIO(audio), sample_rate=SAMPLE_RATE, max_seconds=60).waveform


def _heard(pipeline: Pipeline, checkpoint: Checkpoint, audio: bytes) -> Heard:
    """What the service answers, and what its model saw."""
    analysis = pipeline.run(BytesIO(audio))
    assert analysis.classification is not None, analysis.error
    song = SongWindows(checkpoint.mel_filterbank, checkpoint.features)
    windows = [*song.feed(torch.from_numpy(_waveform(audio))), *song.finish()]
    assert len(windows) == len(analysis.classification.timeline) == 1
    predictions = analysis.classification.predictions
    return Heard(probabilities={each.genre: each.probability for each in predictions}, window=windows[0])


def _figures(way: Distortion, before: list[Heard], after: dict[str, list[Heard]]) -> dict[str, Any]:
    pairs = list(zip(before, after[way.name], strict=True))
    moved = torch.stack([new.window - old.window for old, new in pairs])  # (songs, frames, bands)
    moves = [abs(new.probabilities[old.genre] - old.probabilities[old.genre]) for old, new in pairs]
    known = before if not way.name.startswith(CODECS) else after[REFERENCE]
    return {
        "what": way.what,
        "answers_changed": _changed(before, after[way.name]),
        "winner_probability_change": sum(moves) / len(moves),
        "mel_change_db": float(moved.abs().mean()) if way.same_moments else None,
        "highest_band_db": float(moved[..., -1].mean()) if way.same_moments else None,
        "shift_by_eighth_db": _shifts(known, after[way.name]) if way.same_moments else None,
    }


def _shifts(before: list[Heard], after: list[Heard]) -> list[float]:
    """Mean change of what was loud, for each eighth of the bands."""
    old = torch.stack([each.window for each in before])
    moved = torch.stack([each.window for each in after]) - old
    eighths = zip(old.chunk(EIGHTHS, dim=2), moved.chunk(EIGHTHS, dim=2), strict=True)
    return [float(change[level > LOUD_ABOVE_DB].mean()) for level, change in eighths]


def _changed(before: list[Heard], after: list[Heard]) -> int:
    return sum(old.genre != new.genre for old, new in zip(before, after, strict=True))


def _simulated(
    checkpoint: Checkpoint, gtzan: Gtzan, before: list[Heard], after: dict[str, list[Heard]]
) -> dict[str, Any]:
    """The same on the validation list's spectrograms, and whether this is like the real thing."""
    model = checkpoint.build()
    valid = gtzan.rebuilt.chosen(gtzan.listed("valid"))
    windows = torch.cat([valid.whole(row, seed=FILL_SEED) for row in range(len(valid))])
    clips = torch.stack([each.window for each in before])

    def answers(changed: Tensor) -> Tensor:
        with torch.inference_mode():
            logits = [model(batch.unsqueeze(1)) for batch in torch.split(changed, 16)]
        return torch.cat(logits).argmax(dim=1)

    plain = answers(windows)
    ways = {}
    for way in DISTORTIONS:
        if way.name in SIMULATED:
            simulate = _simulation(way, checkpoint)
            found = answers(simulate(windows))
            real = [checkpoint.genres.index(each.genre) for each in after[way.name]]
            ways[way.name] = {
                "answers_changed_share": float((found != plain).double().mean()),
                "accuracy": float((found == valid.labels).double().mean()),
                "same_as_real": int((answers(simulate(clips)) == torch.tensor(real)).sum()),
            }
    accuracy = float((plain == valid.labels).double().mean())
    return {"songs": len(valid), "accuracy": accuracy, "fill_seed": FILL_SEED, "ways": ways}


def _simulation(way: Distortion, checkpoint: Checkpoint) -> Callable[[Tensor], Tensor]:
    """Windows (songs, frames, bands) in dB -> the same by this way, as far as a spectrogram can tell."""
    features = checkpoint.features
    if way.name == "excerpt":
        size = 1 + round(EXCERPT_SECONDS * features.frames_per_second)

        def excerpt(windows: Tensor) -> Tensor:
            start = (features.window_frames - size) // 2
            taken = windows[:, start : start + size].repeat(1, -(-features.window_frames // size), 1)
            return _under_maximum(taken[:, : features.window_frames], features.top_db)

        return excerpt
    flat = noise(seconds=NOISE_SECONDS, sample_rate=SAMPLE_RATE)
    powers = [
        mel_power(torch.from_numpy(heard), checkpoint.mel_filterbank, features).mean(dim=0)
        for heard in (flat, _waveform(way.apply(flat)))
    ]
    gains = 10 * (powers[1] / powers[0]).log10()  # (bands,) dB
    return lambda windows: _under_maximum(windows + gains, features.top_db)


def _under_maximum(windows: Tensor, top_db: float) -> Tensor:
    return (windows - windows.amax(dim=(1, 2), keepdim=True)).clamp_min(-top_db)


if __name__ == "__main__":
    main()
