"""/webhook-deliveries: what was sent and what came of it, page by page, and sending it once more."""

from urllib.parse import parse_qs, urlsplit

import pytest
import structlog.testing
from flask.testing import FlaskClient

import api.webhooks
from api.app import create_api
from shared.api_keys import RIGHTS
from shared.redis_api_keys import RedisApiKeys
from shared.redis_keys import Keys
from shared.redis_outbox import RedisOutbox
from shared.redis_webhooks import RedisWebhooks
from shared.webhooks import NewEndpoint
from support.outbox import SECRET, answered, claim_all, claim_one, outbox_of, unanswered
from support.webhook_api import (
    HOOK,
    UNKNOWN_DELIVERY,
    UNKNOWN_ENDPOINT,
    bearer,
    code_of,
    make_endpoint,
    places,
    tell,
)

OF_A_DELIVERY = [("GET", ""), ("POST", "/redeliver")]
INLINE = {"url": HOOK, "secret": SECRET}
FAR = 3_600


@pytest.fixture
def client(settings, redis) -> FlaskClient:
    return create_api(settings).app.test_client()


@pytest.fixture
def outbox(redis) -> RedisOutbox:
    return outbox_of(redis)


@pytest.fixture
def keys(redis) -> RedisApiKeys:
    return RedisApiKeys(redis, Keys())


def get(client: FlaskClient, delivery: str) -> dict:
    return client.get(f"/webhook-deliveries/{delivery}").get_json()


def listed(client: FlaskClient, query: str = "", key: str | None = None) -> list[str]:
    """The ids of all pages, by their links."""
    found, path = [], f"/webhook-deliveries?{query}"
    while path:
        response = client.get(path, headers=bearer(key))
        assert response.status_code == 200, response.get_json()
        body = response.get_json()
        found += [each["id"] for each in body["deliveries"]]
        assert len(set(found)) == len(found)
        link = response.headers.get("Link")
        assert (link is None) is (body["next_cursor"] is None)
        path = link.partition(">")[0].removeprefix("<") if link else ""
    return found


def test_a_delivery_tells_what_is_sent_and_each_attempt_and_of_a_jobs_own_url_no_query(client, outbox):
    delivery = tell(client, INLINE)
    waiting = get(client, delivery)
    due = claim_one(outbox)
    outbox.record(due, unanswered(due), retry_seconds=FAR)

    body = get(client, delivery)

    job = f"job_{delivery.split('_')[1]}"
    assert (waiting["status"], waiting["attempts_made"], waiting["attempts"]) == ("pending", 0, [])
    assert waiting["next_attempt_at"] == waiting["created_at"]
    assert (body["id"], body["job"], body["event"], body["sequence"]) == (due.id, job, "job.cancelled", 1)
    assert (body["endpoint"], body["url"]) == (None, "https://93.184.216.34/hook")
    assert body["links"] == {
        "self": f"/webhook-deliveries/{delivery}",
        "redeliver": f"/webhook-deliveries/{delivery}/redeliver",
        "job": f"/jobs/{job}",
    }
    assert client.get(body["links"]["job"]).get_json()["id"] == job
    assert (body["status"], body["attempts_made"], body["finished_at"]) == ("pending", 1, None)
    assert body["next_attempt_at"] > body["created_at"]
    [attempt] = body["attempts"]
    assert attempt["number"] == 1
    assert (attempt["status_code"], attempt["reply"], attempt["error"]["code"]) == (None, None, "timeout")


def test_a_delivery_that_has_arrived_says_what_the_receiver_said(client, outbox):
    endpoint = make_endpoint(client)
    delivery = tell(client, {"endpoint": endpoint["id"]})
    due = claim_one(outbox)
    outbox.record(due, answered(due, 204), retry_seconds=FAR)

    body = get(client, delivery)

    assert (body["status"], body["failed_because"], body["next_attempt_at"]) == ("delivered", None, None)
    assert body["finished_at"] >= body["created_at"]
    assert (body["endpoint"], body["url"]) == (endpoint["id"], HOOK)
    [attempt] = body["attempts"]
    assert (attempt["status_code"], attempt["error"], attempt["reply"]) == (204, None, "hello")
    assert attempt["duration_seconds"] == 0.1


