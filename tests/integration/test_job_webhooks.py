"""POST /jobs with a webhook: what is taken, what is refused, and that nothing of a refusal is kept."""

import io
import json

import pytest
from flask.testing import FlaskClient

from api.app import create_api
from shared.job_webhook import ENDS, BasicAuth
from shared.redis_api_keys import RedisApiKeys
from shared.redis_keys import Keys
from shared.redis_webhooks import RedisWebhooks
from shared.webhooks import NewEndpoint
from support.api_server import WAV
from support.outbox import SECRET, claim_all, outbox_of

HOOK = "https://93.184.216.34/hook?token=t"
SONG = "https://93.184.216.34/a.mp3"


@pytest.fixture
def client(settings, redis) -> FlaskClient:
    return create_api(settings).app.test_client()


@pytest.fixture
def webhooks(redis) -> RedisWebhooks:
    return RedisWebhooks(redis, Keys())


def upload(client: FlaskClient, headers=None, **parts):
    return client.post("/jobs", data={"file": (io.BytesIO(WAV), "song.wav")} | parts, headers=headers)


def by_url(client: FlaskClient, webhook, headers=None):
    return client.post("/jobs", json={"url": SONG, "webhook": webhook}, headers=headers)


def due_after_cancel(client, redis, response, headers=None):
    """The delivery that the end of the job wrote."""
    assert response.status_code == 202, response.get_json()
    client.post(response.get_json()["links"]["cancel"], headers=headers)
    return claim_all(outbox_of(redis))


def pointers(response, status: int = 422) -> list[str]:
    assert response.status_code == status, response.get_json()
    return [each["pointer"] for each in response.get_json()["errors"]]


def test_a_webhook_of_a_json_body_is_told_of_the_end(client, redis):
    asked = {
        "url": HOOK,
        "events": ["job.cancelled"],
        "secret": SECRET,
        "basic_auth": {"username": "radio", "password": "p"},
    }

    [due] = due_after_cancel(client, redis, by_url(client, asked))

    assert due.destination.url == HOOK
    assert due.destination.secrets == (SECRET,)
    assert due.destination.basic_auth == BasicAuth(username="radio", password="p")


def test_a_webhook_of_the_job_part_is_told_of_the_end(client, redis):
    response = upload(client, job=json.dumps({"webhook": {"url": HOOK}}))

    [due] = due_after_cancel(client, redis, response)

    assert due.destination.url == HOOK


def test_a_form_says_it_in_parts_of_its_own(client, redis):
    response = upload(
        client, webhook_url=HOOK, webhook_secret=SECRET, webhook_events="job.failed, job.cancelled"
    )

    [due] = due_after_cancel(client, redis, response)

    assert due.destination.url == HOOK
    assert due.destination.secrets == (SECRET,)


def test_events_that_were_not_asked_for_are_not_written(client, redis):
    assert (
        due_after_cancel(client, redis, upload(client, webhook_url=HOOK, webhook_events="job.failed")) == []
    )


@pytest.mark.parametrize("flat", [False, True])
def test_an_endpoint_is_named_by_its_id(client, redis, webhooks, flat):
    endpoint = webhooks.add("somebody", NewEndpoint(url=HOOK))
    asked = (
        {"webhook_endpoint": endpoint.id}
        if flat
        else {"job": json.dumps({"webhook": {"endpoint": endpoint.id}})}
    )

    [due] = due_after_cancel(client, redis, upload(client, **asked))

    assert (due.endpoint, due.destination.secrets) == (endpoint.id, (endpoint.secrets[0].text,))


def test_another_keys_endpoint_is_none(client, redis, webhooks):
    keys = RedisApiKeys(redis, Keys())
    key, text = keys.add("mine", ["submit", "read"])
    headers = {"Authorization": f"Bearer {text}"}
    mine = webhooks.add(key.caller, NewEndpoint(url=HOOK))
    others = webhooks.add("key:another", NewEndpoint(url=HOOK))

    assert pointers(by_url(client, {"endpoint": others.id}, headers)) == ["/webhook/endpoint"]
    assert len(due_after_cancel(client, redis, by_url(client, {"endpoint": mine.id}, headers), headers)) == 1


