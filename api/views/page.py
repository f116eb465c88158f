"""/, /r/<job_id> and what they load: the page, which asks for everything else by itself.

A job is not looked at here: whoever opens its page is shown only what the API answers him.
"""

import secrets
from pathlib import Path
from typing import Final

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from api.built_page import BuiltPage, read_built_page
from api.errors import of_http_error
from api.for_people import wants_page
from api.job_ids import is_job_id

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page takes nothing from elsewhere and runs nothing that stands in it.

The nonce is for the styles of the waveform, which are made as it is drawn."""
NONCE_BYTES: Final = 16
FILES: Final = "/static/page/<path:filename>"
FOR_EVER: Final = "public, max-age=31536000, immutable"
"""Of what has its hash in its name."""
NOT_BUILT: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>GenreWiz</title>
<h1>The page was not built</h1>
<p>Run <code>make web</code> in GenreWiz’ folder, then start the service again.</p>
<p>The API works: see <a href="/docs">its description</a>.</p>
</html>
"""

log = structlog.get_logger(__name__)


def page_blueprint(folder: Path, *, max_upload_bytes: int) -> Blueprint:
    """The routes of the page that lies in this folder."""
    blueprint = Blueprint("page", __name__)
    try:
        page = read_built_page(folder, max_upload_bytes=max_upload_bytes)
    except ValueError as error:
        log.warning("the page cannot be shown: run `make web`", error=str(error))
        page = None

    @blueprint.get("/")
    def index() -> Response:
        return _shown(page, status=200)

    @blueprint.get("/r/<job_id>", strict_slashes=False)
    def result(job_id: str) -> Response:
        return _shown(page, status=200 if is_job_id(job_id) else 404)

    @blueprint.get(FILES)
    def file(filename: str) -> Response:
        found = page.files.get(filename) if page else None
        if found is None:
            raise NotFound
        content = found.smallest if request.accept_encodings["gzip"] > 0 else found.plain
        response = Response(content.body, mimetype=found.mimetype)
        response.headers["Cache-Control"] = FOR_EVER if filename.startswith("assets/") else "no-cache"
        response.headers["Vary"] = "Accept-Encoding"
        if content.is_gzip:
            response.headers["Content-Encoding"] = "gzip"
        response.set_etag(content.etag)
        response.make_conditional(request)
        return response

    @blueprint.app_errorhandler(NotFound)
    def nothing_here(error: NotFound) -> Response:
        response = _shown(page, status=404) if page and wants_page(request) else of_http_error(error)
        response.headers.add("Vary", "Accept")  # two forms at one address: who keeps one must not mix them up
        return response

    return blueprint


def _shown(page: BuiltPage | None, *, status: int) -> Response:
    """The page; the page itself sees by its address what it has to show."""
    nonce = secrets.token_urlsafe(NONCE_BYTES)
    html = page.html_with(nonce) if page else NOT_BUILT
    response = Response(html, status=status if page else 503, mimetype="text/html")
    response.headers["Content-Security-Policy"] = POLICY.format(nonce=nonce)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"  # a nonce holds once
    return response
