"""The Accept header: whether a client takes an answer in the form that a route gives.

It chooses between no forms: each route has one.
"""

from typing import Final

from flask import Request
from werkzeug.http import parse_options_header

from shared.errors import NotAcceptable

JSON: Final = "application/json"


def require_json(request: Request) -> None:
    """NotAcceptable where the client takes no JSON."""
    require(request, JSON)


def require(request: Request, form: str) -> None:
    """NotAcceptable where the client does not take this media type; who says nothing takes anything."""
    if request.headers.get("Accept") in (None, "*/*", form):
        return  # as nearly everybody says it: there is nothing to weigh
    weights: dict[str, float] = {}
    for value, weight in request.accept_mimetypes:
        name = parse_options_header(value)[0].lower()  # parameters, as of a charset, exclude nothing
        weights[name] = max(weight, weights.get(name, 0.0))
    # From the most to the least specific: the first that the header names says whether it is taken.
    offered = (form, f"{form.partition('/')[0]}/*", "*/*")
    said = [weights[name] for name in offered if name in weights]
    if weights and not (said and said[0] > 0):
        raise NotAcceptable(f"The answer is {form}, which the Accept header excludes.")
