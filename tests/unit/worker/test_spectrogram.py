"""The log-mel spectrogram: what nature says of it, and what librosa does."""

import librosa
import numpy as np
import pytest
import soundfile
import torch

from support.audio import chirp, music_like, noise, sine
from worker.features import FeatureSettings
from worker.spectrogram import log_mel, mel_filterbank, mel_power
from worker.windows import repeat_to_window, window_starts, windows

SETTINGS = FeatureSettings()
RATE = SETTINGS.sample_rate
FILTERBANK = mel_filterbank(SETTINGS)
MOST_DECIBELS_APART = 1e-4  # ten times less than promised; 2e-5 was seen

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def log_mel_windows(waveform, device="cpu"):
    song = repeat_to_window(torch.from_numpy(waveform).to(device), SETTINGS)
    power = mel_power(song, FILTERBANK.to(device), SETTINGS)
    return log_mel(windows(power, SETTINGS), top_db=SETTINGS.top_db).cpu().numpy()


def log_mel_windows_of_librosa(waveform):
    song = repeat_to_window(torch.from_numpy(waveform), SETTINGS).numpy()
    power = librosa.feature.melspectrogram(
        y=song, sr=RATE, n_fft=SETTINGS.n_fft, hop_length=SETTINGS.hop_length, n_mels=SETTINGS.n_mels
    ).T
    slices = [power[start : start + 640] for start in window_starts(len(power), SETTINGS)]
    return np.stack([librosa.power_to_db(window, ref=np.max) for window in slices])


SIGNALS = {
    "tone": sine(440, seconds=30, sample_rate=RATE),
    "noise": noise(seconds=30, sample_rate=RATE),
    "sweep": chirp(20, 11_000, seconds=30, sample_rate=RATE),
    "music": music_like(seconds=45, sample_rate=RATE),
    "a short song": music_like(seconds=4, sample_rate=RATE),
    "hardly audible": noise(seconds=30, sample_rate=RATE, amplitude=1e-4),
    "half silence": np.pad(noise(seconds=15, sample_rate=RATE), (0, 15 * RATE)),
    "silence": np.zeros(30 * RATE, np.float32),
    "full scale": np.sign(sine(100, seconds=30, sample_rate=RATE)),
    "one click": np.eye(1, 30 * RATE, 15 * RATE, dtype=np.float32)[0],
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("waveform", SIGNALS.values(), ids=SIGNALS.keys())
def test_it_is_librosas_spectrogram(waveform, device):
    ours = log_mel_windows(waveform, device)

    theirs = log_mel_windows_of_librosa(waveform)

    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < MOST_DECIBELS_APART


def test_it_is_librosas_spectrogram_of_real_music(data_folder):
    songs = sorted((data_folder / "gtzan" / "audio").glob("*.flac"))
    assert songs

    apart = {}
    for song in songs:
        waveform = soundfile.read(song, dtype="float32")[0]
        apart[song.name] = np.abs(log_mel_windows(waveform) - log_mel_windows_of_librosa(waveform)).max()

    assert max(apart.values()) < MOST_DECIBELS_APART, apart


@pytest.mark.parametrize("band", [3, 30, 64, 100, 126])
def test_a_pure_tone_lights_up_the_band_that_holds_its_frequency(band):
    centre = librosa.mel_frequencies(n_mels=SETTINGS.n_mels + 2, fmax=RATE / 2)[band + 1]

    spectrogram = log_mel_windows(sine(centre, seconds=30, sample_rate=RATE))[0]

    assert (spectrogram.argmax(axis=1) == band).all()
    assert spectrogram.max() == 0.0


def test_a_rising_tone_climbs_the_bands():
    spectrogram = log_mel_windows(chirp(200, 9_000, seconds=30, sample_rate=RATE))[0]

    loudest_bands = spectrogram[1:-1].argmax(axis=1)

    assert (np.diff(loudest_bands) >= 0).all()
    assert loudest_bands[0] < 15
    assert loudest_bands[-1] > 110


def test_a_click_is_seen_only_by_the_frames_around_it():
    frame = 100
    waveform = np.zeros(30 * RATE, np.float32)
    waveform[frame * SETTINGS.hop_length] = 1.0

    power = mel_power(torch.from_numpy(waveform), FILTERBANK, SETTINGS)

    assert power.sum(dim=1).nonzero().flatten().tolist() == [frame]


def test_silence_is_finite():
    spectrogram = log_mel_windows(np.zeros(30 * RATE, np.float32))

    assert (spectrogram == 0.0).all()


def test_louder_is_the_same_picture():
    quiet = music_like(seconds=30, sample_rate=RATE)

    quieter = log_mel_windows(quiet * np.float32(0.25))

    assert np.abs(log_mel_windows(quiet) - quieter).max() < MOST_DECIBELS_APART


def test_every_window_is_measured_by_its_own_loudest_point():
    loud_then_quiet = np.concatenate([noise(seconds=60, sample_rate=RATE, amplitude=a) for a in (0.2, 0.002)])

    spectrograms = log_mel_windows(loud_then_quiet)

    assert (spectrograms.max(axis=(1, 2)) == 0.0).all()
    assert (spectrograms.min(axis=(1, 2)) >= -SETTINGS.top_db).all()


def test_a_long_song_in_pieces_is_the_same_as_in_one():
    waveform = music_like(seconds=60, sample_rate=RATE)

    whole = mel_power(torch.from_numpy(waveform), FILTERBANK, SETTINGS)

    in_one = torch.stft(
        torch.from_numpy(waveform).double(),
        n_fft=SETTINGS.n_fft,
        hop_length=SETTINGS.hop_length,
        window=torch.hann_window(SETTINGS.n_fft, dtype=torch.float64),
        pad_mode="constant",
        return_complex=True,
    )
    expected = (FILTERBANK.double() @ in_one.abs().square()).T.float()
    assert whole.shape == expected.shape == (1 + len(waveform) // SETTINGS.hop_length, SETTINGS.n_mels)
    torch.testing.assert_close(whole, expected, rtol=1e-5, atol=1e-8)


def test_there_is_a_frame_for_every_hop_and_one_more():
    for samples in (639 * 1_024, 640 * 1_024 - 1, 640 * 1_024):
        power = mel_power(torch.zeros(samples), FILTERBANK, SETTINGS)

        assert power.shape == (1 + samples // 1_024, SETTINGS.n_mels)