@pytest.mark.parametrize(
    ("webhook", "pointer"),
    [
        ({}, "/webhook"),
        ({"url": HOOK, "endpoint": "whe_" + "0" * 24}, "/webhook"),
        ({"endpoint": "whe_" + "0" * 24}, "/webhook/endpoint"),
        ({"endpoint": "../jobs"}, "/webhook/endpoint"),
        ({"url": 7}, "/webhook/url"),
        ({"url": HOOK, "events": []}, "/webhook/events"),
        ({"url": HOOK, "events": ["job.done"]}, "/webhook/events/0"),
        ({"url": HOOK, "events": ["job.failed", "job.failed"]}, "/webhook/events"),
        ({"url": HOOK, "secret": "whsec_c2hvcnQ="}, "/webhook/secret"),
        ({"url": HOOK, "secret": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "/webhook/secret"),
        ({"url": HOOK, "basic_auth": {"username": "a:b", "password": "p"}}, "/webhook/basic_auth/username"),
        ({"url": HOOK, "retries": 3}, "/webhook/retries"),
    ],
)
def test_what_cannot_be_done_is_refused_and_named(client, redis, webhook, pointer):
    assert pointers(by_url(client, webhook)) == [pointer]
    assert not redis.exists(Keys().active)


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("http://93.184.216.34/hook", "not https"),
        ("https://127.0.0.1/hook", "not on the public internet"),
        ("https://[::ffff:10.0.0.1]/hook", "not on the public internet"),
        ("https://169.254.169.254/latest", "not on the public internet"),
        ("https://user:word@93.184.216.34/hook", "user name or a password"),
        ("ftp://93.184.216.34/hook", "not https"),
        ("somewhere/else", "not absolute"),
    ],
)
@pytest.mark.parametrize("flat", [False, True])
def test_a_url_that_must_not_be_sent_to_is_refused_and_no_audio_is_kept(client, settings, url, detail, flat):
    asked = {"webhook_url": url} if flat else {"job": json.dumps({"webhook": {"url": url}})}

    response = upload(client, **asked)

    assert pointers(response) == ["/webhook_url" if flat else "/webhook/url"]
    assert response.get_json()["code"] == "url_blocked"
    assert detail in response.get_json()["detail"]
    assert url not in response.get_data(as_text=True)
    assert not list(settings.audio_dir.glob("job_*"))


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        ({"webhook_events": "job.failed"}, "/webhook"),
        ({"webhook_url": HOOK, "webhook_secret": "short"}, "/webhook_secret"),
        ({"webhook_url": HOOK, "webhook_events": "job.failed,job.done"}, "/webhook_events/1"),
        ({"webhook_url": HOOK, "webhook_events": ""}, "/webhook_events/0"),
        ({"webhook_url": ""}, "/webhook_url"),
        ({"webhook_endpoint": "whe_nobody"}, "/webhook_endpoint"),
        ({"webhook_url": b"https://\xff"}, "/webhook_url"),
        ({"webhook_url": HOOK, "job": '{"webhook": {"url": "' + HOOK + '"}}'}, "/webhook_url"),
    ],
)
def test_what_a_form_says_wrongly_is_named_by_its_part(client, settings, parts, pointer):
    assert pointers(upload(client, **parts)) == [pointer]
    assert not list(settings.audio_dir.glob("job_*"))


def test_a_job_shows_nothing_of_its_webhook(client, redis):
    body = by_url(client, {"url": HOOK, "secret": SECRET}).get_data(as_text=True)

    for secret in (SECRET, "token=t", "webhook"):
        assert secret not in body


def test_an_idempotency_key_holds_for_the_same_webhook_alone(client):
    headers = {"Idempotency-Key": "k"}
    first = by_url(client, {"url": HOOK}, headers)

    again = by_url(client, {"url": HOOK}, headers)
    other = by_url(client, {"url": f"{HOOK}&other"}, headers)

    assert again.get_json()["id"] == first.get_json()["id"]
    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency_key_reused")


def test_the_default_is_every_end(client, redis):
    job_id = by_url(client, {"url": HOOK}).get_json()["id"]

    assert redis.hget(Keys().job(job_id), "webhook_events").split() == list(ENDS)
