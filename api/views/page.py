"""/: the page."""

from flask import Blueprint, Response, current_app


def page_blueprint() -> Blueprint:
    """The route of the page."""
    blueprint = Blueprint("page", __name__)

    @blueprint.get("/")
    def index() -> Response:
        return current_app.send_static_file("index.html")

    return blueprint
