from dataclasses import replace

import pytest
import torch

from worker.training.learning.augment import augment, mixed
from worker.training.learning.recipe import ORIGINAL, Recipe
from worker.training.songs.songs import epoch_generator

NEUTRAL = replace(ORIGINAL, roll=1.0)


def make_windows(count=4, frames=640):
    windows = torch.rand(count, frames, 128, generator=torch.Generator().manual_seed(1)) * 80 - 80
    return windows - windows.amax(dim=(1, 2), keepdim=True)


def augmented(windows, recipe=NEUTRAL, seed=0):
    return augment(windows, recipe, epoch_generator(seed, 0))


def test_a_neutral_recipe_only_moves_the_beginning():
    windows = make_windows()

    varied = augmented(windows)

    assert torch.allclose(
        varied.sum(dim=2).sort(dim=1).values, windows.sum(dim=2).sort(dim=1).values, atol=0.1
    )
    assert not torch.allclose(varied, windows)


def test_the_original_recipe_leaves_windows_and_targets_as_they_are_and_draws_nothing():
    windows = make_windows() - 3  # a maximum that is not 0 dB stays where it is
    targets = torch.eye(4)
    generator = epoch_generator(0, 0)

    blended, shares = mixed(augment(windows, ORIGINAL, generator), targets, ORIGINAL.mixup, generator)

    assert torch.equal(blended, windows)
    assert torch.equal(shares, targets)
    assert torch.equal(generator.get_state(), epoch_generator(0, 0).get_state())


@pytest.mark.parametrize(
    "strength",
    [
        "stretch",
        "roll",
        "pitch_bands",
        "smoothing",
        "compression",
        "tilt_db",
        "equaliser_db",
        "noise_floor_db",
        "time_masks",
        "band_masks",
    ],
)
def test_each_step_varies_windows_on_its_own(strength):
    windows = make_windows(16)

    varied = augmented(windows, replace(ORIGINAL, **{strength: getattr(Recipe(), strength)}))

    assert not torch.allclose(varied, windows)
    assert varied.max() <= 0.05
    assert varied.min() >= -80


@pytest.mark.parametrize(("roll", "furthest"), [(0.1, 64), (1.0, 640)])
def test_the_beginning_moves_by_no_more_than_its_share_of_the_window(roll, furthest):
    windows = torch.full((64, 640, 128), -80.0)
    windows[:, 0] = 0.0

    moved = (640 - augmented(windows, replace(ORIGINAL, roll=roll))[:, :, 0].argmax(dim=1)) % 640

    assert furthest / 2 < moved.max() < furthest


def test_varied_windows_have_their_maximum_at_0_db_and_nothing_below_minus_80():
    varied = augmented(make_windows(16), replace(Recipe(), time_masks=0, band_masks=0))

    assert torch.allclose(varied.amax(dim=(1, 2)), torch.zeros(16), atol=0.05)
    assert varied.min() >= -80


def test_the_same_generator_gives_the_same_variation():
    windows = make_windows()

    assert torch.equal(augmented(windows, Recipe()), augmented(windows, Recipe()))
    assert not torch.equal(augmented(windows, Recipe()), augmented(windows, Recipe(), seed=1))


def test_a_tone_moves_by_no_more_than_the_pitch_shift():
    tones = torch.full((32, 640, 128), -80.0)
    tones[:, :, 60] = 0.0

    loudest = augmented(tones, replace(NEUTRAL, pitch_bands=3.0)).mean(dim=1).argmax(dim=1)

    assert loudest.min() < 60 < loudest.max()
    assert (loudest - 60).abs().max() <= 3


def test_compression_brings_quiet_passages_closer_to_loud_ones():
    windows = torch.full((32, 640, 128), -50.0)
    windows[:, :320] = -20.0
    windows[:, 0, 0] = 0.0

    varied = augmented(windows, replace(NEUTRAL, compression=0.5))

    band = varied[:, :, 64]
    span = band.quantile(0.75, dim=1) - band.quantile(0.25, dim=1)
    assert span.max().item() == pytest.approx(30, abs=1)  # untouched songs
    assert 15 <= span.min().item() < 20


def test_a_noise_floor_lifts_silence_to_no_more_than_its_level():
    windows = torch.full((32, 640, 128), -80.0)
    windows[:, 0] = 0.0

    quietest = augmented(windows, replace(NEUTRAL, noise_floor_db=-50.0)).amin(dim=(1, 2))

    assert quietest.max() > -70
    assert quietest.max() < -49.9
    assert quietest.min().item() == pytest.approx(-80, abs=0.1)


