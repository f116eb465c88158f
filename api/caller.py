"""Who asks: the name under which a caller's waiting jobs are counted.

It believes the connection's address; behind proxies of the operator's own `app.py` has set that straight.
"""

import ipaddress

from flask import Request

IPV6_SITE_BITS = 64
"""One site has at least so many addresses: they count as one caller."""


def caller_of(request: Request) -> str:
    """The client's address, or the network of its site."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"  # a proxy that names no address, or a socket without one
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, IPV6_SITE_BITS), strict=False).network_address)
    return str(address)
