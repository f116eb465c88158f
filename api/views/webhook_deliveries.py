"""/webhook-deliveries: what was sent of webhooks, what came of it, and sending it once more."""

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from api.accepts import require_json
from api.delivery_listing import delivery_cursor, parse_wanted_deliveries
from api.webhooks import WebhookService
from shared.webhook_wire import deliveries_body, delivery_body

SHOWN = {"Cache-Control": "private, no-cache"}


def webhook_deliveries_blueprint(service: WebhookService) -> Blueprint:
    """The routes of deliveries."""
    blueprint = Blueprint("webhook_deliveries", __name__, url_prefix="/webhook-deliveries")
    blueprint.before_request(lambda: require_json(request))

    @blueprint.get("")
    def listed() -> ResponseReturnValue:
        wanted = parse_wanted_deliveries(request.args)
        page = service.deliveries(wanted)
        cursor = delivery_cursor(page.end) if page.end else None
        headers = dict(SHOWN)
        if cursor:
            headers["Link"] = f'<{wanted.link(cursor)}>; rel="next"'
        return jsonify(deliveries_body(page.deliveries, next_cursor=cursor)), 200, headers

    @blueprint.get("/<delivery_id>")
    def show(delivery_id: str) -> ResponseReturnValue:
        return jsonify(delivery_body(service.delivery(delivery_id))), 200, SHOWN

    @blueprint.post("/<delivery_id>/redeliver")
    def redeliver(delivery_id: str) -> ResponseReturnValue:
        body = delivery_body(service.redeliver(delivery_id))
        return jsonify(body), 202, {"Location": body["links"]["self"]}

    return blueprint