def test_a_delivery_in_a_list_is_the_one_that_is_shown_by_itself_without_its_attempts(client, outbox):
    delivery = tell(client, INLINE)
    due = claim_one(outbox)
    outbox.record(due, answered(due, 500), retry_seconds=FAR)

    response = client.get("/webhook-deliveries")

    alone = get(client, delivery)
    assert alone.pop("attempts")
    assert response.get_json() == {"deliveries": [alone], "next_cursor": None}
    assert response.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_are_followed_by_their_links_from_the_newest_to_the_oldest(client, limit):
    told = [tell(client, INLINE) for _ in range(5)]

    assert listed(client, f"limit={limit}") == told[::-1]


def test_a_list_is_of_what_was_asked_for(client, outbox):
    endpoint, other = make_endpoint(client), make_endpoint(client)
    arrived = tell(client, {"endpoint": endpoint["id"]})
    due = claim_one(outbox)
    outbox.record(due, answered(due, 204), retry_seconds=None)
    failed = tell(client, {"endpoint": endpoint["id"]})
    due = claim_one(outbox)
    outbox.record(due, answered(due, 500), retry_seconds=None)
    waits, elsewhere, inline = (
        tell(client, webhook) for webhook in ({"endpoint": endpoint["id"]}, {"endpoint": other["id"]}, INLINE)
    )

    assert listed(client) == [inline, elsewhere, waits, failed, arrived]
    assert listed(client, f"endpoint={endpoint['id']}&limit=1") == [waits, failed, arrived]
    assert listed(client, "status=pending&limit=2") == [inline, elsewhere, waits]
    assert listed(client, "status=delivered") == [arrived]
    assert listed(client, f"endpoint={endpoint['id']}&status=failed") == [failed]
    since = get(client, elsewhere)["created_at"].replace("Z", "%2B00:00")
    assert set(listed(client, f"since={since}&limit=1")) >= {inline}
    assert waits not in listed(client, "since=2100-01-01T00:00:00Z")
    assert len(listed(client, "since=2020-01-01T00:00:00Z&limit=1")) == 5
    assert listed(client, endpoint["links"]["deliveries"].partition("?")[2]) == [waits, failed, arrived]


def test_a_cursor_is_stable_while_deliveries_come_end_and_go(client, redis, outbox):
    told = [tell(client, INLINE) for _ in range(6)]
    first = client.get("/webhook-deliveries?limit=2")
    assert [each["id"] for each in first.get_json()["deliveries"]] == told[:3:-1]

    tell(client, INLINE)  # newer than all that was shown
    for due in claim_all(outbox):
        outbox.record(due, answered(due), retry_seconds=None)
    for gone in (told[4], told[2]):  # at the one the page has ended
        redis.delete(Keys().delivery(gone))
    rest = listed(client, f"cursor={first.get_json()['next_cursor']}")

    assert rest == [told[3], told[1], told[0]]


def test_the_link_to_the_next_page_asks_for_the_same(client):
    endpoint = make_endpoint(client)
    for _ in range(3):
        tell(client, {"endpoint": endpoint["id"]})

    response = client.get(
        f"/webhook-deliveries?endpoint={endpoint['id']}&status=pending&since=2020-01-01T00:00:00Z&limit=2"
    )

    query = parse_qs(urlsplit(response.headers["Link"].partition(">")[0]).query)
    assert query == {
        "endpoint": [endpoint["id"]],
        "status": ["pending"],
        "since": ["2020-01-01T00:00:00+00:00"],
        "limit": ["2"],
        "cursor": [response.get_json()["next_cursor"]],
    }


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("endpoint=whe_1", ["endpoint"]),
        ("status=succeeded", ["status"]),
        ("since=yesterday", ["since"]),
        ("since=2026-11-23T19:00:00", ["since"]),
        ("since=1795000000", ["since"]),
        ("limit=0", ["limit"]),
        ("limit=101", ["limit"]),
        ("cursor=x", ["cursor"]),
        ("cursor=MTc5NTAwMDAwMC4wIGpvYl81ZjFkN2E5YzNiMmU0ZDZmOGEwYjFjMmQ", ["cursor"]),  # of a job
        ("status=failed&status=failed", ["status"]),
        ("event=job.failed&limit=x", ["event", "limit"]),
    ],
)
def test_a_query_that_is_wrong_is_refused_and_names_each_parameter(client, query, wrong):
    response = client.get(f"/webhook-deliveries?{query}")

    assert code_of(response) == (422, "invalid_request")
    assert places(response) == wrong


