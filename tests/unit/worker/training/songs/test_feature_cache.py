"""Spectrograms kept on disk: the same ones come back, or none."""

import errno
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from shared.errors import CorruptAudio, DataUnavailable, SetupError
from support.song_folder import SMALL
from worker.spectrogram import decibels, mel_filterbank
from worker.training.songs.feature_cache import FeatureCache, default_cache

FILTERBANK = mel_filterbank(SMALL)
AUDIO = "ab" * 32  # a hash


@pytest.fixture
def power():
    """(300 frames, bands) from -100 to 30 dB, as loud and as quiet as songs are."""
    return 10 ** torch.empty(300, 128).uniform_(-10, 3, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path / "cache", SMALL, FILTERBANK)


def test_a_spectrogram_comes_back_rounded_by_a_thousandth_of_a_decibel_at_most(cache, power):
    cache.put(AUDIO, [power[:100], power[100:]])

    kept = cache.find(AUDIO)

    assert kept.frames == 300
    assert (kept.read(0, 300) - decibels(power)).abs().max() < 0.0011
    assert torch.equal(kept.read(120, 5), kept.read(0, 300)[120:125])


def test_other_audio_is_not_found(cache, power):
    cache.put(AUDIO, [power])

    assert cache.find("cd" * 32) is None


@pytest.mark.parametrize(
    ("features", "factor"), [(replace(SMALL, hop_length=512), 1), (SMALL, 2)], ids=["settings", "filterbank"]
)
def test_features_of_another_kind_are_not_found(tmp_path, cache, power, features, factor):
    cache.put(AUDIO, [power])

    assert FeatureCache(tmp_path / "cache", features, factor * FILTERBANK).find(AUDIO) is None


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied"])
def test_a_damaged_entry_counts_as_none(cache, power, damage):
    path = cache.put(AUDIO, [power]).path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes({"cut": path.read_bytes()[:-200], "flipped": data, "emptied": b""}[damage])

    assert cache.find(AUDIO) is None


def test_the_same_spectrogram_has_the_same_hash_whatever_file_it_is_from(cache, power):
    assert cache.put(AUDIO, [power]).sha256 == cache.put("cd" * 32, [power]).sha256
    assert cache.put("ef" * 32, [2 * power]).sha256 != cache.put(AUDIO, [power]).sha256


def test_a_song_that_breaks_off_in_the_middle_leaves_nothing(cache, power):
    def broken():
        yield power
        raise CorruptAudio

    with pytest.raises(CorruptAudio):
        cache.put(AUDIO, broken())

    assert cache.find(AUDIO) is None


def test_a_full_disk_is_said_and_leaves_what_is_there_whole(tmp_path, cache, power):
    kept = cache.put(AUDIO, [power[:10]])
    limit = kept.path.stat().st_size + 100
    script = f"""
import resource, signal, torch
from pathlib import Path
from shared.errors import SetupError
from worker.spectrogram import mel_filterbank
from support.song_folder import SMALL
from worker.training.songs.feature_cache import FeatureCache
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    cache = FeatureCache(Path({str(tmp_path / "cache")!r}), SMALL, mel_filterbank(SMALL))
    cache.put({AUDIO!r}, [torch.ones(300, 128)])
except SetupError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=with_tests()
    )

    assert os.strerror(errno.EFBIG) in done.stdout
    assert "--cache" in done.stdout
    assert cache.find(AUDIO) == kept
    assert list(kept.path.parent.iterdir()) == [kept.path]


def test_a_cache_that_cannot_be_made_is_named(tmp_path, power):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(SetupError, match="--cache"):
        FeatureCache(tmp_path / "file", SMALL, FILTERBANK).put(AUDIO, [power])


def test_an_entry_that_vanishes_while_it_is_used_is_named(cache, power):
    kept = cache.put(AUDIO, [power])
    kept.path.unlink()

    with pytest.raises(DataUnavailable, match="gone"):
        kept.read(0, 10)


def test_an_entry_that_is_cut_off_while_it_is_used_is_named(cache, power):
    kept = cache.put(AUDIO, [power])
    kept.path.write_bytes(kept.path.read_bytes()[:1_000])

    with pytest.raises(DataUnavailable, match="cut off"):
        kept.read(0, 300)


@pytest.mark.parametrize(
    ("variable", "folder"), [("/somewhere", "/somewhere"), ("relative", "/me/.cache"), ("", "/me/.cache")]
)
def test_the_default_follows_the_xdg_specification(monkeypatch, variable, folder):
    monkeypatch.setenv("HOME", "/me")
    monkeypatch.setenv("XDG_CACHE_HOME", variable)

    assert str(default_cache()) == f"{folder}/genrewiz/features"


def with_tests():
    """The environment with what this process can import."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
