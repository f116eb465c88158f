"""Draws the frames that a rebuilt spectrogram's source did not hold.

A rebuilt track is exact in about half of its frames and, between them, a straight line that is smoother than
sound: a model trained on the lines learns their smoothness. So each epoch draws fresh residuals around them,
with the spread and the shape that real audio showed.

Residuals of neighbouring mel bands are correlated, as in a first-order autoregression: c^|i - j|.
White noise times the Cholesky factor of that matrix has it; the normal distribution's quantile of each
value then selects the measured residual of the same quantile.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

BAND_CORRELATION = 0.55  # of residuals in neighbouring mel bands, measured on tracks with real audio
LOWEST_QUANTILE, HIGHEST_QUANTILE = 0.002, 0.998  # that the residuals were measured at
TABLE_LIMIT = 4.0  # standard deviations of the normal draw that the table reaches
TABLE_STEPS = 2_049


class Fill:
    """Fills batches of rebuilt windows; made once from the measured residuals."""

    def __init__(self, quantiles: NDArray[np.float32], *, bands: int) -> None:
        """quantiles (kinds, steps): of the standardised residual for gaps of kind 1, 2, ...; 0 is exact."""
        distance = torch.arange(bands).unsqueeze(0) - torch.arange(bands).unsqueeze(1)
        self._cholesky = torch.linalg.cholesky(BAND_CORRELATION ** distance.abs().double()).float()
        self._table = _residual_table(quantiles)  # (kinds + 1, TABLE_STEPS)

    def __call__(
        self, windows: Tensor, *, gap: Tensor, rough: Tensor, scale: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Windows (batch, frames, bands) in dB with residuals added where gap (batch, frames) is over 0.

        rough (batch, bands): a song's roughness in dB; scale (batch,): a factor on it.
        """
        white = torch.randn(windows.shape, generator=generator)
        normal = white @ self._cholesky.T  # each band: variance 1
        step = (normal + TABLE_LIMIT) * ((TABLE_STEPS - 1) / (2 * TABLE_LIMIT))
        column = step.round_().clamp_(0, TABLE_STEPS - 1).to(torch.int32)
        row = gap.to(torch.int32).unsqueeze(2) * TABLE_STEPS
        residual = self._table.view(-1).index_select(0, (row + column).view(-1)).view(windows.shape)
        residual *= (rough * scale.unsqueeze(1)).unsqueeze(1)
        return residual.add_(windows).clamp_(-80.0, 0.0)


def _residual_table(quantiles: NDArray[np.float32]) -> Tensor:
    """The residual for each normal draw on a regular grid; row 0 is zero: exact frames stay as they are."""
    grid = np.linspace(LOWEST_QUANTILE, HIGHEST_QUANTILE, quantiles.shape[1])
    draws = torch.linspace(-TABLE_LIMIT, TABLE_LIMIT, TABLE_STEPS, dtype=torch.float64)
    uniform = (0.5 * (1 + torch.erf(draws / math.sqrt(2)))).numpy()
    rows = [np.zeros(TABLE_STEPS), *(np.interp(uniform, grid, row) for row in quantiles)]
    return torch.from_numpy(np.stack(rows)).float()
