import ast
from pathlib import Path

import pytest

import worker
from worker.training.learning import run

SOURCES = {path.resolve(): path.stem for path in run.decisive_sources()}
TRAINING = Path(run.__file__).parents[1]


@pytest.mark.parametrize("source", SOURCES, ids=SOURCES.values())
def test_what_decides_the_weights_is_hashed_with_all_that_it_imports_of_training(source):
    tree = ast.parse(source.read_text(encoding="utf-8"))

    imported = {path for node in ast.walk(tree) for path in files(node) if TRAINING in path.parents}

    assert imported <= SOURCES.keys()


def test_the_loop_and_the_songs_decide_the_weights():
    assert {"train", "gtzan", "audio_songs", "spectrogram"} <= set(SOURCES.values())


def files(node) -> list[Path]:
    """The modules that an import statement names, whichever way it is written."""
    if isinstance(node, ast.ImportFrom):
        named = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    elif isinstance(node, ast.Import):
        named = [alias.name for alias in node.names]
    else:
        return []
    top = Path(worker.__file__).parents[1]
    found = [
        (top / name.replace(".", "/")).with_suffix(".py") for name in named if name.startswith("worker.")
    ]
    return [path.resolve() for path in found if path.is_file()]
