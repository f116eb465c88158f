"""The `Prefer` header (RFC 7240): for how long a client would like to wait.

What cannot be read, and what is not known, is ignored, as the standard wants it.
"""

import re
from collections.abc import Iterable, Iterator

_TOKEN = re.compile(r"""([!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[^"\\]|\\.)*"|[=;,])|[ \t]+""")
_MOST_DIGITS = 9


def wait_seconds(headers: Iterable[str], *, most: int) -> int | None:
    """The seconds of `wait`, at most so many; None where it is not said. Of several, the first counts."""
    for header in headers:
        for preference in _preferences(header):
            if preference[0].lower() == "wait":
                return _seconds(preference[1:], most)
    return None


def _preferences(header: str) -> Iterator[list[str]]:
    """The tokens of each preference, as far as the header can be read."""
    tokens: list[str] = []
    position = 0
    while position < len(header):
        found = _TOKEN.match(header, position)
        if not found:
            return
        position, part = found.end(), found.group(1)
        if part == ",":
            yield from [tokens] if tokens else []
            tokens = []
        elif part is not None:
            tokens.append(part)
    yield from [tokens] if tokens else []


def _seconds(said: list[str], most: int) -> int | None:
    """said: what stands behind the name; parameters are behind a semicolon."""
    if len(said) < 2 or said[0] != "=" or said[2:3] not in ([], [";"]):
        return None
    digits = said[1].strip('"')
    if not (digits.isascii() and digits.isdigit()):
        return None
    return most if len(digits) > _MOST_DIGITS else min(int(digits), most)
