"""Which addresses a stranger's URL may lead to: the table of the egress policy, at its edges."""

import ipaddress

import pytest

from shared.addresses import may_be_reached

REFUSED = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
    "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    "::/3", "4000::/2", "8000::/1",
]  # fmt: skip


@pytest.mark.parametrize("network", REFUSED)
def test_a_network_of_the_policy_is_refused_from_its_first_address_to_its_last(network: str):
    refused = ipaddress.ip_network(network)

    assert not may_be_reached(refused[0])
    assert not may_be_reached(refused[refused.num_addresses // 3])
    assert not may_be_reached(refused[-1])


@pytest.mark.parametrize(
    "address",
    ["1.0.0.0", "8.8.8.8", "100.63.255.255", "100.128.0.0", "192.88.98.255", "192.88.100.0", "198.20.0.0",
     "223.255.255.255", "2001:200::", "2001:db7:ffff::1", "2001:db9::", "2003::", "2606:4700::1111",
     "3ffe::1", "3fff:1000::"],
)  # fmt: skip
def test_the_internet_beside_them_may_be_reached(address: str):
    assert may_be_reached(ipaddress.ip_address(address))
