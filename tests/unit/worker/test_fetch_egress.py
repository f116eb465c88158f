"""Where a stranger's URL must never lead: each spelling, with a canary that nothing connected to it."""

import io
from collections.abc import Iterator, Sequence

import pytest

from shared.egress import EgressGuard
from shared.errors import FetchFailed, UrlBlocked
from shared.pinned_http import PinnedHttp
from shared.settings import Settings
from support.canary import Canary, canary
from support.web import Server, redirecting
from worker.fetch import Fetcher

# PORT is the IPv4 canary's and PORT6 the IPv6 canary's: what got through would be heard.
BAD_ADDRESSES = [
    # loopback and unspecified, plainly
    "http://127.0.0.1:PORT/",
    "http://127.1.2.3:PORT/",
    "http://0.0.0.0:PORT/",
    "http://0.1.2.3:PORT/",
    "http://[::1]:PORT6/",
    "http://[0:0:0:0:0:0:0:1]:PORT6/",
    "http://[::]:PORT6/",
    # dots
    "http://127.0.0.1.:PORT/",
    "http://127。0。0。1:PORT/",
    "http://127．0．0．1:PORT/",
    "http://127｡0｡0｡1:PORT/",
    # IDNA digits
    "http://１２７.0.0.1:PORT/",
    "http://①②⑦.⓪.⓪.①:PORT/",
    "http://𝟏𝟐𝟕.𝟎.𝟎.𝟏:PORT/",
    # private, link-local, shared, special
    "http://10.0.0.1:PORT/",
    "http://172.16.0.1:PORT/",
    "http://172.31.255.254:PORT/",
    "http://192.168.1.1:PORT/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1:PORT/",
    "http://100.100.100.200:PORT/",
    "http://192.0.0.170:PORT/",
    "http://192.0.2.1:PORT/",
    "http://192.88.99.1:PORT/",
    "http://198.18.0.1:PORT/",
    "http://198.51.100.1:PORT/",
    "http://203.0.113.1:PORT/",
    "http://224.0.0.1:PORT/",
    "http://239.255.255.250:PORT/",
    "http://240.0.0.1:PORT/",
    "http://255.255.255.255:PORT/",
    # IPv6 that carries IPv4: mapped, compatible, translated, NAT64, 6to4, Teredo
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::127.0.0.1]:PORT6/",
    "http://[::7f00:1]:PORT6/",
    "http://[::ffff:0:127.0.0.1]:PORT6/",
    "http://[64:ff9b::127.0.0.1]:PORT6/",
    "http://[64:ff9b::7f00:1]:PORT6/",
    "http://[64:ff9b:1::127.0.0.1]:PORT6/",
    "http://[2002:7f00:1::]:PORT6/",
    "http://[2002:a00:1::1]:PORT6/",
    "http://[2001::7f00:1]:PORT6/",
    "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]:PORT6/",
    # IPv6 that is nobody's on the internet
    "http://[2001:2::1]:PORT6/",
    "http://[2001:10::1]:PORT6/",
    "http://[2001:20::1]:PORT6/",
    "http://[2001:db8::1]:PORT6/",
    "http://[3fff::1]:PORT6/",
    "http://[5f00::1]:PORT6/",
    "http://[100::1]:PORT6/",
    "http://[4000::1]:PORT6/",
    "http://[fc00::1]:PORT6/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]:PORT6/",
    "http://[fec0::1]:PORT6/",
    "http://[ff02::1]:PORT6/",
]
# Refused whatever the operator allows: two programs could read each of these in two ways.
BAD_SPELLINGS = [
    # decimal, octal, hexadecimal, short and mixed
    "http://2130706433:PORT/",
    "http://017700000001:PORT/",
    "http://0x7f000001:PORT/",
    "http://0x7F.0x0.0x0.0x1:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://0177.0000.0000.0001:PORT/",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://0:PORT/",
    "http://0x:PORT/",
    "http://127.0.0.0x1:PORT/",
    "http://127.0.0.01:PORT/",
    "http://127.0.0.1.1:PORT/",
    "http://127.0.0.256:PORT/",
    "http://4294967297:PORT/",
    "http://name.example.127:PORT/",
    # dots
    "http://127.0.0.1..:PORT/",
    "http://.127.0.0.1:PORT/",
    "http://127..0.1:PORT/",
    # IDNA digits
    "http://²130706433:PORT/",
    # zone ids, and brackets around what is no address
    "http://[fe80::1%25eth0]:PORT6/",
    "http://[fe80::1%eth0]:PORT6/",
    "http://[::1%25lo]:PORT6/",
    "http://[127.0.0.1]:PORT/",
    "http://[v1.127.0.0.1]:PORT/",
    "http://[::1:PORT6/",
    "http://::1:PORT6/",
    # user info
    "http://user@127.0.0.1:PORT/",
    "http://good.example@127.0.0.1:PORT/",
    "http://good.example:443@127.0.0.1:PORT/",
    "http://127.0.0.1:PORT@good.example/",
    "http://@good.example:PORT/",
    # schemes
    "file:///etc/passwd",
    "ftp://good.example:PORT/",
    "gopher://127.0.0.1:PORT/_GET",
    "unix:///run/redis.sock",
    "data:audio/wav;base64,UklGRg==",
    "javascript:alert(1)",
    "jar:http://127.0.0.1:PORT/!/a",
    "//127.0.0.1:PORT/",
    "127.0.0.1:PORT/",
    "http:127.0.0.1:PORT/",
    "http:/127.0.0.1:PORT/",
    "http:///127.0.0.1:PORT/",
    "",
    # white space, control characters, backslashes, percent signs in the host
    " http://127.0.0.1:PORT/",
    "http://127.0.0.1:PORT/ ",
    "http://127.0.0.1:PORT/\n",
    "ht\ntp://127.0.0.1:PORT/",
    "http://good.example\t@127.0.0.1:PORT/",
    "http://good.example\r\nHost: x:PORT/",
    "http://good.example\x00.127.0.0.1:PORT/",
    "http://good.example/\u2028",
    "http://good.example\\@127.0.0.1:PORT/",
    "http:\\\\127.0.0.1:PORT\\",
    "http://127.0.0.1%2f.good.example:PORT/",
    "http://%31%32%37.0.0.1:PORT/",
    "http://good.example%00:PORT/",
    # hosts and ports that cannot be
    "http://",
    "http://:PORT/",
    "http://./",
    "http://../",
    "http://good.example:0/",
    "http://good.example:65536/",
    "http://good.example:99999/",
    "http://good.example:-1/",
    "http://good.example:PORT:PORT/",
    "http://good.example:/:PORT",
    "http://good.example:８０/",
    "http://good_host.example:PORT/",
    "http://-good.example:PORT/",
    "http://xn--a.example:PORT/",
    "http://" + "a" * 64 + ".example:PORT/",
    "http://" + "a." * 130 + "example:PORT/",
    "http://good\u200d.example:PORT/",
    "http://good!.example:PORT/",
    "http://*.example:PORT/",
    "http://good.example:PORT/" + "a" * 2_048,
]

