"""Log-mel windows -> logits: a CNN beside a bidirectional GRU, joined by one linear layer.

Pure: no files, no device choice, no softmax. Each window's logits depend on that window alone, whatever
else is in its batch.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

Size = int | float | Sequence[int]  # what JSON can say about a layer

POOLS = (2, 2, 2, 4, 4)  # of the five CNN blocks, in both directions
RNN_POOL = (4, 2)  # frames x mel bands that become one input of the GRU: 640 x 128 -> 160 x 64


class OriginalPCRNN(nn.Module):
    """The network as the original report prints it, parameter names included, so that its weights load.

    One difference: the original GRU lacks `batch_first`, so its state runs from song to song of a batch.
    Here every song gets what the original gives it when it is alone, where the 160 frames are the GRU's
    "batch" and its sequence is one step long: each frame starts from a zero state.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv2d_1 = nn.Conv2d(1, 16, (3, 1))
        self.conv2d_2 = nn.Conv2d(16, 32, (3, 1))
        self.conv2d_3 = nn.Conv2d(32, 64, (3, 1))
        self.conv2d_4 = nn.Conv2d(64, 64, (3, 1))
        self.conv2d_5 = nn.Conv2d(64, 64, (3, 1))
        self.gru = nn.GRU(input_size=64, hidden_size=1, bidirectional=True)
        self.linear = nn.Linear(256 + 320, 10)

    def forward(self, windows: Tensor) -> Tensor:
        """Windows (batch, 1, 640 frames, 128 mel bands) in dB -> logits (batch, 10 genres)."""
        convolutions = (self.conv2d_1, self.conv2d_2, self.conv2d_3, self.conv2d_4, self.conv2d_5)
        maps = windows
        for convolution, pool in zip(convolutions, POOLS, strict=True):
            maps = F.max_pool2d(F.relu(convolution(maps)), pool)  # at last (batch, 64, 4, 1)

        frames = F.max_pool2d(windows, RNN_POOL).flatten(0, 2)  # (batch * 160, 64)
        steps, _ = self.gru(frames.unsqueeze(0))  # one step for each frame: (1, batch * 160, 2)
        summary = steps.view(len(windows), 320)
        return self.linear(torch.cat([maps.flatten(1), summary], dim=1))  # type: ignore[no-any-return]  # torch's modules return Any


class PCRNN(nn.Module):
    """The released network: batch norm, a GRU that recurs over time, and summaries that forget when.

    Both branches end in the mean and the maximum over time: a genre does not depend on where in the
    window something is heard.
    """

    def __init__(
        self, *, genres: int, channels: Sequence[int], gru_units: int, gru_bands: int, dropout: float
    ) -> None:
        """channels: of the five CNN blocks; gru_bands: inputs of the GRU; dropout: the last layer's."""
        super().__init__()
        blocks: list[nn.Module] = []
        for before, after, pool in zip((1, *channels), channels, POOLS, strict=False):
            # The bias of a convolution is lost in the mean that batch norm takes away.
            blocks += [
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.MaxPool2d(pool),
                nn.ReLU(inplace=True),  # after the pooling: the same result over a fraction of the numbers
            ]
        self.cnn = nn.Sequential(*blocks)
        self.gru_norm = nn.BatchNorm1d(gru_bands)
        self.gru = nn.GRU(gru_bands, gru_units, bidirectional=True, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(2 * channels[-1] + 4 * gru_units, genres)

    def forward(self, windows: Tensor) -> Tensor:
        """Windows (batch, 1, frames, mel bands) in dB under their maximum -> logits (batch, genres)."""
        scaled = (windows + 40.0) / 20.0  # -80 ... 0 dB -> -2 ... 2
        maps = self.cnn(scaled).flatten(2)  # (batch, channels, frames / 128)

        bands = F.max_pool2d(scaled, RNN_POOL).squeeze(1)  # (batch, frames / 4, mel bands / 2)
        bands = self.gru_norm(bands.transpose(1, 2)).transpose(1, 2)
        steps, _ = self.gru(bands)  # (batch, frames / 4, 2 * units)

        summary = [maps.mean(dim=2), maps.amax(dim=2), steps.mean(dim=1), steps.amax(dim=1)]
        return self.linear(self.dropout(torch.cat(summary, dim=1)))  # type: ignore[no-any-return]  # as above

    def fuse(self) -> None:
        """Fold the batch norms into their convolutions, for inference: the same logits, a third sooner."""
        fused: list[nn.Module] = []
        for layer in self.cnn:
            if isinstance(layer, nn.BatchNorm2d) and isinstance(fused[-1], nn.Conv2d):
                fused[-1] = fuse_conv_bn_eval(fused[-1], layer)
            else:
                fused.append(layer)
        self.cnn = nn.Sequential(*fused)


ARCHITECTURES: dict[str, Callable[..., nn.Module]] = {
    "pcrnn": PCRNN,
    "pcrnn-original": OriginalPCRNN,
}

RELEASED_SIZES: Mapping[str, Size] = {
    "genres": 10,
    "channels": (16, 32, 64, 64, 64),
    "gru_units": 64,
    "gru_bands": 64,
    "dropout": 0.3,
}


def build_model(architecture: str, sizes: Mapping[str, Size]) -> nn.Module:
    """A network of this architecture with fresh weights; KeyError or TypeError where there is none such."""
    return ARCHITECTURES[architecture](**sizes)
