"""The page as it was built: its HTML, filled in for each answer, and its files, compressed once.

It reads the folder at the start and each file when it is first asked for; it knows no request.
"""

import gzip
import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "static" / "page"
NONCE: Final = "{{nonce}}"
MAX_UPLOAD_BYTES: Final = "{{max_upload_bytes}}"
MIMETYPES: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".md": "text/plain",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
"""Of what may be served: the machine's own table differs from one to the next."""
TEXT: Final = frozenset({".js", ".css", ".svg", ".md"})


@dataclass(frozen=True)
class Content:
    """A file as it is sent."""

    body: bytes
    is_gzip: bool = False

    @cached_property
    def etag(self) -> str:
        """Another one for each way to send the same file."""
        return hashlib.sha256(self.body).hexdigest()[:32]


@dataclass(frozen=True)
class PageFile:
    """One file that the page loads."""

    path: Path

    @property
    def mimetype(self) -> str:
        return MIMETYPES[self.path.suffix]

    @cached_property
    def plain(self) -> Content:
        """As it is on the disk."""
        return Content(self.path.read_bytes())

    @cached_property
    def smallest(self) -> Content:
        """For who takes gzip: compressed, where that saves anything."""
        if self.path.suffix not in TEXT:
            return self.plain
        packed = gzip.compress(self.plain.body, compresslevel=9, mtime=0)
        return Content(packed, is_gzip=True) if len(packed) < len(self.plain.body) else self.plain


@dataclass(frozen=True)
class BuiltPage:
    """What `make web` has made."""

    html: str
    """With the nonce's placeholder."""
    files: dict[str, PageFile] = field(repr=False)
    """By their path in the folder."""

    def html_with(self, nonce: str) -> str:
        """The page for one answer."""
        return self.html.replace(NONCE, nonce)


def read_built_page(folder: Path, *, max_upload_bytes: int) -> BuiltPage:
    """The page in this folder; ValueError where none was built there, or one that lacks its placeholders."""
    try:
        html = (folder / "index.html").read_text(encoding="utf-8")
    except OSError:
        raise ValueError("the page was not built") from None
    for placeholder in (NONCE, MAX_UPLOAD_BYTES):
        if placeholder not in html:
            raise ValueError(f"the page lacks {placeholder}")
    files = {
        path.relative_to(folder).as_posix(): PageFile(path)
        for path in folder.rglob("*")
        if path.suffix in MIMETYPES
    }
    return BuiltPage(html=html.replace(MAX_UPLOAD_BYTES, str(max_upload_bytes)), files=files)