# What the DNS answers of a name. One bad address is enough, wherever it stands.
BAD_ANSWERS = [
    ["127.0.0.1"],
    ["::1"],
    ["10.0.0.1"],
    ["169.254.169.254"],
    ["8.8.8.8", "127.0.0.1"],
    ["127.0.0.1", "8.8.8.8"],
    ["8.8.8.8", "2606:4700::1111", "fd00::1"],
    ["8.8.8.8", "::ffff:127.0.0.1"],
    ["::127.0.0.1"],
    ["64:ff9b::7f00:1"],
    ["2002:7f00:1::"],
    ["fe80::1%lo"],
    ["0.0.0.0"],
    ["8.8.8.8", "224.0.0.1"],
]

GOOD = "8.8.8.8"
HTTP = PinnedHttp()


class Dns:
    """Answers one after another; the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, *, seconds: float) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def make_fetcher(dns: Dns, **settings) -> Fetcher:
    made = Settings(**{"egress_http": True, **settings})
    guard = EgressGuard(http=made.egress_http, allow=made.egress_allow, resolve=dns)
    return Fetcher(guard=guard, http=HTTP, settings=made)


def fetch(fetcher: Fetcher, url: str):
    return fetcher.fetch(url, io.BytesIO(), on_step=lambda: None)


@pytest.fixture
def bird() -> Iterator[Canary]:
    with canary() as bird:
        yield bird


def placed(url: str, bird: Canary) -> str:
    return url.replace("PORT6", str(bird.v6.port)).replace("PORT", str(bird.v4.port))


def test_the_table_is_long():
    table = [*BAD_ADDRESSES, *BAD_SPELLINGS]

    assert len(set(table)) == len(table) >= 60


@pytest.mark.parametrize("url", BAD_ADDRESSES, ids=ascii)
def test_an_address_that_leads_inside_is_blocked_and_nothing_connects(bird: Canary, url: str):
    with pytest.raises(UrlBlocked, match="public internet") as caught:
        fetch(make_fetcher(Dns([GOOD])), placed(url, bird))

    assert bird.is_quiet()
    assert "127" not in caught.value.detail


@pytest.mark.parametrize("url", BAD_SPELLINGS, ids=ascii)
def test_a_spelling_that_leads_elsewhere_is_blocked_and_nothing_connects(bird: Canary, url: str):
    # Every name is a canary's in here, and its network is allowed: only the spelling stands in between.
    fetcher = make_fetcher(Dns(["127.0.0.1"]), egress_allow="127.0.0.0/8,::1/128")

    with pytest.raises(UrlBlocked) as caught:
        fetch(fetcher, placed(url, bird))

    assert bird.is_quiet()
    assert "example" not in caught.value.detail


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://a:b@good.example/", "user name"),
        ("http://%31.example/", "percent sign"),
        ("http://0x7f.1/", "ends in a number"),
        ("http://good.example/\t", "white space"),
        ("http://good.example\\", "backslash"),
        ("http://good.example:0/", "port"),
        ("gopher://good.example/", "scheme"),
        ("//good.example/", "absolute"),
        ("http:///a", "no host"),
        ("http://[::g]/", "cannot be read"),
        ("http://good_host.example/", "no name that the DNS knows"),
        ("http://good.example/" + "a" * 2_048, "2048 characters"),
    ],
)
def test_what_is_wrong_with_a_url_is_said(url: str, sentence: str):
    with pytest.raises(UrlBlocked, match=sentence):
        fetch(make_fetcher(Dns([GOOD])), url)


@pytest.mark.parametrize("answer", BAD_ANSWERS, ids=" ".join)
def test_a_name_with_any_bad_address_is_blocked_and_nothing_connects(bird: Canary, answer: list[str]):
    with pytest.raises(UrlBlocked, match="public internet"):
        fetch(make_fetcher(Dns(answer)), f"http://name.example:{bird.v4.port}/")

    assert bird.is_quiet()


def test_plain_http_is_blocked_unless_it_is_allowed(bird: Canary):
    with pytest.raises(UrlBlocked, match="https"):
        fetch(
            make_fetcher(Dns([GOOD]), egress_http=False, egress_allow="127.0.0.0/8"),
            f"http://127.0.0.1:{bird.v4.port}/",
        )

    assert bird.is_quiet()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:PORT/a.wav",
        "http://127.0.0.1.:PORT/a.wav",
        "http://name.example:PORT/a.wav?x=1#y",
        "http://NAME.Example.:PORT/a.wav",
        "http://ｎａｍｅ.example:PORT/a.wav",
        "http://bücher.example:PORT/a b.wav".replace(" ", "%20"),
        "http://[::ffff:127.0.0.1]:PORT/a.wav",
    ],
)
def test_the_canary_sings_where_the_operator_allows_its_network(bird: Canary, url: str):
    fetched = fetch(make_fetcher(Dns(["127.0.0.1"]), egress_allow="127.0.0.0/8"), placed(url, bird))

    assert fetched.bytes > 44
    assert [address[:2] for address in bird.connects] == [("127.0.0.1", bird.v4.port)]


def test_the_ipv6_canary_sings_too(bird: Canary):
    fetch(make_fetcher(Dns([GOOD]), egress_allow="::1/128"), f"http://[::1]:{bird.v6.port}/a.wav")

    assert bird.v6.accepted == 1


@pytest.mark.parametrize("address", ["0.0.0.0", "[::]", "224.0.0.1", "[ff02::1]", "255.255.255.255"])
def test_what_is_no_host_stays_blocked_whatever_the_operator_allows(bird: Canary, address: str):
    with pytest.raises(UrlBlocked):
        fetch(make_fetcher(Dns([GOOD]), egress_allow="0.0.0.0/0,::/0"), f"http://{address}:{bird.v4.port}/")

    assert bird.is_quiet()


def test_a_network_that_is_allowed_allows_no_other(bird: Canary):
    with pytest.raises(UrlBlocked):
        fetch(make_fetcher(Dns([GOOD]), egress_allow="127.0.0.2/32"), f"http://127.0.0.1:{bird.v4.port}/")

    assert bird.is_quiet()


def test_a_name_that_changes_between_check_and_connect_is_connected_to_as_it_was_checked(bird: Canary):
    with Server(lambda connection, _: connection.close(), host="127.0.0.2") as elsewhere:
        # The second answer, were anybody to ask again, is the canary.
        dns = Dns(["127.0.0.2"], ["127.0.0.1"])

        with pytest.raises(FetchFailed):
            fetch(make_fetcher(dns, egress_allow="127.0.0.2/32"), f"http://name.example:{elsewhere.port}/")

        assert elsewhere.accepted == 1
    assert len(dns.asked) == 1
    assert bird.v4.accepted == 0
    assert {address[0] for address in bird.connects} == {"127.0.0.2"}


def test_a_name_that_changes_between_two_checks_is_blocked_at_the_second(bird: Canary):
    guard = EgressGuard(http=True, allow=(), resolve=Dns([GOOD], ["127.0.0.1"]))
    url = f"http://name.example:{bird.v4.port}/"
    guard.check(url)

    with pytest.raises(UrlBlocked):
        Fetcher(guard=guard, http=HTTP, settings=Settings()).fetch(url, io.BytesIO(), on_step=lambda: None)

    assert bird.is_quiet()


BAD_REDIRECTS = [
    "http://127.0.0.1:PORT/",
    "//127.0.0.1:PORT/",
    "http://[::1]:PORT6/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://2130706433:PORT/",
    "http://0x7f.1:PORT/",
    "http://localhost.example:PORT/",
    "http://a@127.0.0.1:PORT/",
    "http://127.0.0.1:PORT\\@name.example/",
    "/\\127.0.0.1:PORT/",
    "ht\ttp://127.0.0.1:PORT/",
    "file:///etc/passwd",
    "ftp://127.0.0.1:PORT/",
    "gopher://127.0.0.1:PORT/",
    "data:audio/wav,RIFF",
    "http://169.254.169.254/",
]


@pytest.mark.parametrize("location", BAD_REDIRECTS, ids=ascii)
def test_a_redirect_that_leads_inside_is_blocked_and_nothing_connects(bird: Canary, location: str):
    with Server(redirecting(placed(location, bird)), host="127.0.0.2") as public:
        dns = Dns(["127.0.0.2"], ["127.0.0.1"])  # the first server is "public" here, the second is not

        with pytest.raises(UrlBlocked):
            fetch(make_fetcher(dns, egress_allow="127.0.0.2/32"), f"http://name.example:{public.port}/")

        assert public.accepted == 1
    assert bird.v4.accepted == bird.v6.accepted == 0
    assert {address[0] for address in bird.connects} == {"127.0.0.2"}


def test_a_redirect_to_plain_http_is_blocked_unless_that_is_allowed():
    guard = EgressGuard(http=False, allow=(), resolve=Dns([GOOD]))
    url = guard.check("https://name.example/a").url

    with pytest.raises(UrlBlocked, match="https"):
        guard.check(url.joined("http://name.example/a"))
