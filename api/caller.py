"""Who asks: the name under which a caller's waiting jobs and idempotency keys are kept.

It believes the connection's address, and of `X-Forwarded-For` only what proxies of the operator's own added.
"""

import ipaddress
from typing import Final

from flask import Request

from shared.addresses import unwrapped
from shared.urls import IpAddress

IPV6_SITE_BITS: Final = 64
"""One site has at least so many addresses: they count as one caller."""
NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""All of IPv4, as a translator in front of us spells it: far more than a site."""
UNKNOWN: Final = "unknown"


def caller_of(request: Request, *, trusted_proxies: int) -> str:
    """The client's address, or the network of its site; UNKNOWN where a proxy of ours names none."""
    address = _address(_seen_by_outermost(request, trusted_proxies))
    if address is None:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv6Address):
        site = ipaddress.IPv6Network((int(address), IPV6_SITE_BITS), strict=False)
        return str(site.network_address)
    return str(address)


def _seen_by_outermost(request: Request, trusted_proxies: int) -> str:
    """Whom the outermost proxy of ours was asked by."""
    # Split at commas and at nothing else: proxies append without a look at what the client has written, so a
    # quotation mark of his, where it counted, would swallow what they say.
    said = request.headers.get("X-Forwarded-For")
    chain = [] if said is None else said.split(",")
    if 0 < trusted_proxies <= len(chain):
        return chain[-trusted_proxies].strip()
    return request.remote_addr or ""  # nobody stands between, or came around them


def _address(text: str) -> IpAddress | None:
    if text.startswith("["):  # some proxies add the port
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = unwrapped(ipaddress.ip_address(text))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address in NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address