def test_deliveries_at_an_endpoint_that_there_is_not_are_404(client):
    response = client.get(f"/webhook-deliveries?endpoint={UNKNOWN_ENDPOINT}")

    assert code_of(response) == (404, "unknown_endpoint")


@pytest.mark.parametrize("status", [204, 500])
def test_a_delivery_that_has_ended_is_sent_once_more_under_its_id(client, outbox, status):
    delivery = tell(client, INLINE)
    due = claim_one(outbox)
    outbox.record(due, answered(due, status), retry_seconds=None)

    response = client.post(f"/webhook-deliveries/{delivery}/redeliver")

    body = response.get_json()
    assert (response.status_code, body["id"], body["status"]) == (202, delivery, "pending")
    assert response.headers["Location"] == body["links"]["self"]
    assert (body["failed_because"], body["finished_at"], len(body["attempts"])) == (None, None, 1)
    again = claim_one(outbox)
    assert (again.id, again.number, again.body) == (delivery, 2, due.body)
    assert again.retry_reason == "redelivery"


def test_what_was_for_a_disabled_endpoint_is_not_sent_again_until_it_is_enabled(client, outbox, redis):
    endpoint = RedisWebhooks(redis, Keys()).add("somebody", NewEndpoint(url="https://93.184.216.34/hook"))
    delivery = tell(client, {"endpoint": endpoint.id})
    test = client.post(f"/webhook-endpoints/{endpoint.id}/test").get_json()["id"]
    for due in claim_all(outbox):
        outbox.record(due, answered(due, 410), retry_seconds=None)

    refused = client.post(f"/webhook-deliveries/{delivery}/redeliver")
    tested = client.post(f"/webhook-deliveries/{test}/redeliver")
    client.patch(f"/webhook-endpoints/{endpoint.id}", json={"enabled": True})
    accepted = client.post(f"/webhook-deliveries/{delivery}/redeliver")

    assert (refused.status_code, refused.get_json()["code"]) == (409, "endpoint_disabled")
    assert (tested.status_code, accepted.status_code) == (202, 202)


def test_a_delivery_that_waits_is_due_at_once_and_one_that_is_being_sent_once_more_unless_it_arrives(
    client, outbox
):
    delivery = tell(client, INLINE)
    due = claim_one(outbox)
    in_flight = client.post(f"/webhook-deliveries/{delivery}/redeliver")
    assert in_flight.status_code == 202
    assert claim_all(outbox) == []
    outbox.record(due, answered(due, 500), retry_seconds=FAR)
    [wanted] = claim_all(outbox)
    outbox.record(wanted, answered(wanted, 500), retry_seconds=FAR)
    assert claim_all(outbox) == []

    client.post(f"/webhook-deliveries/{delivery}/redeliver")

    assert claim_one(outbox).id == delivery


@pytest.mark.parametrize(("method", "path"), OF_A_DELIVERY)
@pytest.mark.parametrize("id_text", [UNKNOWN_DELIVERY, f"{UNKNOWN_DELIVERY}_1", "msg_1", f"job_{0:024}", "*"])
def test_a_delivery_that_there_is_not_is_404(client, method, path, id_text):
    response = client.open(f"/webhook-deliveries/{id_text}{path}", method=method)

    assert code_of(response) == (404, "unknown_delivery")


