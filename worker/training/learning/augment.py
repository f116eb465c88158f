"""Variations of a song that leave its genre as it is: time, pitch, mastering, noise, holes.

All on log-mel windows (batch, frames, bands) in dB under their maximum, a batch at a time. GTZAN is
1970-2000, quiet and clean; the mastering and noise steps stand for what today's releases and codecs do to it.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from worker.training.learning.recipe import Recipe

EQUALISER_POINTS = 6  # control points of the smooth curve over the bands
LOUDNESS_FRAMES = 9  # frames (0.4 s) over which compression measures loudness
CHANCE = 0.5  # share of songs that each of smoothing, compression and noise touches
LOWEST_CUTOFF_BAND = 84  # of a low-pass: 4 kHz, a telephone's
CUTOFF_DB_PER_BAND = 25.0  # how steeply a low-pass falls, as sampling at 8 kHz showed it
RESAMPLER_LOSS_DB = (0.1, 2.6, 13.2)  # of the three highest bands, where the service resamples to 22.05 kHz
CODING_SPREAD = 0.075  # dB for each dB under the maximum: AAC at 32, Opus at 16 kbit/s; at 64 half or less
CODING_SMEAR = 0.5  # of a neighbour: correlations of 0.4, between bands and between frames
DECIBELS = math.log(10) / 10  # dB -> natural logarithm of power


def augment(windows: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Windows varied, again in [-80, 0] dB with their maximum at 0, then with holes.

    A step whose strength is 0 is left out; when all are, the windows are given back as they are.
    """
    given = windows
    if recipe.stretch or recipe.roll:
        windows = _stretched_and_rolled(windows, recipe, generator)
    if recipe.pitch_bands:
        windows = _shifted_in_pitch(windows, recipe.pitch_bands, generator)
    if recipe.smoothing:
        windows = _smoothed(windows, recipe.smoothing, generator)
    if recipe.compression:
        windows = _compressed(windows, recipe.compression, generator)
    if recipe.tilt_db or recipe.equaliser_db:
        windows = windows + _equaliser(windows, recipe, generator).unsqueeze(1)
    if windows is not given:
        windows = windows - windows.amax(dim=(1, 2), keepdim=True)
    if recipe.noise_floor_db > -80:
        windows = _noisy(windows, recipe.noise_floor_db, generator)
    if recipe.coding:
        windows = _coded(windows, recipe.coding, generator)
    if windows is not given:
        windows = windows.clamp(-80.0, 0.0)
    if recipe.time_masks or recipe.band_masks:
        windows = _masked(windows, recipe, generator)
    return windows


