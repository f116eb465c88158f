"""/livez and /readyz: the process works; it can take traffic."""

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from api.accepts import require_json
from api.jobs import OffLoop
from shared.ports import AudioStore
from shared.redis_jobs import RedisJobStore


def health_blueprint(jobs: RedisJobStore, audio: AudioStore, *, off_loop: OffLoop) -> Blueprint:
    """The routes of probes."""
    blueprint = Blueprint("health", __name__)
    blueprint.before_request(lambda: require_json(request))

    @blueprint.get("/livez")
    def livez() -> ResponseReturnValue:
        return jsonify(status="alive")

    @blueprint.get("/readyz")
    def readyz() -> ResponseReturnValue:
        off_loop(lambda: audio.scratch().close())  # raises where no song could be stored
        # Without workers jobs wait, but they are accepted: the number is told, and the answer stays 200.
        return jsonify(status="ready", workers_ready=jobs.workers_ready())

    return blueprint
