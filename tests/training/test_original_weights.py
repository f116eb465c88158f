import numpy as np
import pytest
import torch

from worker.checkpoint import import_original


def test_the_original_weights_are_as_good_as_they_are_known_to_be(data_folder):
    model = import_original(data_folder / "original" / "model.pth").build()
    with np.load(data_folder / "gtzan" / "mel_rebuilt.npz") as songs:
        every_third, labels = songs["X"][::3], songs["y"][::3]
    right = 0

    with torch.inference_mode():
        for levels, label in zip(np.array_split(every_third, 9), np.array_split(labels, 9), strict=True):
            windows = torch.from_numpy(levels).unsqueeze(1).float() * (80 / 255) - 80
            right += int((model(windows).argmax(dim=1).numpy() == label).sum())

    assert right / len(labels) == pytest.approx(0.23, abs=0.02)
