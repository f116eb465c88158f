"""The Idempotency-Key header: a request that may be sent again makes one job.

What the store keeps of it is a hash: keys of different callers never meet.
"""

import hashlib
import json

from flask import Request

from shared.errors import InvalidRequest, Wrong
from shared.job import Idempotency, Source
from shared.wire import JobRequest

HEADER = "Idempotency-Key"
MAX_CHARACTERS = 255


def key_of(request: Request, caller: str) -> str | None:
    """The caller's key, hashed; None where the request has none. InvalidRequest where it is no key."""
    text = request.headers.get(HEADER)
    if text is None:
        return None
    # The server joins headers of one name by commas: with one in it, it may be two keys.
    if not text or len(text) > MAX_CHARACTERS or not text.isascii() or not text.isprintable() or "," in text:
        raise InvalidRequest(
            f"The {HEADER} header is not one key.",
            errors=(Wrong("header", HEADER, f"1 to {MAX_CHARACTERS} printable ASCII characters, no comma"),),
        )
    return _hash(caller, text)


def idempotency(key: str | None, source: Source, wanted: JobRequest) -> Idempotency | None:
    """The key with what makes two requests the same: the song, and what is wanted of it."""
    if key is None:
        return None
    # The order of an object's members says nothing: a client that was restarted may write another. And an api
    # of another version may know of more that has a default.
    asked = json.dumps(wanted.model_dump(mode="json", exclude_defaults=True), sort_keys=True)
    return Idempotency(key=key, fingerprint=_hash(source.sha256 or "", asked))


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
