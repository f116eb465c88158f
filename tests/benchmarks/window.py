"""What the model takes for a window: CPU milliseconds of one core, the released network beside the original.

Thread CPU time, so that other work on the machine lengthens it less; the two take turns.
"""

import statistics
import time

import torch
from record import record
from torch import nn

from worker.checkpoint import RELEASED, load_checkpoint
from worker.model import build_model

ROUNDS = 200
WARMING = 20


def main() -> None:
    torch.set_num_threads(1)
    checkpoint = load_checkpoint(RELEASED)
    features = checkpoint.features
    released, original = checkpoint.build(), build_model("pcrnn-original", {}).eval()
    window = -80 * torch.rand(1, 1, features.window_frames, features.n_mels)
    with torch.inference_mode():
        pairs = [(taken(released, window), taken(original, window)) for _ in range(WARMING + ROUNDS)]
    ours, theirs = (statistics.median(column) for column in zip(*pairs[WARMING:], strict=True))
    record(
        "window",
        {
            "cpu_milliseconds": 1000 * ours,
            "original_cpu_milliseconds": 1000 * theirs,
            "released_to_original_ratio": ours / theirs,
        },
    )


def taken(model: nn.Module, window: torch.Tensor) -> float:
    """CPU seconds of this thread for one window."""
    since = time.thread_time()
    model(window)
    return time.thread_time() - since


if __name__ == "__main__":
    main()
