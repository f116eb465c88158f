import dataclasses
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

from shared.classification import ModelIdentity
from shared.errors import CheckpointError, UnwritableFile
from shared.settings import Settings
from support.networks import SMALL_SIZES
from worker.build import open_pipeline
from worker.checkpoint import GENRES, RELEASED, Checkpoint, import_original, load_checkpoint, save_checkpoint
from worker.features import FeatureSettings
from worker.model import build_model


@pytest.fixture
def checkpoint():
    torch.manual_seed(0)
    model = build_model("pcrnn", SMALL_SIZES)
    model(torch.rand(4, 1, 640, 128) * -80)  # batch norm's running statistics leave their defaults
    return Checkpoint(
        identity=ModelIdentity(name="small", version="0.0.1", sha256=""),
        architecture="pcrnn",
        sizes=SMALL_SIZES,
        genres=GENRES,
        features=FeatureSettings(),
        mel_filterbank=torch.rand(128, 1025),
        temperature=1.25,
        weights=model.state_dict(),
        metrics={"valid_accuracy": 0.5},
        provenance={"seed": 7},
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def test_a_checkpoint_comes_back_as_it_was_saved(checkpoint, path):
    saved = save_checkpoint(path, checkpoint)

    loaded = load_checkpoint(path)

    for part in (
        "identity",
        "architecture",
        "sizes",
        "genres",
        "features",
        "temperature",
        "metrics",
        "provenance",
    ):
        assert getattr(loaded, part) == getattr(saved, part)
    assert torch.equal(loaded.mel_filterbank, checkpoint.mel_filterbank)


def test_the_network_of_a_loaded_checkpoint_gives_the_saved_ones_logits(checkpoint, path):
    windows = torch.rand(1, 1, 640, 128) * -80
    save_checkpoint(path, checkpoint)

    model = load_checkpoint(path).build()

    as_trained = build_model("pcrnn", SMALL_SIZES)
    as_trained.load_state_dict(checkpoint.weights)
    assert not model.training
    assert torch.allclose(model(windows), as_trained.eval()(windows), atol=1e-6)


def test_the_identity_is_the_hash_of_the_file(checkpoint, path):
    first = save_checkpoint(path, checkpoint)
    second = save_checkpoint(path, dataclasses.replace(checkpoint, temperature=1.5))

    assert load_checkpoint(path).identity == second.identity
    assert first.identity.sha256 != second.identity.sha256


def test_saving_leaves_no_partial_files(checkpoint, path):
    save_checkpoint(path, checkpoint)

    assert sorted(file.name for file in path.parent.iterdir()) == [path.name, path.name + ".sha256"]


def test_a_save_that_is_broken_off_between_its_two_files_leaves_a_checkpoint_that_loads(checkpoint, path):
    save_checkpoint(path, checkpoint)
    path.with_name(path.name + ".sha256.partial").mkdir()  # the hash cannot be written

    with pytest.raises(UnwritableFile):
        save_checkpoint(path, dataclasses.replace(checkpoint, temperature=2.0))

    assert load_checkpoint(path).temperature == 2


def test_a_missing_checkpoint_is_said_to_be_missing(path):
    with pytest.raises(CheckpointError, match="missing"):
        load_checkpoint(path)


@pytest.mark.parametrize("kept", [0.0, 0.0001, 0.5, 0.999])
@pytest.mark.parametrize("with_hash", [True, False])
def test_a_truncated_checkpoint_is_refused(checkpoint, path, kept, with_hash):
    save_checkpoint(path, checkpoint)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    if not with_hash:
        path.with_name(path.name + ".sha256").unlink()

    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(path)


def test_a_checkpoint_with_one_changed_byte_is_refused_by_the_hash_beside_it(checkpoint, path):
    save_checkpoint(path, checkpoint)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)

    with pytest.raises(CheckpointError, match="SHA-256"):
        load_checkpoint(path)


