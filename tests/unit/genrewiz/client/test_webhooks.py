"""Whether a delivery is believed."""

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrewiz.client import WebhookError, verify_webhook

# The vector of Standard Webhooks.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SENT_AT = 1_614_265_330
BODY = b'{"test": 2432232314}'
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(SENT_AT),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
OTHER = "whsec_" + base64.b64encode(b"another secret of a receiver").decode()


def verify(headers=HEADERS, body=BODY, secret=SECRET, *, now=SENT_AT, **options):
    return verify_webhook(headers, body, secret, now=now, **options)


def signed(
    body: bytes, secret: str = SECRET, *, message: str = "msg_1", at: str = str(SENT_AT)
) -> dict[str, str]:
    """As a sender does it, written down once more."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message}.{at}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": message, "webhook-timestamp": at, "webhook-signature": signature}


def test_the_vector_of_the_standard_is_believed():
    assert verify() == {"test": 2432232314}


def test_header_names_are_of_any_case():
    assert verify({name.title(): value for name, value in HEADERS.items()}) == {"test": 2432232314}


def test_a_secret_without_its_prefix_is_the_same():
    assert verify(secret=SECRET.removeprefix("whsec_"))


def test_while_a_secret_is_replaced_either_is_believed_on_either_side():
    both = HEADERS | {
        "webhook-signature": f"{signed(BODY, OTHER)['webhook-signature']} {HEADERS['webhook-signature']}"
    }

    assert verify(both)
    assert verify(secret=[OTHER, SECRET])
    assert verify(secret=(SECRET, OTHER))
    with pytest.raises(WebhookError, match="signature"):
        verify(secret=OTHER)


def test_signatures_of_kinds_that_are_not_known_here_are_passed_over():
    right = HEADERS["webhook-signature"]

    assert verify(HEADERS | {"webhook-signature": f"v1a,xyz {right} v2,{right.removeprefix('v1,')}"})
    with pytest.raises(WebhookError, match="signature"):
        verify(HEADERS | {"webhook-signature": right.replace("v1,", "v1a,")})


@given(place=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
def test_a_body_that_differs_in_any_bit_is_not_believed(place, bit):
    tampered = bytearray(BODY)
    tampered[place] ^= 1 << bit

    with pytest.raises(WebhookError, match="signature"):
        verify(body=bytes(tampered))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", "msg_other"),
        ("webhook-timestamp", str(SENT_AT + 1)),
        ("webhook-signature", ""),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA="),
        ("webhook-signature", "v1 g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ("webhook-signature", "v1,ñ\ud800"),
    ],
)
def test_a_delivery_that_differs_from_what_was_signed_is_not_believed(name, value):
    with pytest.raises(WebhookError, match="signature"):
        verify(HEADERS | {name: value})


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_is_missing_is_named(name):
    with pytest.raises(WebhookError, match=name):
        verify({key: value for key, value in HEADERS.items() if key != name})


def test_an_old_delivery_is_not_believed_nor_one_from_the_future():
    assert verify(now=SENT_AT + 300)
    assert verify(now=SENT_AT - 300)
    assert verify(now=SENT_AT + 900, tolerance_seconds=900)
    with pytest.raises(WebhookError, match="too old"):
        verify(now=SENT_AT + 301)
    with pytest.raises(WebhookError, match="future"):
        verify(now=SENT_AT - 301)
    with pytest.raises(WebhookError, match="too old"):  # by the real clock
        verify_webhook(HEADERS, BODY, SECRET)


@pytest.mark.parametrize("at", ["", "now", "1614265330.5", "-1614265330", "١٦١٤٢٦٥٣٣٠", "9" * 5_000])
def test_a_timestamp_that_is_none_is_not_believed_even_where_it_was_signed(at):
    with pytest.raises(WebhookError, match="timestamp"):
        verify(signed(BODY, at=at))


@pytest.mark.parametrize("body", [b"", b"7", b"[]", b"{", b"\xff"])
def test_a_body_that_is_no_event_is_not_believed_even_where_it_was_signed(body):
    with pytest.raises(WebhookError, match="event"):
        verify(signed(body), body)


def secret_of(size: int) -> str:
    return "whsec_" + base64.b64encode(bytes(size)).decode()


@pytest.mark.parametrize("size", [24, 32, 64])
def test_a_secret_has_24_to_64_bytes(size):
    assert verify(signed(BODY, secret_of(size)), secret=secret_of(size))


@pytest.mark.parametrize("size", [1, 5, 23, 65])
def test_a_secret_that_is_shorter_or_longer_is_refused_with_its_rule(size):
    with pytest.raises(ValueError, match="24 to 64 bytes"):
        verify(signed(BODY, secret_of(size)), secret=secret_of(size))


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64!", [], ["whsec_"], [SECRET, ""]])
def test_a_secret_that_is_none_is_the_receivers_own_mistake_and_never_shown(secret):
    with pytest.raises(ValueError, match="secret") as caught:
        verify(secret=secret)

    assert not isinstance(caught.value, WebhookError)
    assert "not base64" not in str(caught.value)


def test_what_is_signed_here_is_what_other_senders_sign():
    body = json.dumps({"type": "job.succeeded", "data": {"id": "job_1", "name": "Ärzte"}}).encode()

    assert verify(signed(body), body)["data"]["id"] == "job_1"
