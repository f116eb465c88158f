"""The query of a list that is read page by page: its parameters, its limit, and cursors as clients see them.

It knows no list: what stands in one, and who may see it, is its own route's.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Container
from typing import Final, TypeVar

from werkzeug.datastructures import MultiDict

from shared.errors import InvalidRequest, Wrong

MAX_LIMIT: Final = 100
DEFAULT_LIMIT: Final = 20
MAX_CURSOR_CHARACTERS: Final = 200
SCORE: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?(e[+-]?[0-9]{1,2})?")
"""As the server writes a time: one of a hundred or so with an exponent, `1.7954523546473491e+9`."""

T = TypeVar("T")


class Query:
    """The parameters of one request, of which each is read by name; what is wrong is gathered."""

    def __init__(self, query: MultiDict[str, str], known: Container[str]) -> None:
        self._query = query
        self._errors = [
            Wrong("parameter", name, "this parameter is not known here")
            for name in query
            if name not in known
        ]

    def parsed(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """The parameter as `parse` reads it; the default where it is not there, or wrong."""
        values = self._query.getlist(name)
        try:
            if len(values) > 1:
                raise ValueError("only one is allowed")
            return parse(values[0]) if values else default
        except ValueError as error:
            self._errors.append(Wrong("parameter", name, str(error)))
            return default

    def check(self) -> None:
        """InvalidRequest naming each parameter that is wrong."""
        if self._errors:
            raise InvalidRequest("The query asks for what cannot be done.", errors=tuple(self._errors))


def parse_limit(text: str) -> int:
    """So many on a page; ValueError."""
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise ValueError(f"a number from 1 to {MAX_LIMIT}")
    return int(text)


def cursor_text(score: str, thing_id: str) -> str:
    """A place in a list as clients are given it. score: as the server writes it."""
    return urlsafe_b64encode(f"{score} {thing_id}".encode()).decode().rstrip("=")


def parse_cursor(text: str, is_id: Callable[[str], bool]) -> tuple[str, str]:
    """Score and id of a place; ValueError where it is no cursor of a list of such ids."""
    if len(text) <= MAX_CURSOR_CHARACTERS and text.isascii() and len(text) % 4 != 1:
        decoded = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        score, _, thing_id = decoded.decode("ascii", "replace").partition(" ")
        if SCORE.fullmatch(score) and is_id(thing_id):
            return score, thing_id
    raise ValueError("not a cursor of ours")
