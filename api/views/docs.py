"""/openapi.json, /docs and /problems/<code>: what the API is, for programs and for people."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, current_app, jsonify, request, send_from_directory
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from api.accepts import require_json
from api.conditional import conditional
from api.jobs import OffLoop
from api.problems import catalogue
from shared.errors import UnknownProblem
from shared.model_card import ModelCard

OURS: Final = Path(__file__).parents[1] / "static" / "docs"
OUR_SCRIPT: Final = "init.js"
FILES: Final = frozenset({"swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"})
"""Of Swagger UI, what the page needs."""
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""The page takes nothing from elsewhere, and runs nothing that stands in it."""
FILE_SECONDS: Final = 3_600


def docs_blueprint(card: ModelCard | None, *, off_loop: OffLoop) -> Blueprint:
    """The routes of documentation."""
    blueprint = Blueprint("docs", __name__)

    @cache  # made when it is first asked for: a start does without
    def text() -> str:
        from api.openapi.document import document, text_of

        rules = list(current_app.url_map.iter_rules())
        made: list[str] = []
        off_loop(lambda: made.append(text_of(document(rules, card))))  # a tenth of a second's work
        return made[0]

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        require_json(request)
        return conditional(Response(text(), mimetype="application/json"), request)

    @blueprint.get("/problems/<code>")
    def problem(code: str) -> ResponseReturnValue:
        require_json(request)
        kinds = {kind.type.rpartition("/")[2]: kind for kind in catalogue().values()}
        found = kinds.get(code) or catalogue().get(code)  # by its type, or by its code
        if found is None:
            raise UnknownProblem("There is no problem of this name.")
        return jsonify(found.model_dump(mode="json"))

    @blueprint.get("/docs")
    def page() -> Response:
        response = send_from_directory(OURS, "index.html")
        response.headers["Content-Security-Policy"] = POLICY
        return response

    @blueprint.get("/docs/<path:filename>")
    def file(filename: str) -> Response:
        if filename == OUR_SCRIPT:
            return send_from_directory(OURS, filename)
        if filename not in FILES:
            raise NotFound
        folder = files("flask_swagger_ui") / "dist"
        return send_from_directory(str(folder), filename, max_age=FILE_SECONDS)

    return blueprint
