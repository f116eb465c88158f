"""The ways that robustness is measured by do what they are called."""

from io import BytesIO

import numpy as np
import pytest

from support.audio import music_like, noise, sine
from support.distortions import DISTORTIONS, SAMPLE_RATE
from worker.decode import decode

WAYS = {way.name: way for way in DISTORTIONS}


def by(name: str, waveform: np.ndarray) -> np.ndarray:
    return decode(BytesIO(WAYS[name].apply(waveform)), sample_rate=SAMPLE_RATE, max_seconds=60).waveform


def level_db(waveform: np.ndarray) -> float:
    """Without the ends, where filters and codecs begin and stop."""
    inner = waveform[SAMPLE_RATE // 4 : -SAMPLE_RATE // 4]
    return 10 * np.log10((inner.astype(np.float64) ** 2).mean())


def heard_db(name: str, hz: float) -> float:
    """The gain of a tone."""
    tone = sine(hz, seconds=3, sample_rate=SAMPLE_RATE)
    return level_db(by(name, tone)) - level_db(tone)


@pytest.mark.parametrize("name", [way.name for way in DISTORTIONS if way.same_moments])
def test_what_is_compared_frame_by_frame_is_heard_at_the_same_moment(name):
    before = music_like(seconds=6, sample_rate=SAMPLE_RATE, seed=2)

    after = by(name, before)

    assert abs(len(after) - len(before)) <= SAMPLE_RATE // 10
    length = min(len(after), len(before))
    size = 2 ** (2 * length - 1).bit_length()
    product = np.fft.rfft(after[:length], size) * np.conj(np.fft.rfft(before[:length], size))
    lag = int(np.fft.irfft(product).argmax())
    assert min(lag, size - lag) <= 32  # samples; a frame has 2,048


def test_a_telephone_passes_its_band_alone():
    assert heard_db("telephone", 1_000) == pytest.approx(0, abs=0.5)
    assert heard_db("telephone", 60) < -40
    assert heard_db("telephone", 5_000) < -40


def test_a_low_rate_keeps_what_is_below_4_khz():
    assert heard_db("low_rate", 60) == pytest.approx(0, abs=0.1)
    assert heard_db("low_rate", 3_500) == pytest.approx(0, abs=0.1)
    assert heard_db("low_rate", 5_000) < -40


def test_resampling_takes_nothing_but_what_is_close_to_the_highest_frequency():
    assert heard_db("resampled", 10_000) == pytest.approx(-1, abs=0.1)  # the headroom
    assert heard_db("resampled", 10_500) == pytest.approx(-4.8, abs=0.3)  # by the service's resampler alone
    assert heard_db("resampled", 11_000) < -40


def test_quieter_is_12_db_quieter():
    assert heard_db("quieter_12_db", 1_000) == pytest.approx(-12, abs=0.01)


def test_an_excerpt_is_the_five_seconds_in_the_middle():
    before = noise(seconds=20, sample_rate=SAMPLE_RATE)

    after = by("excerpt", before)

    start = round(7.5 * SAMPLE_RATE)
    assert np.abs(after - before[start : start + 5 * SAMPLE_RATE]).max() < 1e-4
    assert len(after) == 5 * SAMPLE_RATE


def test_fewer_bits_lose_more():
    before = music_like(seconds=6, sample_rate=SAMPLE_RATE, seed=2) * 0.9

    def lost(name: str) -> float:
        """Power of the error over that of resampling alone."""
        plain, after = by("resampled", before), by(name, before)
        length = min(len(plain), len(after))
        return level_db(after[:length] - plain[:length])

    assert lost("mp3_32k_mono") > lost("mp3_64k") > lost("mp3_128k")
    assert lost("aac_32k_mono") > lost("aac_128k")
