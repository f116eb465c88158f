"""Secrets of webhooks and the signatures that they make: Standard Webhooks 1.0.0, from the sender's side.

Pure. Their receivers' side is `genrewiz/client/webhooks.py`, which imports nothing of ours.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
MIN_BYTES, MAX_BYTES = 24, 64
"""Of a secret, by the specification."""
RULE: Final = f"a secret is {PREFIX} and the Base64 of {MIN_BYTES} to {MAX_BYTES} bytes"


def new_secret() -> str:
    """A secret as the specification wants it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def is_secret(text: str) -> bool:
    """Whether a text can sign."""
    return text.startswith(PREFIX) and MIN_BYTES <= len(_key(text)) <= MAX_BYTES


def signatures(of_secrets: Sequence[str], *, webhook_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature a secret, between spaces.

    timestamp: seconds since 1970, as `webhook-timestamp` says it. body: the bytes as they are sent.
    """
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    made = (hmac.digest(_key(text), signed, hashlib.sha256) for text in of_secrets)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in made)


def _key(text: str) -> bytes:
    """The bytes of a secret; none where it is none."""
    try:
        return base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""
