"""Secrets and signatures, held against the specification's own vector and the public verifier."""

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as some
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from shared.webhook_secrets import MAX_BYTES, MIN_BYTES, PREFIX, is_secret, new_secret, signatures

VECTOR_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def secret_of(key: bytes) -> str:
    return PREFIX + base64.b64encode(key).decode()


secrets_that_sign = some.binary(min_size=MIN_BYTES, max_size=MAX_BYTES).map(secret_of)
bodies = some.text().map(str.encode)  # the public verifier reads them as UTF-8
ids = some.from_regex(r"msg_[0-9a-f]{24}(_[1-9][0-9]{0,3})?", fullmatch=True)


def headers_of(*of_secrets: str, webhook_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures(of_secrets, webhook_id=webhook_id, timestamp=timestamp, body=body),
    }


def is_believed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, headers, json_parse=False)
    except WebhookVerificationError:
        return False
    return True


def test_the_signature_of_the_specifications_vector_is_the_one_that_it_gives():
    made = signatures(
        [VECTOR_SECRET],
        webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )

    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(secrets_that_sign, ids, bodies)
def test_the_public_verifier_believes_what_we_sign(secret, webhook_id, body):
    headers = headers_of(secret, webhook_id=webhook_id, timestamp=int(time.time()), body=body)

    assert is_believed(secret, headers, body)


@given(some.lists(secrets_that_sign, min_size=2, max_size=4, unique=True), ids, bodies)
def test_while_a_secret_rotates_each_of_the_signatures_is_believed(of_secrets, webhook_id, body):
    headers = headers_of(*of_secrets, webhook_id=webhook_id, timestamp=int(time.time()), body=body)

    assert len(headers["webhook-signature"].split(" ")) == len(of_secrets)
    assert all(is_believed(secret, headers, body) for secret in of_secrets)


@given(secrets_that_sign, secrets_that_sign, ids, bodies)
def test_another_secret_does_not_believe_it(secret, other, webhook_id, body):
    headers = headers_of(secret, webhook_id=webhook_id, timestamp=int(time.time()), body=body)

    assert is_believed(other, headers, body) == (other == secret)


@given(secrets_that_sign, ids, some.binary(min_size=1).map(bytes.hex).map(str.encode), some.data())
def test_a_changed_byte_of_the_body_is_refused(secret, webhook_id, body, data):
    headers = headers_of(secret, webhook_id=webhook_id, timestamp=int(time.time()), body=body)
    place = data.draw(some.integers(min_value=0, max_value=len(body) - 1))
    changed = body[:place] + b"x" + body[place + 1 :]

    assert not is_believed(secret, headers, changed)
    assert not is_believed(secret, headers, body + b" ")


@given(secrets_that_sign, ids, bodies, some.integers(min_value=-250, max_value=250).filter(bool))
def test_a_changed_id_or_time_is_refused(secret, webhook_id, body, later):
    now = int(time.time())
    headers = headers_of(secret, webhook_id=webhook_id, timestamp=now, body=body)

    assert not is_believed(secret, {**headers, "webhook-id": f"{webhook_id}0"}, body)
    assert not is_believed(secret, {**headers, "webhook-timestamp": str(now + later)}, body)


def test_a_new_secret_signs_and_is_another_one_each_time():
    made = {new_secret() for _ in range(100)}

    assert len(made) == 100
    assert all(map(is_secret, made))


@pytest.mark.parametrize(
    ("size", "is_one"), [(0, False), (23, False), (24, True), (64, True), (65, False), (1_000, False)]
)
def test_a_secret_is_as_long_as_the_specification_wants_it(size, is_one):
    assert is_secret(secret_of(bytes(size))) == is_one


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        base64.b64encode(bytes(32)).decode(),
        f"WHSEC_{base64.b64encode(bytes(32)).decode()}",
        f"whsec_{base64.b64encode(bytes(32)).decode()[:-1]}",
        f"whsec_{base64.urlsafe_b64encode(b'?' * 32).decode()}",
        f"whsec_{base64.b64encode(bytes(32)).decode()}\n",
        f"whsec_{'ä' * 40}",
    ],
    ids=["nothing", "prefix", "no prefix", "capitals", "no padding", "url-safe", "line end", "no Base64"],
)
def test_what_is_no_base64_behind_the_prefix_is_no_secret(text):
    assert not is_secret(text)
