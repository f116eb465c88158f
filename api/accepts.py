"""The Accept header: whether a client takes an answer in JSON.

It chooses between no forms: there is one.
"""

from typing import Final

from flask import Request
from werkzeug.http import parse_options_header

from shared.errors import NotAcceptable

OFFERED: Final = ("application/json", "application/*", "*/*")
"""From the most to the least specific: the first of those that a header names says whether it is taken."""


def require_json(request: Request) -> None:
    """NotAcceptable where the client takes no JSON; who says nothing takes anything."""
    weights: dict[str, float] = {}
    for value, weight in request.accept_mimetypes:
        name = parse_options_header(value)[0].lower()  # parameters, as of a charset, exclude nothing
        weights[name] = max(weight, weights.get(name, 0.0))
    said = [weights[name] for name in OFFERED if name in weights]
    if weights and not (said and said[0] > 0):
        raise NotAcceptable("The answer is application/json, which the Accept header excludes.")
