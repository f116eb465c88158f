"""JSON that a client sends: read within limits, held against a type, its mistakes named by their places.

It knows no route, and no field of any body.
"""

import json
from collections.abc import Iterable
from typing import Final, TypeVar

from flask import Request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from api.uploads import refuse_encoded
from shared.errors import InvalidRequest, MalformedRequest, UnsupportedMediaType, UploadTooLarge, Wrong

PYDANTICS: Final = "Value error, "
"""What pydantic puts before a sentence of ours."""
CHARSETS: Final = ("utf-8", "utf8")
MAX_JSON_BYTES: Final = 64 * 2**10

Asked = TypeVar("Asked", bound=BaseModel)


def json_body(request: Request) -> bytes:
    """The bytes of a body that is JSON by its header; UnsupportedMediaType, UploadTooLarge."""
    refuse_encoded(request)
    if request.mimetype_params.get("charset", CHARSETS[0]).lower() not in CHARSETS:
        raise UnsupportedMediaType("JSON is read as utf-8 alone.")
    request.max_content_length = MAX_JSON_BYTES
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise UploadTooLarge(f"The body is larger than {MAX_JSON_BYTES} bytes.") from error


def parse_json(text: bytes | None, kind: type[Asked], *, what: str) -> Asked:
    """What a client asks for; MalformedRequest where it is no JSON, InvalidRequest naming what is wrong."""
    if text is None:
        text = b"{}"
    try:
        asked = kind.model_validate_json(text)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        if problems[0]["type"] == "json_invalid":
            raise MalformedRequest(f"The {what} is not JSON.") from None
        errors = tuple(
            Wrong("pointer", _pointer(problem["loc"]), problem["msg"].removeprefix(PYDANTICS))
            for problem in problems
        )
        raise InvalidRequest(f"The {what} asks for what cannot be done.", errors=errors) from None
    if _names_twice(text):
        raise MalformedRequest(f"An object in the {what} names a member twice.")
    return asked


def _pointer(steps: Iterable[int | str]) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def _names_twice(text: bytes) -> bool:
    """Whether an object of JSON, which must be readable, has two members of one name."""
    found = False

    def look(pairs: list[tuple[str, object]]) -> None:
        nonlocal found
        found = found or len({name for name, _ in pairs}) < len(pairs)

    json.loads(
        text, object_pairs_hook=look, parse_int=len
    )  # of a number its value may be too long to be made
    return found
