"""From audio bytes to a genre: decode, spectrogram, windows, model, answer, while the song is being read.

The whole data flow in one place. It knows no job, no queue and no store; the worker and `genrewiz classify`
both call it, so that they give the same answers. Memory does not grow with a song's length.
"""

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, Protocol

import torch
from torch import Tensor

from shared.classification import Classification, ModelIdentity, Prediction, TimelineEntry
from shared.errors import JobFailure, PredictionFailed
from shared.job import StageSeconds
from worker.batcher import Batcher
from worker.checkpoint import Checkpoint
from worker.picture import SongPicture
from worker.png import png
from worker.song import AudioFacts, Decode, Decoding, Hearing, Piece
from worker.stream import SongWindows
from worker.windows import WindowTime, settled_window_times, window_times

Stage = Literal["fetch", "decode", "predict"]


class Report(Protocol):
    """Hears of each step. What it raises ends the run."""

    def __call__(self, stage: Stage, fraction: float, windows: Sequence[TimelineEntry] = (), /) -> None:
        """The stage, the fraction of the whole that is done, and windows whose answers are new.

        Every entry of the timeline comes once and in order.
        """
        ...


PREDICT_FROM = 0.75
"""The fraction of a run that has passed when the last of a song is read; measured on a 30 s MP3."""
MOST_WAITING = 64
"""Windows of one song that wait for the model, 21 MB: a decoder that is faster than the model has to wait."""


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """What one run of the pipeline found: a classification, or what is wrong with the song."""

    classification: Classification | None = None
    error: JobFailure | None = None
    audio: AudioFacts | None = None  # None where the song could not be decoded
    stage_seconds: StageSeconds  # of the stages that were reached
    picture: bytes | None = None  # PNG of the whole song's spectrogram, where one was asked for


@dataclass
class _Stopwatch:
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds to the time of a stage: stages take turns while a song is read."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


class _Answers:
    """What the model says of a song's windows, in their order."""

    def __init__(self, batcher: Batcher, watch: _Stopwatch, *, most: int | None) -> None:
        """most: windows that are asked for at all."""
        self._batcher = batcher
        self._watch = watch
        self._most = most
        self._waiting: deque[Future[Tensor]] = deque()
        self._rows: list[Tensor] = []

    def ask(self, windows: Sequence[Tensor]) -> None:
        """Windows (640, 128) in dB for the model; waits where too many do already."""
        for window in windows:
            if self._most is None or len(self._rows) + len(self._waiting) < self._most:
                self._waiting.append(self._batcher.submit(window))
                self._take(leave=MOST_WAITING)

    def close(self) -> None:
        """What is still waited for is wanted no more: windows that did not go to the device never will."""
        for answer in self._waiting:
            answer.cancel()

    def known(self) -> Sequence[Tensor]:
        """(genres,) of each window, on the CPU, as far as the model has got."""
        while self._waiting and self._waiting[0].done():
            self._take(leave=len(self._waiting) - 1)
        return self._rows

    def rest(self) -> Iterator[float]:
        """Waits for one after another: the fraction of all that is there by then."""
        total = len(self._rows) + len(self._waiting)
        while self._waiting:
            self._take(leave=len(self._waiting) - 1)
            yield len(self._rows) / total

    def _take(self, *, leave: int) -> None:
        with self._watch.stage("predict"):
            while len(self._waiting) > leave:
                self._rows.append(self._waiting.popleft().result())


