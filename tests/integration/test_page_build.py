"""What `make web` makes, made once more: the same bytes as are committed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
WEB = CHECKOUT / "web"
PAGE = CHECKOUT / "api" / "static" / "page"
SCRIPTS = Path(sys.executable).parent


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """The sources in another folder, beside the description of the API."""
    web = tmp_path / "web"
    shutil.copytree(WEB, web, ignore=shutil.ignore_patterns("node_modules", "samples"))
    assert (WEB / "node_modules").is_dir(), "run `make page`"
    (web / "node_modules").symlink_to((WEB / "node_modules").resolve())
    (tmp_path / "docs").mkdir()
    shutil.copy(CHECKOUT / "docs" / "openapi.json", tmp_path / "docs")
    return web


def npm(folder: Path, *arguments: str) -> None:
    path = f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["npm", "run", "--silent", *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def test_building_it_anew_in_another_folder_makes_the_page_that_is_committed(web: Path, tmp_path: Path):
    npm(web, "build", "--", "--outDir", str(tmp_path / "page"))
    files = {path.relative_to(tmp_path / "page") for path in (tmp_path / "page").rglob("*") if path.is_file()}

    assert files == {
        path.relative_to(PAGE) for path in PAGE.rglob("*") if path.is_file() and path.name != "sources.sha256"
    }
    for name in files:
        assert (tmp_path / "page" / name).read_bytes() == (PAGE / name).read_bytes(), name


def test_the_types_of_the_page_are_those_of_the_api_as_it_is_described(web: Path):
    (web / "src" / "schema.ts").unlink()

    npm(web, "types")

    assert (web / "src" / "schema.ts").read_bytes() == (WEB / "src" / "schema.ts").read_bytes()
