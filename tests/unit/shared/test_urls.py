"""URLs in their parts. Those that are refused stand in tests/unit/worker/test_fetch_egress.py."""

import pytest

from shared.errors import UrlBlocked
from shared.urls import parse_url


@pytest.mark.parametrize(
    ("text", "host", "port", "target", "shown"),
    [
        ("https://cdn.example", "cdn.example", 443, "/", "https://cdn.example/"),
        ("HTTPS://CDN.Example./a.mp3", "cdn.example", 443, "/a.mp3", "https://cdn.example/a.mp3"),
        ("https://cdn.example:443/a", "cdn.example", 443, "/a", "https://cdn.example/a"),
        ("http://cdn.example:8080/a", "cdn.example", 8080, "/a", "http://cdn.example:8080/a"),
        ("https://c.example/a?sig=%2F&x=a+b#t=1", "c.example", 443, "/a?sig=%2F&x=a+b", "https://c.example/a"),
        ("https://c.example?q", "c.example", 443, "/?q", "https://c.example/"),
        ("https://c.example/ü/音.mp3", "c.example", 443, "/%C3%BC/%E9%9F%B3.mp3",
         "https://c.example/%C3%BC/%E9%9F%B3.mp3"),
        ("https://bücher.example/", "xn--bcher-kva.example", 443, "/", "https://xn--bcher-kva.example/"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/",
         "https://xn--bcher-kva.example/"),
        ("https://[2606:4700:0::1111]:8/a", "2606:4700::1111", 8, "/a", "https://[2606:4700::1111]:8/a"),
        ("https://8.8.8.8/a", "8.8.8.8", 443, "/a", "https://8.8.8.8/a"),
        ("https://c.example//a/../b?x=//y@z", "c.example", 443, "//a/../b?x=//y@z", "https://c.example//a/../b"),
        ("https://4you.example/", "4you.example", 443, "/", "https://4you.example/"),
        ("https://1.2.3.4.example/", "1.2.3.4.example", 443, "/", "https://1.2.3.4.example/"),
    ],
)  # fmt: skip
def test_a_url_is_taken_apart_once(text, host, port, target, shown):
    url = parse_url(text)

    assert (url.host, url.port, url.target, url.shown) == (host, port, target, shown)


def test_what_is_printed_of_a_url_has_no_path_and_no_query():
    assert "secret" not in repr(parse_url("https://cdn.example/secret?sig=secret"))


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("b?y", "https://cdn.example/x/b?y"),
        ("/b", "https://cdn.example/b"),
        ("?y", "https://cdn.example/x/a?y"),
        ("//other.example/b", "https://other.example/b"),
        ("http://other.example/b", "http://other.example/b"),
        ("../../../b", "https://cdn.example/b"),
    ],
)
def test_a_relative_reference_is_that_of_the_url_it_stands_in(reference, meant):
    assert parse_url("https://cdn.example/x/a?sig#f").joined(reference) == meant


@pytest.mark.parametrize("reference", ["/a b", "/a\tb", "/\\evil.example", "\n//evil.example", "/a\x00"])
def test_a_reference_that_two_programs_could_read_in_two_ways_is_refused(reference):
    with pytest.raises(UrlBlocked):
        parse_url("https://cdn.example/").joined(reference)
