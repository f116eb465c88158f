"""The sources of the page stand in layers: main, App, components, useJob and useSongs, api."""

import re
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "web" / "src"
LAYERS = (
    ("main.tsx",),
    ("App.tsx",),
    ("components/home/", "components/result/"),
    ("components/shell/",),
    ("useJob.ts", "songs/useSongs.ts", "router.ts"),
    ("services.ts",),
    ("watch-job.ts", "songs/songs.ts"),
    ("stream.ts", "seen.ts", "songs/"),
    ("api.ts",),
    ("reach.ts",),
    ("http.ts", "uploadable.ts"),
    ("keys.ts",),
    ("lib/",),
    ("problem.ts", "types.ts"),
    ("schema.ts",),
)
"""From above: each may use what is below it, and what stands beside it. The first that fits a file is its."""
FILES = sorted(
    path
    for path in SOURCES.rglob("*.ts*")
    if ".test." not in path.name and (SOURCES / "test") not in path.parents
)


def layer_of(name: str) -> int:
    found = [at for at, names in enumerate(LAYERS) for each in names if name == each]
    found += [
        at
        for at, names in enumerate(LAYERS)
        for each in names
        if each.endswith("/") and name.startswith(each)
    ]
    assert found, f"{name} stands in no layer: place it"
    return found[0]


def used_by(path: Path) -> set[str]:
    """What a file imports of ours."""
    names = re.findall(r"""(?:from|import\() ?["'](\.{1,2}/[^"']+)["']""", path.read_text())
    found = set()
    for name in names:
        target = (path.parent / name).resolve()
        for candidate in (
            target,
            target.with_name(f"{target.name}.ts"),
            target.with_name(f"{target.name}.tsx"),
        ):
            if candidate.is_file():
                found.add(candidate.relative_to(SOURCES).as_posix())
    return {name for name in found if name.endswith((".ts", ".tsx"))}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCES).as_posix())
def test_a_file_uses_nothing_above_it(path: Path):
    name = path.relative_to(SOURCES).as_posix()

    assert {each for each in used_by(path) if layer_of(each) < layer_of(name)} == set()


def test_one_file_alone_knows_where_the_service_is():
    asks = re.compile(r"""["'`]/(jobs|models|static|webhook|readyz|livez|metrics)\b""")

    assert {path.name for path in FILES if asks.search(path.read_text())} - {"schema.ts"} == {"api.ts"}


def test_nothing_but_the_following_of_one_job_knows_that_there_is_a_stream():
    users = {
        path.relative_to(SOURCES).as_posix()
        for path in FILES
        if {"stream.ts", "watch-job.ts"} & used_by(path) or "EventSource(" in path.read_text()
    }

    assert users == {"useJob.ts", "watch-job.ts", "api.ts"}  # which opens it
