"""Sizes of a network that is small enough to train in a test."""

from worker.model import Size

SMALL_SIZES: dict[str, Size] = {
    "genres": 10,
    "channels": [2, 2, 2, 2, 4],
    "kernel": 3,
    "gru_units": 2,
    "gru_pool": [8, 2],
    "summary": "mean+max",
    "dropout": 0.2,
}
