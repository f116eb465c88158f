"""/webhook-endpoints: receivers that jobs can name."""

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from api.accepts import require_json
from api.webhooks import WebhookService
from shared.webhook_wire import (
    delivery_body,
    endpoint_body,
    endpoint_body_with_secret,
    endpoints_body,
    recovered_body,
)

SHOWN = {"Cache-Control": "private, no-cache"}
SECRET = {"Cache-Control": "no-store"}


def webhook_endpoints_blueprint(service: WebhookService) -> Blueprint:
    """The routes of endpoints."""
    blueprint = Blueprint("webhook_endpoints", __name__, url_prefix="/webhook-endpoints")

    @blueprint.before_request
    def begin() -> None:
        if request.method != "DELETE":
            require_json(request)

    @blueprint.post("")
    def add() -> ResponseReturnValue:
        body = endpoint_body_with_secret(service.add(request))
        return jsonify(body), 201, SECRET | {"Location": body["links"]["self"]}

    @blueprint.get("")
    def listed() -> ResponseReturnValue:
        return jsonify(endpoints_body(service.endpoints())), 200, SHOWN

    @blueprint.get("/<endpoint_id>")
    def show(endpoint_id: str) -> ResponseReturnValue:
        return jsonify(endpoint_body(service.endpoint(endpoint_id))), 200, SHOWN

    @blueprint.patch("/<endpoint_id>")
    def change(endpoint_id: str) -> ResponseReturnValue:
        return jsonify(endpoint_body(service.change(endpoint_id, request)))

    @blueprint.delete("/<endpoint_id>")
    def remove(endpoint_id: str) -> ResponseReturnValue:
        service.remove(endpoint_id)
        response = Response(status=204)
        del response.headers["Content-Type"]  # of nothing
        return response

    @blueprint.post("/<endpoint_id>/rotate-secret")
    def rotate(endpoint_id: str) -> ResponseReturnValue:
        return jsonify(endpoint_body_with_secret(service.rotate(endpoint_id, request))), 200, SECRET

    @blueprint.post("/<endpoint_id>/test")
    def test(endpoint_id: str) -> ResponseReturnValue:
        body = delivery_body(service.test(endpoint_id))
        return jsonify(body), 202, {"Location": body["links"]["self"]}

    @blueprint.post("/<endpoint_id>/recover")
    def recover(endpoint_id: str) -> ResponseReturnValue:
        return jsonify(recovered_body(service.recover(endpoint_id, request))), 202

    return blueprint
