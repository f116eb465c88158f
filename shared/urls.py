"""A URL's text -> its parts, parsed once and strictly.

The one parser: what is checked and what is connected to are the same parts. It resolves no name and judges no
address.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Final, Literal, cast
from urllib.parse import quote, urljoin

import idna

from shared.errors import UrlBlocked

Scheme = Literal["http", "https"]
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL_CHARACTERS: Final = 2_048
PORTS: Final[dict[Scheme, int]] = {"http": 80, "https": 443}

# RFC 3986, appendix B, with a scheme and an authority that must be there.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]*\]|[^\[\]:]*)(?::([0-9]{1,5}))?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*", re.ASCII)
# What may stand in a path or a query as it is; a percent sign stays, for what is signed must not change.
_AS_SENT = "/?:@!$&'()*+,;=~-._%[]|"


@dataclass(frozen=True, kw_only=True)
class Url:
    """The parts that are checked, connected to and asked for. Its path and query may hold secrets."""

    scheme: Scheme
    host: str  # lower case, ASCII, without a trailing dot; an IPv6 address without brackets
    port: int
    target: str = field(repr=False)  # path and query, as they are sent

    @property
    def address(self) -> IpAddress | None:
        """The address, where the host is one and not a name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        """Host and port as a `Host` header names them: a scheme's own port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def path(self) -> str:
        """The path without the query."""
        return self.target.partition("?")[0]

    @property
    def shown(self) -> str:
        """What people may see of it: no query and no fragment, where signatures stand."""
        return f"{self.scheme}://{self.authority}{self.path}"

    def joined(self, reference: str) -> str:
        """The text of the URL that a reference in an answer from this one means; UrlBlocked."""
        _check_characters(reference)  # before urljoin, which drops tabs and line ends without a word
        return urljoin(f"{self.scheme}://{self.authority}{self.target}", reference)


def parse_url(text: str) -> Url:
    """The parts of a URL; UrlBlocked for every spelling that two programs could read in two ways."""
    if len(text) > MAX_URL_CHARACTERS:
        raise UrlBlocked(f"The URL is longer than {MAX_URL_CHARACTERS} characters.")
    _check_characters(text)
    parts = _URL.fullmatch(text)
    if parts is None:
        raise UrlBlocked("The URL is not absolute: it must begin with https:// and a host.")
    scheme, authority, path, query = parts.groups(default="")
    if scheme.lower() not in PORTS:
        raise UrlBlocked("The URL's scheme is not https.")
    known = cast(Scheme, scheme.lower())
    host, port = _host_and_port(authority)
    return Url(
        scheme=known,
        host=host,
        port=PORTS[known] if port is None else port,
        target=quote(path or "/", safe=_AS_SENT) + quote(query, safe=_AS_SENT),
    )


def _check_characters(text: str) -> None:
    if not text.isprintable() or " " in text:
        raise UrlBlocked("The URL has white space or control characters in it.")
    if "\\" in text:
        raise UrlBlocked("The URL has a backslash in it.")


def _host_and_port(authority: str) -> tuple[str, int | None]:
    if "@" in authority:
        raise UrlBlocked("The URL has a user name or a password in it.")
    if "%" in authority:
        raise UrlBlocked("The URL's host has a percent sign in it.")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise UrlBlocked("The URL's host or port cannot be read.")
    name, digits = parts.groups()
    port = None if digits is None else int(digits)
    if port is not None and not 0 < port < 65_536:
        raise UrlBlocked("The URL's port is not one from 1 to 65535.")
    return (_ipv6(name[1:-1]) if name.startswith("[") else _name(name)), port


def _ipv6(text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        raise UrlBlocked("The URL's IPv6 address cannot be read.") from None


def _name(text: str) -> str:
    """A name as the DNS knows it, or a dotted quad."""
    if not text:
        raise UrlBlocked("The URL has no host.")
    try:
        host = idna.encode(text, uts46=True).decode("ascii").lower().removesuffix(".")
    except (idna.IDNAError, UnicodeError):
        raise UrlBlocked("The URL's host is no name that the DNS knows.") from None
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        # Programs read 127.1, 0177.0.0.1, 0x7f000001 and 2130706433 as addresses, each in a way of its own.
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise UrlBlocked("The URL's host ends in a number and is no address of four numbers.") from None
    return host
