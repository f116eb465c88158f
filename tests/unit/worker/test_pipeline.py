"""From audio bytes to a genre, with the released checkpoint."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.errors import AudioSilent, AudioTooShort, UnsupportedFormat
from shared.settings import Settings
from support.audio import encode, music_like
from worker.build import open_pipeline
from worker.pipeline import PREDICT_FROM, Pipeline


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


def test_progress_only_ever_grows(pipeline: Pipeline, song):
    seen = []

    pipeline.run(io.BytesIO(song), report=lambda stage, fraction: seen.append((stage, fraction)))

    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert [*dict.fromkeys(stage for stage, _ in seen)] == ["decode", "predict"]
    assert any(0 < fraction < PREDICT_FROM for fraction in fractions)


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
