"""The egress guard: whether a stranger's URL may be connected to, and at which addresses.

Everything that connects to what a client named goes through it, and connects to the addresses that it gives
and to no others. It opens no connection itself.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.addresses import IpNetwork, may_be_reached, unwrapped
from shared.errors import UrlBlocked
from shared.settings import Settings
from shared.urls import IpAddress, Url, parse_url

RESOLVE_SECONDS = 5.0  # a name that takes longer cannot be resolved now


class Resolve(Protocol):
    """A name -> its addresses, as text."""

    def __call__(self, host: str, port: int, *, seconds: float) -> Sequence[str]:
        """FetchFailed where there are none within so many seconds."""
        ...


@dataclass(frozen=True, kw_only=True)
class Target:
    """A URL and the addresses at which it may be asked: all of them were checked."""

    url: Url
    addresses: tuple[IpAddress, ...]


class EgressGuard:
    """The egress policy of one process."""

    def __init__(self, *, http: bool, allow: Sequence[IpNetwork], resolve: Resolve) -> None:
        """http: whether plain http is allowed, too. allow: private networks that may be reached."""
        self._http = http
        self._allow = tuple(allow)
        self._resolve = resolve

    def check(self, text: str, *, seconds: float = RESOLVE_SECONDS) -> Target:
        """The checked target of a URL, its name resolved once.

        UrlBlocked where any part or address is bad; FetchFailed where the name cannot be resolved in time.
        """
        url = parse_url(text)
        if url.scheme == "http" and not self._http:
            raise UrlBlocked("The URL's scheme is not https.")
        literal = url.address
        found = [literal] if literal is not None else self._addresses(url, min(seconds, RESOLVE_SECONDS))
        addresses = tuple(dict.fromkeys(map(unwrapped, found)))
        # One bad answer among good ones is how an attacker waits for the connector to choose the bad one.
        if not all(may_be_reached(address, self._allow) for address in addresses):
            raise UrlBlocked("The URL leads to an address that is not on the public internet.")
        return Target(url=url, addresses=addresses)

    def _addresses(self, url: Url, seconds: float) -> list[IpAddress]:
        return [ipaddress.ip_address(text) for text in self._resolve(url.host, url.port, seconds=seconds)]


def make_guard(settings: Settings, resolve: Resolve) -> EgressGuard:
    """The guard as the operator has set it."""
    return EgressGuard(http=settings.egress_http, allow=settings.egress_allow, resolve=resolve)
