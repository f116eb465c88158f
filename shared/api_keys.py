"""What an API key is: its text, what is kept of it, and what its bearer may do.

It knows neither where keys are kept nor how a request carries one. Nothing of what is kept can be turned back
into a key.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Final, Literal, NewType, get_args

KeyId = NewType("KeyId", str)

Right = Literal["read", "submit", "high"]
"""See jobs; submit, cancel and delete them; submit them to the queue `high`."""
RIGHTS: Final[tuple[Right, ...]] = get_args(Right)
DEFAULT_RIGHTS: Final[tuple[Right, ...]] = ("read", "submit")

MAX_NAME_CHARACTERS: Final = 100
_CALLER = "key:"
_ID_BYTES = 6
_SECRET_BYTES = 32
# Hexadecimal: no sign of it needs quoting anywhere, and none is an underscore.
_TEXT = re.compile(rf"gw_([0-9a-f]{{{2 * _ID_BYTES}}})_[0-9a-f]{{{2 * _SECRET_BYTES}}}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key as it is kept. Times are seconds since 1970 by Redis."""

    id: KeyId
    name: str
    rights: frozenset[Right]
    sha256: str = field(repr=False)
    created_at: float
    last_used_at: float | None = None  # to the minute

    @property
    def caller(self) -> str:
        """The name under which its jobs, quota and idempotency keys are kept. No client address begins so."""
        return f"{_CALLER}{self.id}"

    def is_of(self, text: str) -> bool:
        """Whether this is the key; it takes as long whatever the text is."""
        return hmac.compare_digest(hash_of(text), self.sha256)


def new_text() -> tuple[KeyId, str]:
    """The id of a new key, and its whole text: a secret that is shown once."""
    key_id = KeyId(secrets.token_hex(_ID_BYTES))
    return key_id, f"gw_{key_id}_{secrets.token_hex(_SECRET_BYTES)}"


def id_of(text: str) -> KeyId | None:
    """The id in the text of a key; None where it is none."""
    found = _TEXT.fullmatch(text)
    return KeyId(found[1]) if found else None


def key_of_caller(caller: str) -> KeyId | None:
    """The id of the key that is this caller; None where the caller is an address."""
    return KeyId(caller.removeprefix(_CALLER)) if caller.startswith(_CALLER) else None


def hash_of(text: str) -> str:
    """What is kept of a key's text. It is all random: no slow hash would make it harder to guess."""
    return hashlib.sha256(text.encode()).hexdigest()


def is_name(text: str) -> bool:
    """Whether a key may be called so."""
    return bool(text.strip()) and len(text) <= MAX_NAME_CHARACTERS and text.isprintable()
