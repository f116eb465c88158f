"""What the api is measured beside: a Flask application without any of our hooks, on the same gunicorn.

It checks nothing and keeps no job. `GENREWIZ_BARE_ANSWER` names the file that it answers with, as JSON.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from flask import Flask, request


def create_app(answer: Any) -> Flask:
    """Routes at our own paths, so that the same requests can be sent to both."""
    app = Flask("bare")
    app.json.sort_keys = False

    @app.get("/readyz")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.get("/jobs/<job_id>")
    def show(job_id: str) -> Any:
        return answer

    @app.post("/jobs")
    def submit() -> Any:
        with tempfile.NamedTemporaryFile() as kept:
            request.files["file"].save(kept)
            kept.flush()
        return answer, 202

    app.stop_watching = lambda: None  # our gunicorn worker calls it
    return app


app = create_app(json.loads(Path(os.environ["GENREWIZ_BARE_ANSWER"]).read_text()))
