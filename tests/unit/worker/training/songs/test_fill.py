import numpy as np
import pytest
import torch

from worker.training.songs.fill import BAND_CORRELATION, Fill
from worker.training.songs.songs import epoch_generator


@pytest.fixture
def fill(residuals):
    return Fill(residuals, bands=128)


def filled(fill, *, seed=0, gap=2, rough_db=2.0, level_db=-40.0, scale=1.0):
    return fill(
        torch.full((4, 640, 128), level_db),
        gap=torch.full((4, 640), gap, dtype=torch.uint8),
        rough=torch.full((4, 128), rough_db),
        scale=torch.full((4,), scale),
        generator=epoch_generator(seed, 0),
    )


def test_exact_frames_stay_exact(fill):
    assert torch.equal(filled(fill, gap=0), torch.full((4, 640, 128), -40.0))


def test_only_frames_in_gaps_are_drawn(fill):
    gap = torch.zeros(1, 640, dtype=torch.uint8)
    gap[0, 100:200] = 3
    window = torch.full((1, 640, 128), -40.0)

    drawn = fill(
        window, gap=gap, rough=torch.ones(1, 128), scale=torch.ones(1), generator=epoch_generator(0, 0)
    )

    changed = (drawn != window).any(dim=2)[0]
    assert torch.equal(changed, gap[0] > 0)


def test_drawn_frames_have_the_songs_roughness_around_the_line(fill):
    residual = filled(fill, rough_db=2.0, scale=1.1) + 40

    assert residual.mean().item() == pytest.approx(0, abs=0.02)
    assert residual.std().item() == pytest.approx(2.2, rel=0.02)


def test_neighbouring_bands_are_as_correlated_as_in_real_audio(fill):
    residual = (filled(fill) + 40).reshape(-1, 128).numpy()
    correlation = np.corrcoef(residual, rowvar=False)

    assert np.diagonal(correlation, 1).mean() == pytest.approx(BAND_CORRELATION, abs=0.03)
    assert np.diagonal(correlation, 3).mean() == pytest.approx(BAND_CORRELATION**3, abs=0.03)


def test_residuals_have_the_measured_distribution():
    skewed = np.quantile(np.random.default_rng(0).exponential(size=100_000), np.linspace(0.002, 0.998, 512))
    fill = Fill(np.tile(skewed, (4, 1)).astype(np.float32), bands=128)

    residual = filled(fill, rough_db=1.0) + 40

    for share in (0.1, 0.5, 0.9):
        assert np.quantile(residual.numpy(), share) == pytest.approx(-np.log(1 - share), abs=0.05)


def test_each_seed_draws_other_frames_and_always_the_same(fill):
    assert torch.equal(filled(fill, seed=1), filled(fill, seed=1))
    assert not torch.equal(filled(fill, seed=1), filled(fill, seed=2))


def test_filled_windows_stay_within_the_range_of_a_log_mel(fill):
    assert filled(fill, level_db=-1.0, rough_db=9.0).max() <= 0
    assert filled(fill, level_db=-79.0, rough_db=9.0).min() >= -80
