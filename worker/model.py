"""Log-mel windows -> logits: a CNN beside a bidirectional GRU, joined by one linear layer.

Pure: no files, no device choice, no softmax. Each window's logits depend on that window alone, whatever
else is in its batch.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

Size = int | float | str | Sequence[int]  # what JSON can say about a layer

POOLS = (2, 2, 2, 4, 4)  # of the original's five CNN blocks, in both directions
RNN_POOL = (4, 2)  # frames x mel bands that become one input of its GRU: 640 x 128 -> 160 x 64

MEL_BANDS = 128
STEM_KERNEL = 5
FEWEST_FRAMES = 63
"""That PCRNN hears anything of: its stem makes 32 of them, and five poolings by 2 make one of those."""
SUMMARIES: Mapping[str, Callable[[Tensor], Tensor]] = {  # of (batch, steps, features) over the steps
    "mean": lambda steps: steps.mean(dim=1),
    "max": lambda steps: steps.amax(dim=1),
    "last": lambda steps: torch.cat(  # each direction's last step
        [steps[:, -1, : steps.shape[2] // 2], steps[:, 0, steps.shape[2] // 2 :]], dim=1
    ),
}


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

    Both branches end in summaries over time: a genre does not depend on where in the window something is
    heard, and a network that learned from parts of windows hears whole ones.
    """

    def __init__(
        self,
        *,
        genres: int,
        channels: Sequence[int],
        kernel: int,
        gru_units: int,
        gru_pool: Sequence[int],
        summary: str,
        dropout: float,
    ) -> None:
        """channels: of the five CNN blocks; kernel: width of their convolutions but the first's, odd.

        gru_pool: frames x mel bands that become one input of the GRU; summary: of SUMMARIES, what is kept of
        the GRU's outputs; dropout: the last layer's.
        """
        super().__init__()
        blocks: list[nn.Module] = []
        for number, (before, after) in enumerate(zip((1, *channels), channels, strict=False)):
            # The first convolution halves frames and bands itself: at full size it would cost as much as
            # all others together. The bias of a convolution is lost in the mean that batch norm takes away.
            size, stride = (STEM_KERNEL, 2) if number == 0 else (kernel, 1)
            blocks += [
                nn.Conv2d(before, after, size, stride=stride, padding=size // 2, bias=False),
                nn.BatchNorm2d(after),
                nn.MaxPool2d(2),
                nn.ReLU(inplace=True),  # after the pooling: the same result over a fraction of the numbers
            ]
        self.cnn = nn.Sequential(*blocks)
        self.gru_pool = tuple(gru_pool)
        self.gru_norm = nn.BatchNorm1d(MEL_BANDS // self.gru_pool[1])
        self.gru = nn.GRU(MEL_BANDS // self.gru_pool[1], gru_units, bidirectional=True, batch_first=True)
        self.summaries = [SUMMARIES[name] for name in summary.split("+")]
        self.dropout = nn.Dropout(dropout)
        self.gru_features = 2 * gru_units * len(self.summaries)
        self.linear = nn.Linear(2 * channels[-1] + self.gru_features, genres)

    def forward(self, windows: Tensor) -> Tensor:
        """Windows (batch, 1, frames, mel bands) in dB under their maximum -> logits (batch, genres)."""
        return self.join(*self.branches(windows))

    def branches(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """What each branch keeps of the windows: (batch, CNN features), (batch, GRU features)."""
        scaled = (windows + 40.0) / 20.0  # -80 ... 0 dB -> -2 ... 2
        maps = self.cnn(scaled).float().flatten(2)  # (batch, channels, frames / 64 * bands / 64)

        # A GRU in bfloat16 takes half as long again: its many small products spend their time converting.
        with torch.autocast(windows.device.type, enabled=False):
            bands = F.max_pool2d(scaled, self.gru_pool).squeeze(1)  # (batch, steps, bands of the GRU)
            bands = self.gru_norm(bands.transpose(1, 2)).transpose(1, 2)
            steps, _ = self.gru(bands)  # (batch, steps, 2 * units)
            heard = torch.cat([maps.mean(dim=2), maps.amax(dim=2)], dim=1)
            return heard, torch.cat([each(steps) for each in self.summaries], dim=1)

    def join(self, heard: Tensor, followed: Tensor) -> Tensor:
        """Logits (batch, genres) from what the CNN heard and what the GRU followed."""
        with torch.autocast(heard.device.type, enabled=False):
            return self.linear(self.dropout(torch.cat([heard, followed], dim=1)))  # type: ignore[no-any-return]  # as above

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
    "channels": (32, 64, 64, 128, 128),
    "kernel": 3,
    "gru_units": 64,
    "gru_pool": (8, 2),
    "summary": "mean+max",
    "dropout": 0.3,
}


def build_model(architecture: str, sizes: Mapping[str, Size]) -> nn.Module:
    """A network of this architecture with fresh weights; KeyError or TypeError where there is none such."""
    return ARCHITECTURES[architecture](**sizes)