def coded(windows, seed=0):
    """Coded all, and nothing else; the beginning of each window has moved."""
    return augmented(windows, replace(NEUTRAL, coding=1.0), seed)


def test_coding_takes_the_highest_band_as_a_resampler_does_and_lets_the_lowest_be():
    windows = torch.full((256, 64, 128), -1.0)
    windows[:, 0, :40] = 0.0

    change = (coded(windows) - augmented(windows)).mean(dim=1)

    uncut = change[:, -4] > -0.5  # songs without a low-pass, as far as the highest four bands show it
    assert uncut.sum() > 64
    loss = -change[uncut]
    assert abs(loss[:, -1].min()) < 3  # the codec itself moves a band by a little, up or down
    assert loss[:, -1].max() > 20
    assert (loss[:, -1] >= loss[:, -2] - 0.1).all()
    assert (-change[:, :80]).abs().max() < 0.5


def test_coding_cuts_some_songs_off_above_4_khz_and_none_below():
    windows = torch.full((256, 64, 128), -1.0)
    windows[:, 0, :40] = 0.0

    cut = coded(windows).mean(dim=1) < -60

    first = cut.int().argmax(dim=1)[cut.any(dim=1)]
    assert 0.25 < cut[:, -3].double().mean() < 0.6
    assert first.min() >= 84
    assert first.min() < 95
    assert all(row[row.int().argmax() :].all() for row in cut if row.any())


def test_coding_moves_quiet_places_further_than_loud_ones_and_by_no_more_than_was_measured():
    windows = torch.full((64, 640, 128), -60.0)
    windows[:, :, :20] = 0.0
    windows[:, :, 20:40] = -20.0

    moved = coded(windows)

    loud, middle, quiet = (
        moved[:, :, bands].std(dim=(1, 2)) for bands in (slice(20), slice(20, 40), slice(40, 80))
    )
    assert loud.max() < 0.01
    assert (quiet > 2.5 * middle).all()
    assert 3.5 < quiet.max() < 4.8
    assert quiet.min() < 1


def test_the_noise_of_coding_is_shared_with_neighbours_in_time_and_pitch():
    windows = torch.full((64, 640, 128), -40.0)
    windows[:, :, 0] = 0.0

    moved = coded(windows)[:, 1:-1, 10:80] + 40  # away from the edges, where noise comes round
    moved = moved / moved.std(dim=(1, 2), keepdim=True)

    assert (moved[:, :, 1:] * moved[:, :, :-1]).mean().item() == pytest.approx(0.4, abs=0.05)
    assert (moved[:, 1:] * moved[:, :-1]).mean().item() == pytest.approx(0.4, abs=0.05)


def test_coding_touches_the_share_of_songs_that_the_recipe_names():
    windows = make_windows(256, frames=32)

    touched = augmented(windows, replace(NEUTRAL, coding=0.25)) != augmented(windows)

    assert 0.17 < touched.any(dim=2).any(dim=1).double().mean() < 0.33


def test_coding_leaves_the_maximum_at_0_db_where_it_was_cut_away():
    windows = torch.full((64, 32, 128), -70.0)
    windows[:, :, 120:] = 0.0

    assert torch.allclose(coded(windows).amax(dim=(1, 2)), torch.zeros(64), atol=1e-5)


def test_masks_cover_no_more_than_their_share():
    recipe = replace(NEUTRAL, time_masks=1, time_mask_frames=80, band_masks=1, band_mask_bands=16)
    windows = make_windows(16)

    varied = augmented(windows, recipe)

    mean = varied.median(dim=1).values  # masked bands are constant over time
    constant = (varied == mean.unsqueeze(1)).all(dim=1).sum(dim=1)
    assert 0 < constant.max() <= 16


def test_mixed_songs_share_their_targets_in_the_proportion_of_the_mix():
    windows = torch.arange(8.0).view(8, 1, 1).expand(8, 3, 2)
    targets = torch.eye(8)

    blended, shares = mixed(windows, targets, 0.4, epoch_generator(0, 0))

    assert torch.allclose(shares.sum(dim=1), torch.ones(8))
    assert (shares.diagonal() >= 0.6 - 1e-6).all()
    assert torch.allclose(blended[:, 0, 0], shares @ torch.arange(8.0), atol=1e-5)