class _Timeline:
    """A song's timeline as it unfolds: each entry as soon as it is certain."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self.entries: list[TimelineEntry] = []

    def unfold(self, logits: Sequence[Tensor], frames: int) -> Sequence[TimelineEntry]:
        """The entries that are new, while the song goes on. logits: (genres,) each; frames: heard so far."""
        first = len(self.entries)
        times = settled_window_times(frames, self._checkpoint.features, first=first)
        return self._add(zip(times, logits[first:], strict=False))

    def end(self, logits: Sequence[Tensor], times: Sequence[WindowTime]) -> Sequence[TimelineEntry]:
        """The entries that are new, once the times of all are known."""
        first = len(self.entries)
        return self._add(zip(times[first:], logits[first:], strict=False))

    def _add(self, found: Iterable[tuple[WindowTime, Tensor]]) -> Sequence[TimelineEntry]:
        first = len(self.entries)
        for when, logits in found:
            if not _are_numbers([logits]):
                break  # the whole answer will be none, and this is no part of one
            self.entries.append(self._entry(when, logits))
        return self.entries[first:]

    def _entry(self, when: WindowTime, logits: Tensor) -> TimelineEntry:
        probabilities = (logits.double() / self._checkpoint.temperature).softmax(dim=0).tolist()
        likeliest = max(range(len(probabilities)), key=probabilities.__getitem__)
        return TimelineEntry(
            start_seconds=when.start_seconds,
            end_seconds=when.end_seconds,
            genre=self._checkpoint.genres[likeliest],
            probabilities=tuple(probabilities),
        )


def _are_numbers(logits: Sequence[Tensor]) -> bool:
    return all(bool(row.isfinite().all()) for row in logits)


def _next(decoding: Decoding, watch: _Stopwatch) -> Piece | AudioFacts:
    """The next piece of a song, or at its end what it turned out to be."""
    with watch.stage("decode"):
        try:
            return next(decoding)
        except StopIteration as end:
            facts: AudioFacts = end.value
            return facts


class Pipeline:
    """One model on one device, for any number of threads. A song is never in memory as a whole."""

    def __init__(
        self,
        *,
        checkpoint: Checkpoint,
        decode: Decode,
        batcher: Batcher,
        device: torch.device,
        at_once: int,
    ) -> None:
        """at_once: songs in hand at any time; more threads than that wait for their turn."""
        self._checkpoint = checkpoint
        self._features = checkpoint.features
        self._decode = decode
        self._filterbank = checkpoint.mel_filterbank.to(device)
        self._batcher = batcher
        self._device = device
        self._turns = threading.BoundedSemaphore(at_once)

    @property
    def identity(self) -> ModelIdentity:
        """Which model answers."""
        return self._checkpoint.identity

    def run(
        self,
        audio: BinaryIO,
        *,
        first_window_only: bool = False,
        picture: bool = False,
        report: Report = lambda *_: None,
    ) -> Analysis:
        """Classify encoded audio, and draw it where that is asked for.

        Whatever `report` raises, and any surprise, ends the run.
        """
        with self._turns:
            watch = _Stopwatch()
            answers = _Answers(self._batcher, watch, most=1 if first_window_only else None)
            with closing(answers):
                drawing = SongPicture(self._features) if picture else None
                return self._run(audio, report, watch, answers, drawing)

    def _run(
        self,
        audio: BinaryIO,
        report: Report,
        watch: _Stopwatch,
        answers: _Answers,
        drawing: SongPicture | None,
    ) -> Analysis:
        hearing = Hearing(self._features.sample_rate)
        song = SongWindows(
            self._filterbank, self._features, on_power=drawing.feed if drawing else lambda _: None
        )
        timeline = _Timeline(self._checkpoint)
        report("decode", 0.0)
        facts = None
        try:
            with closing(self._decode(audio)) as decoding:
                while isinstance(said := _next(decoding, watch), Piece):
                    hearing.feed(said.waveform)
                    with watch.stage("spectrogram"):
                        windows = song.feed(torch.from_numpy(said.waveform).to(self._device))
                    known = timeline.unfold(answers.known(), song.frames)
                    report("decode", PREDICT_FROM * said.fraction, known)
                    answers.ask(windows)
            facts = said
            hearing.check()
        except JobFailure as error:
            return Analysis(error=error, audio=facts, stage_seconds=StageSeconds(**watch.seconds))
        with watch.stage("spectrogram"):
            windows = song.finish()
        report("predict", PREDICT_FROM)
        answers.ask(windows)
        with watch.stage("spectrogram"):  # while the model is busy with the last windows
            picture = png(drawing.levels(samples=hearing.samples)) if drawing else None
        times = window_times(song.frames, facts.duration_seconds, self._features)
        for fraction in answers.rest():
            known = timeline.end(answers.known(), times)
            report("predict", PREDICT_FROM + (1 - PREDICT_FROM) * fraction, known)
        logits = answers.known()
        if known := timeline.end(logits, times):  # of answers that nobody had to wait for
            report("predict", 1.0, known)
        if not _are_numbers(logits):
            return Analysis(
                error=PredictionFailed(), audio=facts, stage_seconds=StageSeconds(**watch.seconds)
            )
        return Analysis(
            classification=self._classification(torch.stack(list(logits)), timeline.entries),
            audio=facts,
            picture=picture,
            stage_seconds=StageSeconds(**watch.seconds),
        )

    def _classification(self, logits: Tensor, timeline: Sequence[TimelineEntry]) -> Classification:
        calibrated = logits.double() / self._checkpoint.temperature
        song = calibrated.mean(dim=0).softmax(dim=0).tolist()  # mean of logits: every window counts the same
        ranked = sorted(zip(self._checkpoint.genres, song, strict=True), key=lambda pair: -pair[1])
        return Classification(
            predictions=tuple(Prediction(genre=genre, probability=share) for genre, share in ranked),
            timeline=tuple(timeline),
        )
