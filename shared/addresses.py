"""An IP address -> may anyone on the internet be reached there, or only we?

Pure. The table is longer than `ipaddress.is_global`, which lets tunnels and translations through that lead to
private addresses.
"""

import ipaddress
from collections.abc import Sequence
from typing import Final

from shared.urls import IpAddress

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_BAD: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "2001::/23",  # Teredo, ORCHID, benchmarks
            "2001:db8::/32",
            "2002::/16",  # 6to4
            "3fff::/20",
        ),
    )
)
_UNICAST: Final = ipaddress.ip_network("2000::/3")
"""All that was ever given out of IPv6 for the internet.

It alone refuses what lies outside: IPv4-compatible and IPv4-translated addresses, NAT64, SRv6 (5f00::/16),
private, link-local, site-local and multicast networks. Only what is bad within it stands in the table.
"""
_NEVER: Final = tuple(
    map(ipaddress.ip_network, ("0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8"))
)
"""Not one host's address: no operator can allow these."""


def unwrapped(address: IpAddress) -> IpAddress:
    """The IPv4 address where an IPv6 address only carries one: `::ffff:127.0.0.1` connects to 127.0.0.1."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def may_be_reached(address: IpAddress, allow: Sequence[IpNetwork] = ()) -> bool:
    """Whether a stranger's URL may lead to an (unwrapped) address; `allow` lets private networks through."""
    if _is_in(address, _NEVER):
        return False
    if _is_in(address, allow):
        return True
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not _is_in(address, _BAD)


def _is_in(address: IpAddress, networks: Sequence[IpNetwork]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
