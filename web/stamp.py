"""Which sources a built page was made from, and what came of them, as two hashes beside it: `make web` writes
them, a test compares.

It builds nothing and needs no Node.
"""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

WEB = Path(__file__).parent
NAME = "sources.sha256"
KINDS = (".ts", ".tsx", ".css", ".svg")  # an editor's own files among them decide nothing
SINGLE = ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")


def sources(web: Path) -> Iterator[Path]:
    """All that decides what the build makes: tests do not."""
    yield from (web / name for name in SINGLE)
    for path in (web / "src").rglob("*"):
        if path.suffix in KINDS and ".test." not in path.name and (web / "src" / "test") not in path.parents:
            yield path


def built(page: Path) -> Iterator[Path]:
    """All that the build has made."""
    yield from (path for path in page.rglob("*") if path.is_file() and path.name != NAME)


def digest(folder: Path, files: Iterable[Path]) -> str:
    """Of names in the folder and contents, in the order of names."""
    whole = hashlib.sha256()
    for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in files):
        whole.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def stamp(page: Path, web: Path = WEB) -> str:
    """What lies beside a page that was built from these sources, as long as nobody changes either."""
    return f"sources {digest(web, sources(web))}\nbuilt {digest(page, built(page))}\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / NAME).write_text(stamp(folder))