def test_a_checkpoint_without_a_hash_beside_it_is_read(checkpoint, path):
    save_checkpoint(path, checkpoint)
    path.with_name(path.name + ".sha256").unlink()

    assert load_checkpoint(path).genres == GENRES


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"architecture": "resnet"}, "architecture"),
        ({"sizes": {"width": 3}}, "sizes"),
        ({"sizes": SMALL_SIZES | {"gru_units": 3}}, "shapes"),
        ({"genres": GENRES[:9]}, "genres"),
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"mel_filterbank": torch.rand(64, 1025)}, "filterbank"),
        ({"sizes": SMALL_SIZES | {"gru_pool": [700, 2]}}, "cannot hear windows"),  # longer than a window
        ({"sizes": SMALL_SIZES | {"gru_pool": [8, 2, 2]}}, "cannot hear windows"),
        ({"features": FeatureSettings(window_frames=62)}, "cannot hear windows of 62 frames"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(checkpoint, path, changes, reason):
    with pytest.raises(CheckpointError, match=reason):
        save_checkpoint(path, dataclasses.replace(checkpoint, **changes))


def test_weights_that_are_not_finite_are_refused(checkpoint, path):
    weights = dict(checkpoint.weights) | {"linear.bias": torch.full((10,), float("nan"))}

    with pytest.raises(CheckpointError, match="finite"):
        save_checkpoint(path, dataclasses.replace(checkpoint, weights=weights))


def test_a_file_of_another_format_version_is_refused(checkpoint, path):
    save_checkpoint(path, checkpoint)
    path.with_name(path.name + ".sha256").unlink()
    # In the file's header the JSON's quotation marks are escaped; the length stays the same.
    path.write_bytes(path.read_bytes().replace(rb"\"format\": 1", rb"\"format\": 9"))

    with pytest.raises(CheckpointError, match="format 9"):
        load_checkpoint(path)


def test_the_released_checkpoint_is_the_pcrnn_of_ten_genres_with_its_hash_beside_it():
    released = load_checkpoint(RELEASED)

    assert released.identity.name == released.architecture == "pcrnn"
    assert released.genres == GENRES
    assert RELEASED.with_name(RELEASED.name + ".sha256").read_text().split()[0] == released.identity.sha256


def test_the_released_filterbank_is_librosas():
    from librosa.filters import mel

    expected = mel(sr=22_050, n_fft=2_048, n_mels=128)

    np.testing.assert_allclose(
        load_checkpoint(RELEASED).mel_filterbank.numpy(), expected, rtol=1e-6, atol=1e-9
    )


def test_reading_checkpoints_needs_no_library_of_training():
    script = (
        "import sys; from worker.checkpoint import RELEASED, load_checkpoint; load_checkpoint(RELEASED); "
        "sys.exit(bool({'librosa', 'numba', 'scipy', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


class Malicious:
    def __reduce__(self):
        return print, ("this code ran",)


def test_weights_of_the_original_that_carry_code_are_refused_and_not_run(tmp_path, capsys):
    path = tmp_path / "model.pth"
    path.write_bytes(pickle.dumps({"linear.bias": Malicious()}, protocol=2))

    with pytest.raises(CheckpointError, match="safely"):
        import_original(path)

    assert "ran" not in capsys.readouterr().out


def test_weights_of_another_network_are_not_taken_for_the_originals(tmp_path):
    path = tmp_path / "model.pth"
    torch.save({"linear.bias": torch.zeros(10)}, path)

    with pytest.raises(CheckpointError, match="shapes"):
        import_original(path)


def test_a_model_of_one_genre_is_refused(checkpoint, path):
    weights = {
        name: weight[:1] if name.startswith("linear.") else weight
        for name, weight in checkpoint.weights.items()
    }
    one = dataclasses.replace(
        checkpoint, genres=("blues",), sizes=SMALL_SIZES | {"genres": 1}, weights=weights
    )

    with pytest.raises(CheckpointError, match="fewer than two"):
        save_checkpoint(path, one)


@pytest.mark.parametrize(
    "values",
    [
        {"linear.bias": "no tensor"},
        {"epoch": 3, "state_dict": {}},
        {"linear.bias": torch.zeros(10).to_sparse()},
        {"linear.bias": torch.zeros(10, device="meta")},
        [1, 2],
    ],
    ids=["a word", "a number", "sparse", "a shape alone", "a list"],
)
def test_a_file_with_other_things_than_weights_is_refused_in_a_sentence(tmp_path, values):
    path = tmp_path / "model.pth"
    torch.save(values, path)

    with pytest.raises(CheckpointError, match="weights that"):
        import_original(path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"0.",
        b"\x80\x02.",
        b"\x80\x02h\x05.",
        b"\x80\x02]a.",
        b"\x80\x02X\x09\x00",
        b"PK\x03\x04",
        b"((((",
    ],
)
def test_garbage_in_place_of_weights_is_refused_in_a_sentence(tmp_path, data):
    path = tmp_path / "model.pth"
    path.write_bytes(data)

    with pytest.raises(CheckpointError, match="safely"):
        import_original(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda header: [1],
        lambda header: header | {"architecture": ["pcrnn"]},
        lambda header: header | {"architecture": None},
        lambda header: header | {"name": 3},
        lambda header: header | {"version": 1.5},
        lambda header: header | {"genres": "bluesmetal"},
        lambda header: header | {"genres": dict.fromkeys(header["genres"], 1)},
        lambda header: header | {"genres": [*header["genres"][:9], 7]},
        lambda header: header | {"genres": [*header["genres"][:9], ["rock"]]},
        lambda header: header | {"genres": [*header["genres"][:9], " "]},
        lambda header: header | {"genres": [*header["genres"][:9], header["genres"][0]]},
        lambda header: header | {"features": header["features"] | {"n_fft": "many"}},
        lambda header: header | {"features": header["features"] | {"hop_length": 0}},
        lambda header: header | {"features": [2_048]},
        lambda header: header | {"metrics": 3},
        lambda header: {name: value for name, value in header.items() if name != "genres"},
    ],
    ids=[
        *("a list", "architecture", "no architecture", "name", "version"),
        *("genres a word", "genres an object", "a number", "a list of lists", "no name", "a genre twice"),
        *("a word", "zero", "no settings", "metrics", "no genres"),
    ],
)
def test_a_header_of_the_wrong_kind_is_refused_in_a_sentence(checkpoint, path, change):
    save_checkpoint(path, checkpoint)
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"]["genrewiz"] = json.dumps(change(json.loads(header["__metadata__"]["genrewiz"])))
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.with_name("other.safetensors").write_bytes(
        len(text).to_bytes(8, "little") + text + data[8 + length :]
    )

    with pytest.raises(CheckpointError):
        load_checkpoint(path.with_name("other.safetensors"))


def test_a_network_that_fails_on_the_device_is_refused_before_any_song(checkpoint, path, monkeypatch):
    def failing(_model):
        def run(_windows):
            raise RuntimeError("no kernel image is available")

        return run

    save_checkpoint(path, checkpoint)
    monkeypatch.setattr("worker.build._runner", failing)

    with (
        pytest.raises(CheckpointError, match="cannot run on cpu: no kernel"),
        open_pipeline(Settings(checkpoint=path, device="cpu")),
    ):
        pass
