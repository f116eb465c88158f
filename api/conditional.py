"""Answers that a client may have already: an ETag of the body, and 304 to who has it.

It keeps nothing: what saves is the way to the client, not the making of the body.
"""

import hashlib
from typing import Final

from flask import Request, Response

CONDITIONS: Final = ("If-None-Match", "If-Match")
"""What may turn the answer into another one; most requests have neither, and werkzeug looks long."""


def conditional(response: Response, request: Request) -> Response:
    """The answer, or 304 without a body where `If-None-Match` names it; for nobody between us to keep."""
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    response.headers["Cache-Control"] = "private, no-cache"
    if any(name in request.headers for name in CONDITIONS):
        response.make_conditional(request)
    return response
