"""Who counts as one caller."""

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from api.caller import caller_of


def caller(address: str, *forwarded: str, proxies: int = 0) -> str:
    """Of a connection from that address, with what X-Forwarded-For says as a server hands it on."""
    headers = {"X-Forwarded-For": ",".join(forwarded)} if forwarded else {}
    builder = EnvironBuilder(headers=headers, environ_base={"REMOTE_ADDR": address})
    return caller_of(Request(builder.get_environ()), trusted_proxies=proxies)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("64:ff9b::192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("2001:db8:1:3::", "2001:db8:1:3::"),
        ("::1", "::"),
        ("fe80::1%eth0", "fe80::"),
        ("", "unknown"),
    ],
)
def test_an_address_is_a_caller_and_so_is_a_site_of_ipv6(address, name):
    assert caller(address) == name


def test_without_proxies_of_ours_nobody_says_who_he_is():
    assert caller("192.0.2.1", "198.51.100.7") == "192.0.2.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "name"),
    [
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "6.6.6.6, 198.51.100.7", "198.51.100.7"),
        (1, "6.6.6.6,198.51.100.7:4711", "198.51.100.7"),
        (1, "[2001:db8:1:2:3::1]:4711", "2001:db8:1:2::"),
        (1, "[2001:db8:1:2:3::1]", "2001:db8:1:2::"),
        (1, "2001:db8:1:2:3::1", "2001:db8:1:2::"),
        (1, "::ffff:198.51.100.7", "198.51.100.7"),
        (2, "6.6.6.6, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
    ],
)
def test_the_outermost_proxy_of_ours_says_who_asks(proxies, forwarded, name):
    assert caller("10.0.0.9", forwarded, proxies=proxies) == name


@pytest.mark.parametrize("trick", ['"', '6.6.6.6, "', '"6.6.6.6', "6.6.6.6\\", '6.6.6.6, "a\\', "6.6.6.6,,,"])
def test_what_a_client_writes_before_them_hides_nothing_that_our_proxies_add(trick):
    assert caller("10.0.0.9", trick, " 198.51.100.7", proxies=1) == "198.51.100.7"
    assert caller("10.0.0.9", trick, " 198.51.100.7", " 10.0.0.1", proxies=2) == "198.51.100.7"


def test_a_request_around_the_proxies_is_of_whoever_is_connected():
    assert caller("192.0.2.1", proxies=1) == "192.0.2.1"
    assert caller("192.0.2.1", "198.51.100.7", proxies=2) == "192.0.2.1"


@pytest.mark.parametrize("said", ["", "unknown", "_hidden", "198.51.100.7.1", "]", "a:b:c", "\xff"])
def test_who_is_no_address_is_unknown(said):
    assert caller("10.0.0.9", f"6.6.6.6,{said}", proxies=1) == "unknown"
