"""Where the model runs."""

import os

import pytest
import torch

from shared.errors import DeviceUnavailable
from worker.device import choose_device, share_cores


def test_the_cpu_is_there_for_whoever_asks():
    assert choose_device("cpu") == torch.device("cpu")


def test_auto_takes_the_gpu_where_there_is_one():
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here: the refusal was not covered")
def test_cuda_without_a_gpu_is_refused_in_one_sentence():
    with pytest.raises(DeviceUnavailable, match="no CUDA device"):
        choose_device("cuda")


def test_n_pipelines_on_n_cores_do_not_fight():
    cores, before = len(os.sched_getaffinity(0)), torch.get_num_threads()

    assert share_cores(1) == cores
    assert share_cores(cores) == 1
    assert share_cores(cores * 10) == 1
    assert torch.get_num_threads() == 1
    torch.set_num_threads(before)
