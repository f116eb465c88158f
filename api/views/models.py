"""/models: what answers, and how good it was found to be."""

from flask import Blueprint, Response, jsonify, request

from api.accepts import require_json
from api.conditional import conditional
from shared.bodies import ModelList
from shared.errors import UnknownModel
from shared.model_card import ModelCard


def models_blueprint(card: ModelCard | None) -> Blueprint:
    """The routes of models. card: None where this process cannot read the checkpoint."""
    blueprint = Blueprint("models", __name__, url_prefix="/models")
    blueprint.before_request(lambda: require_json(request))
    cards = (card,) if card else ()
    listed = ModelList(models=list(cards)).model_dump(mode="json")
    by_name = {each.name: each.model_dump(mode="json") for each in cards}

    @blueprint.get("")
    def show_all() -> Response:
        return conditional(jsonify(listed), request)

    @blueprint.get("/<name>")
    def show(name: str) -> Response:
        if name not in by_name:
            raise UnknownModel("There is no model of this name; GET /models lists those that there are.")
        return conditional(jsonify(by_name[name]), request)

    return blueprint