@pytest.mark.parametrize(("method", "path"), OF_A_DELIVERY)
@pytest.mark.parametrize("is_inline", [True, False])
def test_another_keys_delivery_is_404_and_is_not_sent_again(client, outbox, keys, method, path, is_inline):
    (_, mine), (_, other) = keys.add("mine", RIGHTS), keys.add("other", RIGHTS)
    webhook = INLINE if is_inline else {"endpoint": make_endpoint(client, mine)["id"]}
    delivery = tell(client, webhook, mine)
    due = claim_one(outbox)
    outbox.record(due, answered(due), retry_seconds=None)
    unknown = client.open(
        f"/webhook-deliveries/{UNKNOWN_DELIVERY}{path}", method=method, headers=bearer(other)
    )

    response = client.open(f"/webhook-deliveries/{delivery}{path}", method=method, headers=bearer(other))

    assert code_of(response) == code_of(unknown) == (404, "unknown_delivery")
    assert response.get_json()["detail"] == unknown.get_json()["detail"]
    assert claim_all(outbox) == []
    ours = client.open(f"/webhook-deliveries/{delivery}{path}", method=method, headers=bearer(mine))
    assert ours.status_code in (200, 202)


def test_with_keys_a_list_is_of_the_key_that_asks_also_where_another_endpoint_is_named(client, keys):
    (_, mine), (_, other) = keys.add("mine", RIGHTS), keys.add("other", RIGHTS)
    endpoint = make_endpoint(client, mine)
    delivery = tell(client, {"endpoint": endpoint["id"]}, mine)
    query = f"endpoint={endpoint['id']}"

    assert listed(client, query, mine) == listed(client, "", mine) == [delivery]
    assert listed(client, "", other) == []
    refused = client.get(f"/webhook-deliveries?{query}", headers=bearer(other))
    assert code_of(refused) == (404, "unknown_endpoint")


def test_without_keys_the_id_of_a_delivery_or_an_endpoint_is_enough(client):
    endpoint = make_endpoint(client)
    delivery = tell(client, {"endpoint": endpoint["id"]})
    elsewhere = {"REMOTE_ADDR": "198.51.100.9"}

    assert client.get(f"/webhook-deliveries/{delivery}", environ_base=elsewhere).status_code == 200
    at_it = client.get(f"/webhook-deliveries?endpoint={endpoint['id']}", environ_base=elsewhere)
    assert [each["id"] for each in at_it.get_json()["deliveries"]] == [delivery]
    of_that_address = client.get("/webhook-deliveries", environ_base=elsewhere)
    assert of_that_address.get_json()["deliveries"] == []


def test_what_is_asked_for_is_logged_under_the_name_that_the_dispatcher_has_for_it(
    client, outbox, monkeypatch
):
    monkeypatch.setattr(api.webhooks, "log", structlog.get_logger("test"))
    endpoint = make_endpoint(client)["id"]
    with structlog.testing.capture_logs() as lines:
        delivery = client.post(f"/webhook-endpoints/{endpoint}/test").get_json()["id"]
        due = claim_one(outbox)
        outbox.record(due, answered(due), retry_seconds=None)
        assert client.post(f"/webhook-deliveries/{delivery}/redeliver").status_code == 202

    told = [(line["event"], line["endpoint"]) for line in lines if line.get("delivery_id") == delivery]
    assert told == [("webhook test asked for", endpoint), ("webhook redelivery asked for", endpoint)]


def test_a_client_that_takes_no_json_is_told_406_and_nothing_is_sent_again(client, outbox):
    delivery = tell(client, INLINE)
    due = claim_one(outbox)
    outbox.record(due, answered(due), retry_seconds=None)

    for method, path in [("GET", ""), ("GET", f"/{delivery}"), ("POST", f"/{delivery}/redeliver")]:
        response = client.open(f"/webhook-deliveries{path}", method=method, headers={"Accept": "text/html"})
        assert code_of(response) == (406, "not_acceptable")

    assert claim_all(outbox) == []


def test_a_head_is_a_get_without_its_body(client):
    delivery = tell(client, INLINE)

    for path in ("", f"/{delivery}"):
        asked, head = (getattr(client, method)(f"/webhook-deliveries{path}") for method in ("get", "head"))
        assert (head.status_code, head.data) == (200, b"")
        assert head.headers["Content-Length"] == asked.headers["Content-Length"]
