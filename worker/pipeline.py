"""From audio bytes to a genre: decode, spectrogram, windows, model, answer.

The whole data flow in one place. It knows no job, no queue and no store; the worker and `genrewiz classify`
both call it, so that they give the same answers.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

import torch
from torch import Tensor

from shared.classification import Classification, ModelIdentity, Prediction, TimelineEntry
from shared.errors import JobFailure
from shared.job import StageSeconds
from worker.batcher import Batcher
from worker.checkpoint import Checkpoint
from worker.decode import DecodedAudio, check_audible, decode
from worker.spectrogram import log_mel, mel_power
from worker.windows import WindowTime, repeat_to_window, window_times, windows

Stage = Literal["decode", "spectrogram", "predict"]
Report = Callable[[Stage, float], None]
"""Hears of each step: its stage, and the fraction of the whole that is done. What it raises ends the run."""

SHARE_BEFORE: dict[Stage, float] = {"decode": 0.0, "spectrogram": 0.7, "predict": 0.75}
"""How much of a run's time has passed when a stage begins: shares measured on a 30 s MP3."""


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """What one run of the pipeline found: a classification, or what is wrong with the song."""

    classification: Classification | None = None
    error: JobFailure | None = None
    audio: DecodedAudio | None = None  # None where the song could not be decoded
    stage_seconds: StageSeconds  # of the stages that were reached


@dataclass
class _Stopwatch:
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = time.perf_counter() - start


class Pipeline:
    """One model on one device, for any number of threads."""

    def __init__(
        self, *, checkpoint: Checkpoint, batcher: Batcher, device: torch.device, max_audio_seconds: float
    ) -> None:
        self._checkpoint = checkpoint
        self._features = checkpoint.features
        self._filterbank = checkpoint.mel_filterbank.to(device)
        self._batcher = batcher
        self._device = device
        self._max_audio_seconds = max_audio_seconds
        # Decoders in several threads hand the interpreter's lock to and fro at every frame: two at once take
        # three times as long as one after the other. The other stages do run beside each other.
        self._decoding = threading.Lock()

    @property
    def identity(self) -> ModelIdentity:
        """Which model answers."""
        return self._checkpoint.identity

    def run(
        self, audio: BinaryIO, *, first_window_only: bool = False, report: Report = lambda *_: None
    ) -> Analysis:
        """Classify encoded audio. Whatever `report` raises, and any surprise, ends the run."""
        watch, decoded = _Stopwatch(), None
        report("decode", SHARE_BEFORE["decode"])
        try:
            with self._decoding, watch.stage("decode"):
                decoded = decode(
                    audio, sample_rate=self._features.sample_rate, max_seconds=self._max_audio_seconds
                )
                check_audible(decoded.waveform, sample_rate=self._features.sample_rate)
        except JobFailure as error:
            return Analysis(error=error, audio=decoded, stage_seconds=StageSeconds(**watch.seconds))
        report("spectrogram", SHARE_BEFORE["spectrogram"])
        with watch.stage("spectrogram"):
            seen, times = self._windows(decoded)
        if first_window_only:
            seen, times = seen[:1], times[:1]
        with watch.stage("predict"):
            logits = self._logits(seen, report)
        return Analysis(
            classification=self._classification(logits, times),
            audio=decoded,
            stage_seconds=StageSeconds(**watch.seconds),
        )

    def _windows(self, decoded: DecodedAudio) -> tuple[Tensor, list[WindowTime]]:
        """The windows of a song as the model sees them (windows, 640, 128) in dB, and when they are."""
        waveform = torch.from_numpy(decoded.waveform).to(self._device)
        power = mel_power(repeat_to_window(waveform, self._features), self._filterbank, self._features)
        seen = log_mel(windows(power, self._features), top_db=self._features.top_db)
        return seen, window_times(power.shape[0], decoded.duration_seconds, self._features)

    def _logits(self, seen: Tensor, report: Report) -> Tensor:
        """(windows, genres), on the CPU."""
        start = SHARE_BEFORE["predict"]
        answers = [self._batcher.submit(window) for window in seen]
        rows = []
        for done, answer in enumerate(answers):
            report("predict", start + (1 - start) * done / len(answers))
            rows.append(answer.result())
        return torch.stack(rows)

    def _classification(self, logits: Tensor, times: Sequence[WindowTime]) -> Classification:
        calibrated = logits.double() / self._checkpoint.temperature
        song = calibrated.mean(dim=0).softmax(dim=0).tolist()  # mean of logits: every window counts the same
        ranked = sorted(zip(self._checkpoint.genres, song, strict=True), key=lambda pair: -pair[1])
        entries = zip(times, calibrated.softmax(dim=1).tolist(), strict=True)
        return Classification(
            predictions=tuple(Prediction(genre=genre, probability=share) for genre, share in ranked),
            timeline=tuple(self._entry(when, shares) for when, shares in entries),
        )

    def _entry(self, when: WindowTime, probabilities: list[float]) -> TimelineEntry:
        likeliest = max(range(len(probabilities)), key=probabilities.__getitem__)
        return TimelineEntry(
            start_seconds=when.start_seconds,
            end_seconds=when.end_seconds,
            genre=self._checkpoint.genres[likeliest],
            probabilities=tuple(probabilities),
        )
