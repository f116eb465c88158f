import numpy as np
import pytest
import torch

from worker.checkpoint import import_original
from worker.model import ARCHITECTURES, RELEASED_SIZES, SUMMARIES, build_model

SIZES = {"pcrnn": RELEASED_SIZES, "pcrnn-original": {}}


def make_model(architecture):
    torch.manual_seed(1)
    return build_model(architecture, SIZES[architecture]).eval()


def make_windows(count):
    return torch.rand(count, 1, 640, 128, generator=torch.Generator().manual_seed(2)) * 80 - 80


def reference_of_the_report(window, weights):
    """The report's network for one window (640, 128), written out in numpy: no batch, no torch."""
    maps = window[None]  # (channels, frames, bands)
    for block, pool in enumerate((2, 2, 2, 4, 4), start=1):
        kernel, bias = weights[f"conv2d_{block}.weight"], weights[f"conv2d_{block}.bias"]
        frames = maps.shape[1] - 2
        taps = [
            np.einsum("oc,cfb->ofb", kernel[:, :, tap, 0], maps[:, tap : tap + frames]) for tap in range(3)
        ]
        maps = max_pooled(np.maximum(sum(taps) + bias[:, None, None], 0), pool, pool)
    steps = [gru_from_zero(frame, weights) for frame in max_pooled(window[None], 4, 2)[0]]
    features = np.concatenate([maps.ravel(), np.ravel(steps)])
    return weights["linear.weight"] @ features + weights["linear.bias"]


def max_pooled(maps, rows, columns):
    channels, frames, bands = maps.shape
    kept = maps[:, : frames // rows * rows, : bands // columns * columns]
    return kept.reshape(channels, frames // rows, rows, bands // columns, columns).max(axis=(2, 4))


def gru_from_zero(frame, weights):
    """One step of a GRU with one unit in each direction, from a zero state: (forward, backward)."""
    outputs = []
    for direction in ("", "_reverse"):
        of_input = weights[f"gru.weight_ih_l0{direction}"] @ frame + weights[f"gru.bias_ih_l0{direction}"]
        of_state = weights[f"gru.bias_hh_l0{direction}"]
        reset, update = 1 / (1 + np.exp(-(of_input + of_state)[:2]))
        outputs.append((1 - update) * np.tanh(of_input[2] + reset * of_state[2]))
    return outputs


def test_the_original_computes_what_its_report_prints():
    model, windows = make_model("pcrnn-original"), make_windows(2)
    weights = {name: tensor.double().numpy() for name, tensor in model.state_dict().items()}

    logits = model(windows)

    expected = [reference_of_the_report(window.numpy(), weights) for window in windows[:, 0].double()]
    np.testing.assert_allclose(logits.detach().numpy(), expected, rtol=1e-4, atol=1e-4)


def test_the_original_weights_compute_what_the_report_prints(data_folder):
    checkpoint = import_original(data_folder / "original" / "model.pth")
    weights = {name: tensor.double().numpy() for name, tensor in checkpoint.weights.items()}
    window = make_windows(1)

    logits = checkpoint.build()(window)

    expected = reference_of_the_report(window[0, 0].double().numpy(), weights)
    np.testing.assert_allclose(logits[0].detach().numpy(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_song_gets_the_same_logits_alone_and_in_any_batch_in_any_order(architecture):
    model, windows = make_model(architecture), make_windows(6)
    order = torch.tensor([3, 5, 0, 2, 4, 1])

    with torch.inference_mode():
        alone = torch.cat([model(window.unsqueeze(0)) for window in windows])
        together, shuffled, some = model(windows), model(windows[order]), model(windows[2:5])

    assert (together - alone).abs().max() < 1e-5
    assert (shuffled - alone[order]).abs().max() < 1e-5
    assert (some - alone[2:5]).abs().max() < 1e-5


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("level_db", [-80.0, 0.0])
def test_the_logits_of_silence_and_of_noise_at_full_level_are_finite(architecture, level_db):
    logits = make_model(architecture)(torch.full((1, 1, 640, 128), level_db))

    assert logits.shape == (1, 10)
    assert torch.isfinite(logits).all()


def test_the_released_network_hears_the_order_of_frames():
    model, windows = make_model("pcrnn"), make_windows(1)

    backwards = model(windows.flip(2))

    assert (model(windows) - backwards).abs().max() > 1e-4


def test_the_released_network_has_under_a_million_parameters():
    assert sum(parameter.numel() for parameter in make_model("pcrnn").parameters()) < 1_000_000


def test_the_gru_is_followed_in_full_precision_where_the_convolutions_are_not():
    model, windows = make_model("pcrnn"), make_windows(2)
    heard, followed = model.branches(windows)

    with torch.autocast("cpu", torch.bfloat16):
        heard_roughly, followed_roughly = model.branches(windows)
        logits = model(windows)

    assert torch.equal(followed_roughly, followed)
    assert not torch.equal(heard_roughly, heard)
    assert logits.dtype == torch.float32


def test_the_last_steps_of_both_directions_are_where_each_ends():
    steps, last = torch.nn.GRU(4, 3, bidirectional=True, batch_first=True)(torch.rand(2, 5, 4))

    assert torch.allclose(SUMMARIES["last"](steps), last.transpose(0, 1).flatten(1))


def test_an_unknown_architecture_is_refused():
    with pytest.raises(KeyError):
        build_model("resnet", {})