def mixed(
    windows: Tensor, targets: Tensor, share: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Each song with up to `share` of another in its batch; targets (batch, genres) in the same shares."""
    if not share:
        return windows, targets
    other = torch.randperm(len(windows), generator=generator)
    weight = share * torch.rand(len(windows), generator=generator)
    return (
        torch.lerp(windows, windows[other], weight.view(-1, 1, 1)),
        torch.lerp(targets, targets[other], weight.view(-1, 1)),
    )


def _stretched_and_rolled(windows: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Another tempo and another beginning. Nearest frames: interpolated ones would be too smooth."""
    batch, frames, _ = windows.shape
    rate = 1 + _signed(batch, recipe.stretch, generator)
    start = torch.randint(max(1, round(recipe.roll * frames)), (batch, 1), generator=generator)
    steps = (torch.arange(frames) * rate.unsqueeze(1)).round().long()
    source = (start + steps) % frames
    return windows[torch.arange(batch).unsqueeze(1), source]


def _shifted_in_pitch(windows: Tensor, bands: float, generator: torch.Generator) -> Tensor:
    """Up or down by a fraction of bands; the outermost band fills what is left open."""
    batch, frames, width = windows.shape
    position = (torch.arange(width) + _signed(batch, bands, generator).unsqueeze(1)).clamp(0, width - 1)
    below = position.floor()
    weight = (position - below).unsqueeze(1)
    lower = below.long()
    upper = (lower + 1).clamp(max=width - 1)

    def taken(index: Tensor) -> Tensor:
        return windows.gather(2, index.unsqueeze(1).expand(batch, frames, width))

    return torch.lerp(taken(lower), taken(upper), weight)


def _smoothed(windows: Tensor, largest: float, generator: torch.Generator) -> Tensor:
    """A little of the neighbouring frames, as a decoder's or another resampler's time resolution gives."""
    weight = (largest * torch.rand(len(windows), generator=generator)).view(-1, 1, 1)
    weight = weight * _chosen(len(windows), generator)
    neighbours = windows.roll(1, dims=1) + windows.roll(-1, dims=1)
    return (1 - 2 * weight) * windows + weight * neighbours


def _compressed(windows: Tensor, strongest: float, generator: torch.Generator) -> Tensor:
    """Quiet passages raised towards the loudest, as a limiter does."""
    share = (strongest * torch.rand(len(windows), generator=generator)).view(-1, 1, 1)
    share = share * _chosen(len(windows), generator)
    loudness = windows.amax(dim=2).unsqueeze(1)  # (batch, 1, frames)
    # The edges are averages of fewer frames: zeros beside them would count as the loudest.
    reach = LOUDNESS_FRAMES // 2
    loudness = F.avg_pool1d(loudness, LOUDNESS_FRAMES, stride=1, padding=reach, count_include_pad=False)
    return windows - share * loudness.transpose(1, 2)


def _equaliser(windows: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Gains (batch, bands) in dB: a tilt and a smooth curve."""
    batch, _, bands = windows.shape
    tilt = _signed(batch, recipe.tilt_db, generator).unsqueeze(1) * torch.linspace(-0.5, 0.5, bands)
    points = recipe.equaliser_db * torch.randn(batch, 1, EQUALISER_POINTS, generator=generator)
    curve = F.interpolate(points, size=bands, mode="linear", align_corners=True)
    return tilt + curve.squeeze(1)


def _noisy(windows: Tensor, highest_db: float, generator: torch.Generator) -> Tensor:
    """A steady noise floor added in power, in some of the songs."""
    chosen = torch.rand(len(windows), generator=generator) < CHANCE
    floor_db = -80 + (highest_db + 80) * torch.rand(len(windows), 1, 1, generator=generator)
    noisy = windows.clone()
    noisy[chosen] = torch.logaddexp(windows[chosen] * DECIBELS, floor_db[chosen] * DECIBELS) / DECIBELS
    return noisy


def _coded(windows: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """What the way to a listener does to some of the songs: the edge of a resampler, a low-pass, a codec.

    GTZAN is at the service's own rate: unlike any other song, it has never been resampled to it.
    """
    if share == 0:
        return windows
    batch, _, bands = windows.shape
    chosen = torch.rand(batch, generator=generator) < share
    loss = _edge_loss(batch, bands, generator) + _low_pass_loss(batch, bands, generator)
    depth = -windows.clamp(-80.0, 0.0)
    strength = CODING_SPREAD * torch.rand(batch, 1, 1, generator=generator)
    coded = windows - loss.unsqueeze(1) + strength * depth * _smeared(windows.shape, generator)
    coded = coded - coded.amax(dim=(1, 2), keepdim=True)
    return torch.where(chosen.view(-1, 1, 1), coded, windows)


def _edge_loss(batch: int, bands: int, generator: torch.Generator) -> Tensor:
    """(batch, bands) dB: up to twice what the service's resampler takes, for songs that met two."""
    loss = torch.zeros(bands)
    loss[-len(RESAMPLER_LOSS_DB) :] = torch.tensor(RESAMPLER_LOSS_DB)
    return loss * 2 * torch.rand(batch, 1, generator=generator)


def _low_pass_loss(batch: int, bands: int, generator: torch.Generator) -> Tensor:
    """(batch, bands) dB: in some of the songs nothing is left above a band between 4 kHz and the highest."""
    cutoff = LOWEST_CUTOFF_BAND + (bands - LOWEST_CUTOFF_BAND) * torch.rand(batch, 1, generator=generator)
    loss = CUTOFF_DB_PER_BAND * (torch.arange(bands) - cutoff).clamp_min(0)
    return loss * _chosen(batch, generator).view(-1, 1)


def _smeared(shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Normal noise (batch, frames, bands) of variance 1, correlated in time and in pitch."""
    noise = torch.randn(shape, generator=generator)
    for dimension in (1, 2):
        noise = (noise + CODING_SMEAR * noise.roll(1, dims=dimension)) / math.hypot(1, CODING_SMEAR)
    return noise


def _masked(windows: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """SpecAugment: stretches of time and of pitch replaced by the song's mean."""
    batch, frames, bands = windows.shape
    hole = torch.zeros(batch, frames, bands, dtype=torch.bool)
    for _ in range(recipe.time_masks):
        hole |= _stretch_of(batch, frames, recipe.time_mask_frames, generator).unsqueeze(2)
    for _ in range(recipe.band_masks):
        hole |= _stretch_of(batch, bands, recipe.band_mask_bands, generator).unsqueeze(1)
    return torch.where(hole, windows.mean(dim=(1, 2), keepdim=True), windows)


def _stretch_of(batch: int, length: int, longest: int, generator: torch.Generator) -> Tensor:
    """(batch, length) true on one stretch of 0 ... longest positions each."""
    size = torch.randint(longest + 1, (batch, 1), generator=generator)
    start = (torch.rand(batch, 1, generator=generator) * (length - size)).long()
    position = torch.arange(length)
    return (position >= start) & (position < start + size)


def _signed(batch: int, limit: float, generator: torch.Generator) -> Tensor:
    """(batch,) uniform in -limit ... limit."""
    return limit * (2 * torch.rand(batch, generator=generator) - 1)


def _chosen(batch: int, generator: torch.Generator) -> Tensor:
    """(batch, 1, 1) of 0 and 1: which songs a step touches."""
    return (torch.rand(batch, generator=generator) < CHANCE).float().view(-1, 1, 1)
