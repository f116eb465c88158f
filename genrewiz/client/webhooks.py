"""Whether a webhook is to be believed: Standard Webhooks 1.0.0, from the receiver's side.

It sends nothing and keeps nothing: who must not act twice on one delivery remembers its `webhook-id`.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from genrewiz.client.errors import WebhookError

PREFIX: Final = "whsec_"
MIN_SECRET_BYTES: Final = 24
MAX_SECRET_BYTES: Final = 64
TOLERANCE_SECONDS: Final = 300.0


def verify_webhook(
    headers: Mapping[str, str],
    body: bytes,
    secret: str | Sequence[str],
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> dict[str, Any]:
    """The event, if one who knows the secret has sent it lately, and just so; else WebhookError.

        @app.post("/hook")
        def hook():
            try:
                event = verify_webhook(request.headers, request.get_data(), "whsec_…")
            except WebhookError:
                return "", 400
            print(event["type"], event["data"]["id"])
            return "", 204

    body: the bytes as they came, not parsed and written anew. secret: `whsec_…`, or several while one is
    being replaced. now: seconds since 1970, for tests. A secret that is none is a ValueError: that is no
    sender's fault.
    """
    keys = [_key(each) for each in ([secret] if isinstance(secret, str) else secret)]
    if not keys:
        raise ValueError("There is no secret to verify with.")
    said = {name.lower(): value for name, value in headers.items()}
    try:
        message, timestamp, signatures = (
            said[f"webhook-{name}"] for name in ("id", "timestamp", "signature")
        )
    except KeyError as error:
        raise WebhookError(f"The header {error.args[0]} is missing.") from None
    expected = [_signature(key, message, timestamp, body) for key in keys]
    # All are compared with all, whichever fits: how long that takes says nothing.
    fits = [
        hmac.compare_digest(given.encode("utf-8", "replace"), right)
        for given in signatures.split()
        for right in expected
    ]
    if not any(fits):
        raise WebhookError("No signature is of this secret and this body.")
    _check_age(timestamp, tolerance_seconds, time.time() if now is None else now)
    return _event(body)


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:  # with an empty one, everybody could sign
        raise ValueError(
            f"A secret is {PREFIX} and the Base64 of {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes."
        )
    return key


def _signature(key: bytes, message: str, timestamp: str, body: bytes) -> bytes:
    signed = f"{message}.{timestamp}.".encode("utf-8", "replace") + body
    return b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))


def _check_age(timestamp: str, tolerance_seconds: float, now: float) -> None:
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        raise WebhookError("The timestamp is none.")
    age = now - int(timestamp)
    if age > tolerance_seconds:
        raise WebhookError("The delivery is too old.")
    if age < -tolerance_seconds:
        raise WebhookError("The delivery is from the future: is the clock right?")


def _event(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise WebhookError("The body is no event.")
    return event
