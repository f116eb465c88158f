"""From audio bytes to a genre, with the released checkpoint."""

import io
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from PIL import Image

from shared.errors import AudioSilent, AudioTooShort, CorruptAudio, PredictionFailed, UnsupportedFormat
from shared.settings import Settings
from support.audio import encode, music_like
from support.waiting import eventually
from worker.build import open_pipeline
from worker.checkpoint import RELEASED, load_checkpoint
from worker.pipeline import MOST_WAITING, PREDICT_FROM, Pipeline
from worker.song import AudioFacts, Decode, Piece


@pytest.fixture(scope="module")
def pipeline():
    with open_pipeline(Settings(concurrency=2, device="cpu")) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def song() -> bytes:
    """70 s: three windows and a remainder."""
    return encode(music_like(seconds=70, seed=1), "wav16")


def test_a_song_gets_all_genres_likeliest_first(pipeline: Pipeline, song):
    answer = pipeline.run(io.BytesIO(song)).classification

    shares = [prediction.probability for prediction in answer.predictions]
    assert len(shares) == 10
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)


def test_the_timeline_covers_the_song(pipeline: Pipeline, song):
    timeline = pipeline.run(io.BytesIO(song)).classification.timeline

    assert timeline[0].start_seconds == 0
    assert timeline[-1].end_seconds == pytest.approx(70, abs=8)
    assert all(sum(entry.probabilities) == pytest.approx(1) for entry in timeline)


def test_the_first_window_alone_gives_one_entry(pipeline: Pipeline, song):
    whole = pipeline.run(io.BytesIO(song)).classification
    first = pipeline.run(io.BytesIO(song), first_window_only=True).classification

    assert first.timeline == whole.timeline[:1]
    assert len(whole.timeline) > 1


