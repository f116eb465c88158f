import pickle
import zipfile
from dataclasses import replace

import pytest
import torch

from shared.errors import SetupError
from support.networks import SMALL_SIZES
from worker.training.learning.recipe import Recipe
from worker.training.learning.train import train

RECIPE = Recipe(epochs=1, batch_size=6, precision="float32")


class Malice:
    """What writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.fixture
def resume(tmp_path, small_songs):
    """Goes on with a finished epoch; what is given is changed before."""

    def go_on(songs=small_songs, valid=small_songs, sizes=SMALL_SIZES):
        return train(
            recipe=replace(RECIPE, epochs=2),
            sizes=sizes,
            songs=songs,
            valid=valid,
            run=tmp_path,
            device=torch.device("cpu"),
            resume=True,
        )

    go_on()
    return go_on


def truncated(state):
    state.write_bytes(state.read_bytes()[:-100])


def changed(state):
    data = bytearray(state.read_bytes())
    with zipfile.ZipFile(state) as archive:
        tensors = [part for part in archive.infolist() if "/data/" in part.filename]
        largest = archive.read(max(tensors, key=lambda part: part.file_size))
    data[data.index(largest) + len(largest) // 2] ^= 1
    state.write_bytes(data)


def badly_compressed(state):
    with zipfile.ZipFile(state, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("state/data.pkl", bytes(1000))
    data = bytearray(state.read_bytes())
    begin = data.index(b"state/data.pkl") + len("state/data.pkl")
    data[begin] = 0xFF  # no kind of block
    state.write_bytes(data)


def garbage(state):
    with zipfile.ZipFile(state, "w") as archive:
        archive.writestr("state/data.pkl", b"\x80\x020.")  # takes from an empty stack
        archive.writestr("state/version", b"3")
        archive.writestr("state/byteorder", b"little")


def text(state):
    state.write_text("epoch 3")


def empty(state):
    state.write_bytes(b"")


def other_tensors(state):
    torch.save({"linear.weight": torch.zeros(3)}, state)


def bare_tensor(state):
    torch.save(torch.zeros(3), state)


@pytest.mark.parametrize(
    "damage", [truncated, changed, badly_compressed, garbage, text, empty, other_tensors, bare_tensor]
)
def test_a_state_that_is_damaged_or_none_is_refused_and_left_as_it_is(tmp_path, resume, damage):
    state = tmp_path / "state.pt"
    damage(state)
    damaged = state.read_bytes()

    with pytest.raises(SetupError, match=r"state\.pt is (damaged|no state).*another --output\.$"):
        resume()

    assert state.read_bytes() == damaged


def test_a_state_that_carries_code_is_refused_and_not_run(tmp_path, resume):
    torch.save({"origin": Malice(tmp_path / "ran")}, tmp_path / "state.pt", pickle_module=pickle)

    with pytest.raises(SetupError):
        resume()

    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("part", ["sizes", "songs to train on", "songs for validation"])
def test_a_run_is_not_gone_on_with_by_another_network_or_other_songs(tmp_path, small_songs, resume, part):
    kept = (tmp_path / "state.pt").read_bytes()
    fewer = small_songs.chosen(small_songs.names[:8])
    others = {
        "sizes": {"sizes": SMALL_SIZES | {"gru_units": 4}},
        "songs to train on": {"songs": fewer},
        "songs for validation": {"valid": fewer},
    }

    with pytest.raises(SetupError, match=f"with other {part}; name another --output"):
        resume(**others[part])

    assert (tmp_path / "state.pt").read_bytes() == kept


def test_a_state_that_may_not_be_read_is_named(tmp_path, resume):
    (tmp_path / "state.pt").unlink()
    (tmp_path / "state.pt").mkdir()

    with pytest.raises(SetupError, match=r"state\.pt cannot be read"):
        resume()
