"""Where the model runs, and how many threads it may use there."""

import os

import torch

from shared.errors import DeviceUnavailable


def choose_device(wanted: str) -> torch.device:
    """The device for `auto`, `cpu` or `cuda`; DeviceUnavailable where CUDA was asked for and is not there."""
    if wanted == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    if wanted == "cuda":
        raise DeviceUnavailable("GENREWIZ_DEVICE is cuda, but torch finds no CUDA device here.")
    return torch.device("cpu")


def share_cores(pipelines: int) -> int:
    """Give torch in each of N threads its share of the cores: they do not fight. Returns the share."""
    threads = max(1, len(os.sched_getaffinity(0)) // pipelines)
    torch.set_num_threads(threads)
    return threads
