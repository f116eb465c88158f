"""Fixtures: songs made of noise, small enough to train on in a test, and a disk that is soon full."""

import subprocess

import numpy as np
import pytest
import torch

from worker.checkpoint import GENRES
from worker.training.songs.fill import Fill
from worker.training.songs.gtzan import MelSongs


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors gain nothing from threads, and on a busy machine threads wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def small_songs(residuals) -> MelSongs:
    """12 songs of two genres, 128 frames long: one is loud below, the other above."""
    generator = torch.Generator().manual_seed(5)
    levels = torch.randint(0, 120, (12, 128, 128), generator=generator, dtype=torch.uint8)
    levels[::2, :, :64] += 120
    levels[1::2, :, 64:] += 120
    return MelSongs(
        names=tuple(f"noise.{number:05d}" for number in range(12)),
        genres=GENRES,
        labels=torch.arange(12) % 2,
        levels=levels,
        gap=torch.randint(0, 5, (12, 128), generator=generator, dtype=torch.uint8),
        rough=torch.full((12, 128), 3.0),
        fill=Fill(residuals, bands=128),
    )


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB; only root can make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("no small file system can be mounted here: a full disk was not covered")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.fixture
def residuals() -> np.ndarray:
    """Quantiles (4 kinds of gap, 512) of a uniform residual with standard deviation 1."""
    return np.tile(np.linspace(-(3**0.5), 3**0.5, 512, dtype=np.float32), (4, 1))


@pytest.fixture
def small_data(tmp_path, residuals):
    """A data folder in the layout of the real one: 30 songs of noise, three lists of ten."""
    folder = tmp_path / "data" / "gtzan"
    (folder / "splits").mkdir(parents=True)
    rng = np.random.default_rng(3)
    names = np.array([f"{genre}.{number:05d}" for genre in GENRES for number in range(3)])
    songs = {
        "X": rng.integers(0, 256, (30, 640, 128), dtype=np.uint8),
        "y": np.repeat(np.arange(10), 3),
        "names": names,
        "genres": np.array(GENRES),
    }
    gaps = {
        "gap": rng.integers(0, 5, (30, 640), dtype=np.uint8),
        "rough": np.full((30, 128), 3, np.float16),
        "resq": residuals,
    }
    np.savez(folder / "mel_rebuilt.npz", **songs, **gaps)
    np.savez(
        folder / "mel_true.npz",
        **{key: songs[key][1::3] for key in ("X", "y", "names")},
        genres=songs["genres"],
    )
    for number, split in enumerate(("train", "valid", "test")):
        lines = [f"{name.split('.')[0]}/{name}.wav\n" for name in names[number::3]]
        (folder / "splits" / f"{split}_filtered.txt").write_text("".join(lines))
    return tmp_path / "data"
