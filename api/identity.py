"""Who asks, once it is known: the caller, and what it may do.

It finds nothing out: `guard.py` does, before a route runs.
"""

from dataclasses import dataclass

from flask import g

from shared.api_keys import RIGHTS, Right, key_of_caller
from shared.errors import MissingRight


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The one who asks. caller: whose jobs, quota, idempotency keys and rate limit are meant."""

    caller: str
    rights: frozenset[Right] = frozenset(RIGHTS)

    def need(self, right: Right) -> None:
        """MissingRight unless it may."""
        if right not in self.rights:
            raise MissingRight(f"The API key lacks the right `{right}`.")

    def may_see(self, owner: str) -> bool:
        """Whether what this caller has made is his to see: in the open service knowing its id is enough."""
        return key_of_caller(self.caller) is None or self.caller == owner


def remember(identity: Identity) -> None:
    """For as long as this request lasts."""
    g.identity = identity


def whoever_asks() -> Identity:
    """The identity of this request."""
    identity: Identity = g.identity
    return identity
