"""The page that is committed is the one that its sources make, whole and no larger than promised."""

import gzip
import json
import re
import runpy
import shutil
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
WEB = CHECKOUT / "web"
PAGE = CHECKOUT / "api" / "static" / "page"
BUILT_BESIDE = {"index.html", "licenses.md", "sources.sha256"}
MOST_SCRIPT_BYTES = 110_000  # gzipped
TEXT = (".js", ".css", ".html", ".svg")
OURS = ("/static/page/", "/docs")


def assets() -> dict[str, Path]:
    return {path.name: path for path in (PAGE / "assets").iterdir()}


def named_in(path: Path) -> set[str]:
    """What else of the build a file names."""
    text = path.read_text() if path.suffix in TEXT else ""
    return {name for name in assets() if name in text}


def loaded(name: str, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """An asset and all that it leads to."""
    known |= {name}
    for each in named_in(assets()[name]) - known:
        known |= loaded(each, known)
    return known


def test_the_page_was_built_from_the_sources_that_are_here():
    stamp = runpy.run_path(str(WEB / "stamp.py"))

    assert (PAGE / stamp["NAME"]).is_file(), "run `make web`"
    assert (PAGE / stamp["NAME"]).read_text() == stamp["stamp"](PAGE), "run `make web`"


def test_a_page_that_was_changed_by_hand_is_seen(tmp_path):
    stamp = runpy.run_path(str(WEB / "stamp.py"))
    page = shutil.copytree(PAGE, tmp_path / "page")
    script = next((page / "assets").glob("*.js"))
    script.write_text(f"{script.read_text()};0")

    assert stamp["stamp"](page) != stamp["stamp"](PAGE)


@pytest.mark.parametrize("changed", ["index.html", "src/App.tsx", "src/deep/new.css", "package-lock.json"])
def test_a_change_of_any_source_is_seen_and_one_of_a_test_is_not(tmp_path, changed):
    stamp = runpy.run_path(str(WEB / "stamp.py"))
    for path in stamp["sources"](WEB):
        copy = tmp_path / path.relative_to(WEB)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    before = stamp["stamp"](PAGE, tmp_path)
    (tmp_path / "src" / "App.test.tsx").write_text("a test")
    (tmp_path / "src" / ".App.tsx.swp").write_text("an editor's")
    assert stamp["stamp"](PAGE, tmp_path) == before == stamp["stamp"](PAGE)

    (tmp_path / changed).parent.mkdir(exist_ok=True)
    (tmp_path / changed).write_text("another")

    assert stamp["stamp"](PAGE, tmp_path) != before


def test_all_that_the_page_names_is_there_and_nothing_else_is():
    html = (PAGE / "index.html").read_text()
    named = set(re.findall(r'(?:src|href)="([^"]+)"', html))
    first = {name.rpartition("/")[2] for name in named if name.startswith("/static/page/")}

    assert all(name.startswith(OURS) for name in named)
    assert first <= set(assets())
    assert {path.name for path in PAGE.iterdir() if path.is_file()} == BUILT_BESIDE
    assert set().union(*map(loaded, first)) == set(assets())


def test_no_script_and_no_style_stands_in_the_page():
    html = (PAGE / "index.html").read_text()

    assert re.findall(r"<script(?![^>]*\ssrc=)", html) == []
    assert "<style" not in html
    assert not re.search(r"\s(style|on\w+)=", html)


def test_what_was_built_names_no_folder_of_a_machine_and_asks_for_no_style_from_elsewhere():
    for path in [PAGE / "index.html", *assets().values()]:
        if path.suffix in TEXT:
            text = path.read_text()
            assert str(CHECKOUT) not in text, path.name
            assert "node_modules" not in text, path.name
            assert not re.search(r"""["'(]/(home|root|work|tmp|Users|builds)/""", text), path.name
            if path.suffix == ".css":
                assert re.findall(r"url\(['\"]?(?:https?:)?//", text) == [], path.name
                assert "@import" not in text, path.name


def test_the_scripts_are_no_larger_than_promised():
    sizes = {
        path.name: len(gzip.compress(path.read_bytes(), 9))
        for path in assets().values()
        if path.suffix == ".js"
    }

    print(f"{sum(sizes.values()):,} bytes of JavaScript, gzipped: {sizes}")
    assert sum(sizes.values()) <= MOST_SCRIPT_BYTES, sizes


def test_whatever_is_bundled_has_its_licence_beside_the_page():
    text = (PAGE / "licenses.md").read_text()
    bundled = json.loads((WEB / "package.json").read_text())["dependencies"]

    for name, version in bundled.items():
        assert f"## {name} - {version} (" in text, name


def test_what_builds_the_page_is_pinned_and_comes_from_no_registry_in_particular():
    package = json.loads((WEB / "package.json").read_text())
    lock = (WEB / "package-lock.json").read_text()

    assert all(re.fullmatch(r"[\d.]+", version) for version in package["dependencies"].values())
    assert all(re.fullmatch(r"[\d.]+", version) for version in package["devDependencies"].values())
    assert '"resolved"' not in lock
    assert all('"integrity"' in entry for entry in re.findall(r'"node_modules/[^{]*\{[^}]*', lock))
