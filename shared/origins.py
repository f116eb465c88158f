"""Origins whose pages may ask the api, as an operator writes them.

It knows nothing of requests.
"""

import re
from typing import Final

ANY: Final = "*"

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?", re.ASCII)
_DEFAULT_PORT = {"http": ":80", "https": ":443"}


def parse_origins(text: str) -> tuple[str, ...]:
    """Origins as browsers spell them, or `*` alone for any; none of an empty text. ValueError."""
    origins = tuple(_origin(part.strip()) for part in text.split(",") if part.strip())
    if ANY in origins and len(origins) > 1:
        raise ValueError("* stands for every origin: name no other beside it")
    return origins


def _origin(text: str) -> str:
    if text == ANY:
        return ANY
    origin = text.lower()
    if not _ORIGIN.fullmatch(origin):
        raise ValueError("write origins as https://radio.example, without a path, separated by commas; or *")
    # A browser leaves out the port that the scheme has anyway.
    return origin.removesuffix(_DEFAULT_PORT[origin.partition(":")[0]])