def test_a_picture_changes_nothing_of_the_answer_and_shows_the_whole_song(pipeline: Pipeline, song):
    plain, drawn = (pipeline.run(io.BytesIO(song), picture=wish) for wish in (False, True))
    first = pipeline.run(io.BytesIO(song), first_window_only=True, picture=True)

    assert plain.picture is None
    assert drawn.classification == plain.classification  # to the last bit
    assert Image.open(io.BytesIO(drawn.picture)).size == (1 + 70 * 22_050 // 1_024, 128)
    assert first.picture == drawn.picture


def test_a_song_that_is_refused_has_no_picture(pipeline: Pipeline):
    silent = encode(0 * music_like(seconds=5), "wav16")

    assert pipeline.run(io.BytesIO(silent), picture=True).picture is None


def test_progress_only_ever_grows(pipeline: Pipeline, song):
    seen = []

    pipeline.run(io.BytesIO(song), report=lambda stage, fraction, _=(): seen.append((stage, fraction)))

    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert [*dict.fromkeys(stage for stage, _ in seen)] == ["decode", "predict"]
    assert any(0 < fraction < PREDICT_FROM for fraction in fractions)


def test_every_window_is_told_once_and_in_order_as_it_stands_in_the_answer(pipeline: Pipeline, song):
    told = []

    answer = pipeline.run(
        io.BytesIO(song), report=lambda _stage, _fraction, windows=(): told.extend(windows)
    ).classification

    assert len(told) > 2
    assert tuple(told) == answer.timeline


def test_windows_are_told_while_the_song_is_still_being_read():
    told = []

    def decode(_):
        for number in range(40):
            yield Piece(waveform=music_like(seconds=15, sample_rate=22_050), fraction=number / 40)
        return FACTS

    def report(stage, _, windows=()):
        told.append((stage, len(windows)))

    with_stand_ins(decode, EagerModel(), at_once=1).run(io.BytesIO(), report=report)

    assert sum(count for stage, count in told if stage == "decode") > 30
    assert max(count for _, count in told) <= 2


def test_a_window_that_may_yet_end_with_the_song_is_told_at_the_end():
    told = []
    seconds = 640 * 1_024 / 22_050 + 0.5  # a window and half a second

    def decode(_):
        yield Piece(waveform=music_like(seconds=seconds, sample_rate=22_050), fraction=0.5)
        yield Piece(waveform=music_like(seconds=0.1, sample_rate=22_050), fraction=1.0)
        return replace(FACTS, duration_seconds=10.0)  # so says the source

    analysis = with_stand_ins(decode, EagerModel(), at_once=1).run(
        io.BytesIO(), report=lambda stage, _, windows=(): told.extend((stage, each) for each in windows)
    )

    assert told == [("predict", analysis.classification.timeline[0])]
    assert told[0][1].end_seconds == 10.0


def test_what_a_report_raises_ends_the_run(pipeline: Pipeline, song):
    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    with pytest.raises(Stop):
        pipeline.run(io.BytesIO(song), report=stop)


def test_what_is_no_audio_is_refused(pipeline: Pipeline):
    analysis = pipeline.run(io.BytesIO(b"dear diary, " * 100))

    assert isinstance(analysis.error, UnsupportedFormat)
    assert analysis.classification is None
    assert analysis.audio is None
    assert analysis.stage_seconds.decode is not None
    assert analysis.stage_seconds.predict is None


@pytest.mark.parametrize(
    ("waveform", "error"),
    [(music_like(seconds=2), AudioTooShort), (0 * music_like(seconds=5), AudioSilent)],
    ids=["short", "silent"],
)
def test_a_song_in_which_nothing_can_be_heard_is_refused(pipeline: Pipeline, waveform, error):
    analysis = pipeline.run(io.BytesIO(encode(waveform, "wav16")))

    assert isinstance(analysis.error, error)
    assert analysis.classification is None
    assert analysis.audio.codec == "pcm_s16le"


def test_songs_classified_at_once_get_the_answers_they_get_alone(pipeline: Pipeline):
    songs = [encode(music_like(seconds=31, seed=seed), "wav16") for seed in range(6)]
    alone = [pipeline.run(io.BytesIO(song)).classification for song in songs]
    barrier = threading.Barrier(len(songs))

    def together(song: bytes):
        barrier.wait()
        return pipeline.run(io.BytesIO(song)).classification

    with ThreadPoolExecutor(len(songs)) as pool:
        crowd = list(pool.map(together, songs))

    for one, many in zip(alone, crowd, strict=True):
        expected = {prediction.genre: prediction.probability for prediction in one.predictions}
        for prediction in many.predictions:
            assert prediction.probability == pytest.approx(expected[prediction.genre], abs=1e-5)


# With stand-ins for decoder and model


FACTS = AudioFacts(
    source_sample_rate=22_050, channels=1, codec="pcm_s16le", duration_seconds=60.0, truncated=False
)


class LazyAnswer(Future):
    """Is there once somebody waits for it."""

    def result(self, timeout: float | None = None) -> torch.Tensor:
        if not self.done():
            self.set_result(torch.zeros(10))
        return super().result(timeout)


class LazyModel:
    """A batcher that answers nothing before it has to."""

    def __init__(self) -> None:
        self.asked: list[LazyAnswer] = []
        self.most_waiting = 0

    def submit(self, window) -> LazyAnswer:
        self.asked.append(LazyAnswer())
        self.most_waiting = max(self.most_waiting, sum(not answer.done() for answer in self.asked))
        return self.asked[-1]


class EagerModel:
    """A batcher that answers at once."""

    value = 0.0

    def submit(self, window) -> Future:
        answer = Future()
        answer.set_result(torch.full((10,), self.value))
        return answer


def with_stand_ins(decode: Decode, batcher, *, at_once: int) -> Pipeline:
    return Pipeline(
        checkpoint=load_checkpoint(RELEASED),
        decode=decode,
        batcher=batcher,
        device=torch.device("cpu"),
        at_once=at_once,
    )


def test_no_more_songs_are_in_hand_than_there_are_turns():
    go_on, in_hand = threading.Event(), []

    def decode(_):
        in_hand.append(threading.get_ident())
        go_on.wait(timeout=60)
        raise CorruptAudio
        yield

    pipeline = with_stand_ins(decode, LazyModel(), at_once=2)
    with ThreadPoolExecutor(6) as pool:
        runs = [pool.submit(pipeline.run, io.BytesIO()) for _ in range(6)]
        eventually(lambda: len(in_hand) == 2)
        with pytest.raises(AssertionError):
            eventually(lambda: len(in_hand) > 2, seconds=0.5)
        go_on.set()

    assert [type(run.result().error) for run in runs] == [CorruptAudio] * 6
    assert len(in_hand) == 6


def test_a_decoder_that_is_faster_than_the_model_waits_for_it():
    model, piece = LazyModel(), music_like(seconds=15, sample_rate=22_050)

    def decode(_):
        for _ in range(MOST_WAITING + 20):
            yield Piece(waveform=piece, fraction=0.0)
        return FACTS

    analysis = with_stand_ins(decode, model, at_once=1).run(io.BytesIO())

    assert len(analysis.classification.timeline) > MOST_WAITING + 1
    assert model.most_waiting == MOST_WAITING + 1


def test_an_answer_that_is_no_number_is_a_failed_prediction_and_never_an_answer():
    class Broken(LazyModel):
        def submit(self, window) -> Future:
            answer = Future()
            answer.set_result(torch.full((10,), float("nan")))
            return answer

    def decode(_):
        yield Piece(waveform=music_like(seconds=15, sample_rate=22_050), fraction=0.0)
        return FACTS

    analysis = with_stand_ins(decode, Broken(), at_once=1).run(io.BytesIO())

    assert isinstance(analysis.error, PredictionFailed)
    assert analysis.classification is None


def test_of_an_answer_that_is_no_number_no_window_is_told():
    class Broken(EagerModel):
        value = float("nan")

    told = []

    def decode(_):
        for _ in range(6):
            yield Piece(waveform=music_like(seconds=15, sample_rate=22_050), fraction=0.0)
        return FACTS

    analysis = with_stand_ins(decode, Broken(), at_once=1).run(
        io.BytesIO(), report=lambda _stage, _fraction, windows=(): told.extend(windows)
    )

    assert isinstance(analysis.error, PredictionFailed)
    assert told == []


class Stop(Exception):
    """What a report raises to end a run."""


def stopped_run(*, after_fraction: float) -> LazyModel:
    """A run that is stopped at the first report beyond the fraction: ten pieces, some windows each."""
    model, piece = LazyModel(), music_like(seconds=31, sample_rate=22_050)

    def decode(_):
        for number in range(10):
            yield Piece(waveform=piece, fraction=(number + 1) / 10)
        return FACTS

    def report(_, fraction: float, windows=()) -> None:
        if fraction > after_fraction:
            raise Stop

    with pytest.raises(Stop):
        with_stand_ins(decode, model, at_once=1).run(io.BytesIO(), report=report)
    return model


def test_a_run_that_is_stopped_sends_no_further_window_to_the_device():
    assert stopped_run(after_fraction=0).asked == []


def test_windows_that_wait_for_the_device_when_their_run_is_stopped_never_go_there():
    model = stopped_run(after_fraction=0.4)

    assert len(model.asked) > 2
    assert all(answer.cancelled() for answer in model.asked)
