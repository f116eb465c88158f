import ast
from pathlib import Path

import pytest

from worker.training import run


@pytest.mark.parametrize("name", run.DECISIVE)
def test_what_decides_the_weights_is_hashed_with_all_that_it_imports_of_training(name):
    tree = ast.parse(Path(run.__file__).with_name(f"{name}.py").read_text(encoding="utf-8"))

    imported = {module for node in ast.walk(tree) for module in modules(node) if module in siblings()}

    assert imported <= set(run.DECISIVE)


def test_the_loop_decides_the_weights():
    assert "train" in run.DECISIVE


def modules(node) -> list[str]:
    """The last names of what an import statement names, whichever way it is written."""
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return []
    named = [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module != "worker.training":
        named = [node.module or ""] if (node.module or "").startswith("worker.training.") else []
    return [name.rpartition(".")[2] for name in named]


def siblings() -> set[str]:
    return {path.stem for path in Path(run.__file__).parent.glob("*.py")}
