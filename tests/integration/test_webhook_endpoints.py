"""/webhook-endpoints: receivers are made, shown, changed and tried; their secrets are shown once."""

import json
import re

import pytest
from flask.testing import FlaskClient

from api.app import create_api
from shared.api_keys import RIGHTS
from shared.errors import FetchFailed
from shared.job_webhook import ENDS, BasicAuth
from shared.redis_api_keys import RedisApiKeys
from shared.redis_keys import Keys
from shared.redis_webhooks import MAX_ENDPOINTS, ROTATION_SECONDS, RedisWebhooks
from shared.webhook_requests import parse_moment
from shared.webhook_secrets import is_secret
from support.api_server import api_serving
from support.outbox import SECRET, answered, claim_all, claim_one, outbox_of
from support.redis_server import redis_serving
from support.waiting import eventually
from support.webhook_api import (
    HOOK,
    UNKNOWN_DELIVERY,
    UNKNOWN_ENDPOINT,
    bearer,
    code_of,
    make_endpoint,
    places,
    submit,
    tell,
)

OF_AN_ENDPOINT = [
    ("GET", "", None),
    ("PATCH", "", {"description": "taken"}),
    ("DELETE", "", None),
    ("POST", "/rotate-secret", None),
    ("POST", "/test", None),
    ("POST", "/recover", {"since": "2020-01-01T00:00:00Z"}),
]
BLOCKED = [
    "http://93.184.216.34/hook",
    "https://10.0.0.1/hook",
    "https://127.0.0.1/hook",
    "https://[::1]/hook",
    "https://169.254.169.254/latest/meta-data",
    "https://user:pass@93.184.216.34/hook",
    "ftp://93.184.216.34/hook",
    "hook",
    "https://93.184.216.34/" + "x" * 2_048,
]


@pytest.fixture
def client(settings, redis) -> FlaskClient:
    return create_api(settings).app.test_client()


@pytest.fixture
def keys(redis) -> RedisApiKeys:
    return RedisApiKeys(redis, Keys())


@pytest.fixture
def webhooks(redis) -> RedisWebhooks:
    return RedisWebhooks(redis, Keys())


def now(redis) -> float:
    seconds, micros = redis.time()
    return seconds + micros / 1e6


def patch(client: FlaskClient, endpoint: dict, **asked):
    return client.patch(endpoint["links"]["self"], json=asked)


def shown(client: FlaskClient, endpoint: dict) -> dict:
    return client.get(endpoint["links"]["self"]).get_json()


def test_an_endpoint_is_made_with_a_secret_that_is_shown_this_once(client, redis):
    response = client.post("/webhook-endpoints", json={"url": HOOK})

    made = response.get_json()
    assert response.status_code == 201
    assert response.headers["Location"] == made["links"]["self"] == f"/webhook-endpoints/{made['id']}"
    assert response.headers["Cache-Control"] == "no-store"
    assert is_secret(made.pop("secret"))
    assert abs(parse_moment(made["created_at"]).timestamp() - now(redis)) < 60
    assert (made["url"], made["events"], made["description"]) == (HOOK, list(ENDS), "")
    assert (made["enabled"], made["disabled_because"], made["failing_since"]) == (True, None, None)
    assert made["previous_secret_expires_at"] is None
    found = client.get(response.headers["Location"])
    assert found.get_json() == made
    assert found.headers["Cache-Control"] == "private, no-cache"
    assert client.get("/webhook-endpoints").get_json() == {"endpoints": [made]}


def test_everything_that_is_asked_for_is_kept_and_the_password_is_not_shown(client, webhooks):
    made = make_endpoint(
        client,
        events=["job.progress", "job.failed"],
        description="studio 2",
        basic_auth={"username": "radio", "password": "tune-in"},
        secret=SECRET,
    )

    assert made["secret"] == SECRET
    assert made["events"] == ["job.progress", "job.failed"]
    assert (made["description"], made["basic_auth"]) == ("studio 2", {"username": "radio"})
    assert webhooks.endpoint(made["id"]).basic_auth == BasicAuth(username="radio", password="tune-in")


def test_a_job_that_names_an_endpoint_is_told_to_it_by_its_own_list_of_events(client, redis):
    hears = make_endpoint(client, events=["job.cancelled"])
    deaf = make_endpoint(client, events=["job.failed"])
    for endpoint in (hears, deaf):
        tell(client, {"endpoint": endpoint["id"]})

    [due] = claim_all(outbox_of(redis))

    assert (due.endpoint, due.event, due.destination.url) == (hears["id"], "job.cancelled", HOOK)
    assert due.destination.secrets == (hears["secret"],)


@pytest.mark.parametrize("url", BLOCKED)
def test_a_url_that_must_not_be_sent_to_is_refused_when_it_is_made_and_when_it_is_changed(
    client, webhooks, url
):
    endpoint = make_endpoint(client)

    for response in (client.post("/webhook-endpoints", json={"url": url}), patch(client, endpoint, url=url)):
        assert code_of(response) == (422, "url_blocked")
        assert places(response) == ["/url"]

    assert [each.url for each in webhooks.endpoints("127.0.0.1")] == [HOOK]


def test_a_name_that_leads_inside_is_refused_and_one_that_cannot_be_resolved_now_is_taken(settings, redis):
    def resolve(host: str, port: int, *, seconds: float) -> list[str]:

        if host == "away.example":
            raise FetchFailed("The name cannot be resolved.")
        return ["93.184.216.34", "192.168.0.7"]

    client = create_api(settings, resolve=resolve).app.test_client()

    refused = client.post("/webhook-endpoints", json={"url": "https://inside.example/hook"})

    assert code_of(refused) == (422, "url_blocked")
    make_endpoint(client, url="https://away.example/hook")


def test_where_the_operator_allows_it_a_private_receiver_is_taken_by_plain_http(settings, redis):
    opened = settings.model_validate(
        settings.model_dump() | {"egress_http": True, "egress_allow": "192.168.0.0/16"}
    )
    client = create_api(opened).app.test_client()

    make_endpoint(client, url="http://192.168.0.7/hook")

    assert code_of(client.post("/webhook-endpoints", json={"url": "http://10.0.0.1/"})) == (
        422,
        "url_blocked",
    )


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({}, ["/url"]),
        ({"url": ""}, ["/url"]),
        ({"url": 1}, ["/url"]),
        ([], [""]),
        ({"url": HOOK, "events": []}, ["/events"]),
        ({"url": HOOK, "events": ["job.failed", "job.failed"]}, ["/events"]),
        ({"url": HOOK, "events": ["job.failed", "webhook.test"]}, ["/events/1"]),
        ({"url": HOOK, "events": "job.failed"}, ["/events"]),
        ({"url": HOOK, "secret": "whsec_c2hvcnQ="}, ["/secret"]),
        ({"url": HOOK, "secret": "of my own making, and long enough"}, ["/secret"]),
        ({"url": HOOK, "description": "x" * 501}, ["/description"]),
        ({"url": HOOK, "basic_auth": {"username": "a:b"}}, ["/basic_auth/username", "/basic_auth/password"]),
        ({"url": HOOK, "basic_auth": "a:b"}, ["/basic_auth"]),
        ({"url": HOOK, "enabled": False, "id": "x"}, ["/enabled", "/id"]),
    ],
)
def test_what_is_wrong_with_an_endpoint_is_named_and_nothing_is_made(client, redis, asked, wrong):
    response = client.post("/webhook-endpoints", json=asked)

    assert code_of(response) == (422, "invalid_request")
    assert places(response) == wrong
    assert "whsec_c2h" not in response.text
    assert redis.keys("*endpoint*") == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", ""), ("PATCH", "/{id}"), ("POST", "/{id}/rotate-secret"), ("POST", "/{id}/recover")],
)
def test_a_body_that_is_no_json_is_told_so(client, method, path):
    endpoint = make_endpoint(client)
    path = "/webhook-endpoints" + path.format(**endpoint)

    def sent(data: bytes, kind: str, **headers: str):
        return code_of(client.open(path, method=method, data=data, content_type=kind, headers=headers))

    assert sent(b'{"url"', "application/json") == (400, "malformed_request")
    assert sent(b"{}", "text/plain") == (415, "unsupported_media_type")
    if not path.endswith("rotate-secret"):
        assert sent(b"", "") == (415, "unsupported_media_type")
        assert sent(b"", "application/json") == (400, "malformed_request")
    assert sent(b"{}", "application/json; charset=latin1") == (415, "unsupported_media_type")
    assert sent(b"{}", "application/json", **{"Content-Encoding": "gzip"}) == (415, "unsupported_media_type")
    assert sent(b" " * (64 * 2**10 + 1), "application/json") == (413, "upload_too_large")
    assert shown(client, endpoint)["updated_at"] == endpoint["updated_at"]


def test_a_change_is_of_what_it_names_and_of_nothing_else(client):
    before = make_endpoint(
        client, description="studio 2", basic_auth={"username": "radio", "password": "tune-in"}
    )
    del before["secret"]

    changed = patch(client, before, description="studio 3").get_json()

    assert changed | {"updated_at": ""} == before | {"description": "studio 3", "updated_at": ""}
    assert changed["updated_at"] > before["updated_at"]
    assert shown(client, before) == changed
    assert patch(client, before, events=["job.failed"]).get_json()["events"] == ["job.failed"]
    assert patch(client, before, url=HOOK + "2").get_json()["url"] == HOOK + "2"
    assert shown(client, before)["basic_auth"] == {"username": "radio"}
    assert patch(client, before, basic_auth=None).get_json()["basic_auth"] is None
    assert patch(client, before, description="").get_json()["description"] == ""


def test_a_change_of_nothing_changes_nothing(client):
    endpoint = make_endpoint(client)

    response = patch(client, endpoint)

    assert response.status_code == 200
    assert response.get_json()["updated_at"] == endpoint["updated_at"]


def test_a_change_may_be_a_merge_patch_and_null_removes_nothing_but_the_basic_auth(client):
    endpoint = make_endpoint(client, basic_auth={"username": "radio", "password": "tune-in"})
    path, kind = endpoint["links"]["self"], "application/merge-patch+json"

    taken = client.patch(path, data='{"basic_auth": null}', content_type=kind)
    refused = client.patch(path, data='{"url": null, "events": null, "enabled": null}', content_type=kind)

    assert taken.get_json()["basic_auth"] is None
    assert places(refused) == ["/url", "/events", "/enabled"]


@pytest.mark.parametrize("field", ["secret", "id", "caller", "disabled_because", "created_at"])
def test_what_cannot_be_changed_is_refused_by_name(client, field):
    assert places(patch(client, make_endpoint(client), **{field: "x"})) == [f"/{field}"]


def test_an_endpoint_is_disabled_and_enabled_on_request(client):
    endpoint = make_endpoint(client)

    off = patch(client, endpoint, enabled=False).get_json()
    assert (off["enabled"], off["disabled_because"]) == (False, "on_request")
    on = patch(client, endpoint, enabled=True).get_json()
    assert (on["enabled"], on["disabled_because"]) == (True, None)


def test_an_endpoint_that_has_answered_410_says_so_and_can_be_enabled_again(client, redis):
    endpoint = make_endpoint(client)
    outbox = outbox_of(redis)
    tell(client, {"endpoint": endpoint["id"]})
    due = claim_one(outbox)
    outbox.record(due, answered(due, 410), retry_seconds=None)

    assert shown(client, endpoint)["disabled_because"] == "gone"
    assert patch(client, endpoint, enabled=True).get_json()["enabled"] is True


def test_a_deleted_endpoint_is_gone_and_what_waited_for_it_has_failed(client, redis):
    endpoint = make_endpoint(client)
    delivery = tell(client, {"endpoint": endpoint["id"]})

    deleted = client.delete(endpoint["links"]["self"], headers={"Accept": "image/png"})

    assert (deleted.status_code, deleted.data) == (204, b"")
    assert "Content-Type" not in deleted.headers
    for method, path, body in OF_AN_ENDPOINT:
        response = client.open(endpoint["links"]["self"] + path, method=method, json=body)
        assert code_of(response) == (404, "unknown_endpoint"), (method, path)
    assert client.get("/webhook-endpoints").get_json() == {"endpoints": []}
    assert claim_all(outbox_of(redis)) == []
    left = client.get(f"/webhook-deliveries/{delivery}").get_json()
    assert (left["status"], left["failed_because"]) == ("failed", "endpoint_deleted")
    refused = client.post(
        "/jobs", json={"url": "https://93.184.216.34/a", "webhook": {"endpoint": endpoint["id"]}}
    )
    assert places(refused) == ["/webhook/endpoint"]


@pytest.mark.parametrize("body", [None, {}, {"secret": None}])
def test_a_secret_is_rotated_and_the_one_before_signs_for_a_day_more(client, redis, body):
    endpoint = make_endpoint(client)

    response = client.post(endpoint["links"]["rotate_secret"], json=body)

    rotated = response.get_json()
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    assert is_secret(rotated["secret"])
    assert rotated["secret"] != endpoint["secret"]
    expires_at = parse_moment(rotated["previous_secret_expires_at"]).timestamp()
    assert abs(expires_at - now(redis) - ROTATION_SECONDS) < 60
    assert ROTATION_SECONDS == 24 * 60 * 60
    tell(client, {"endpoint": endpoint["id"]})
    assert claim_one(outbox_of(redis)).destination.secrets == (rotated["secret"], endpoint["secret"])
    assert shown(client, endpoint) == {name: each for name, each in rotated.items() if name != "secret"}


def test_a_secret_of_ones_own_is_put_in_force_and_a_bad_one_is_not(client, webhooks):
    endpoint = make_endpoint(client)
    path = endpoint["links"]["rotate_secret"]

    refused = client.post(path, json={"secret": "whsec_c2hvcnQ="})

    assert places(refused) == ["/secret"]
    assert webhooks.endpoint(endpoint["id"]).secrets[0].text == endpoint["secret"]
    assert client.post(path, json={"secret": SECRET}).get_json()["secret"] == SECRET


def test_a_test_is_sent_also_to_an_endpoint_that_is_disabled(client, redis):
    endpoint = make_endpoint(client)
    patch(client, endpoint, enabled=False)

    response = client.post(endpoint["links"]["test"])

    delivery = response.get_json()
    assert response.status_code == 202
    assert response.headers["Location"] == delivery["links"]["self"]
    assert (delivery["event"], delivery["status"], delivery["job"]) == ("webhook.test", "pending", None)
    assert (delivery["endpoint"], delivery["url"]) == (endpoint["id"], HOOK)
    due = claim_one(outbox_of(redis))
    assert due.id == delivery["id"]
    assert json.loads(due.body) == {
        "type": "webhook.test",
        "timestamp": delivery["created_at"],
        "sequence": 1,
        "data": {"endpoint": endpoint["id"]},
    }


def test_what_has_failed_since_a_moment_is_recovered(client, redis):
    endpoint = make_endpoint(client)
    outbox = outbox_of(redis)
    for number in range(3):
        tell(client, {"endpoint": endpoint["id"]})
        due = claim_one(outbox)
        outbox.record(due, answered(due, 500 if number else 204), retry_seconds=None)
    path = endpoint["links"]["recover"]

    assert client.post(path, json={"since": "2100-01-01T00:00:00Z"}).get_json() == {"recovered": 0}
    response = client.post(path, json={"since": endpoint["created_at"]})

    assert (response.status_code, response.get_json()) == (202, {"recovered": 2})
    assert len(claim_all(outbox)) == 2
    for since in (None, "now", "2026-11-23", "2026-11-23T19:00:00", 1_795_000_000):
        assert places(client.post(path, json={"since": since})) == ["/since"]
    assert places(client.post(path, json={})) == ["/since"]


def test_at_an_endpoint_that_is_disabled_nothing_is_recovered_until_it_is_enabled(client, redis):
    endpoint = make_endpoint(client)
    outbox = outbox_of(redis)
    delivery = tell(client, {"endpoint": endpoint["id"]})
    due = claim_one(outbox)
    outbox.record(due, answered(due, 410), retry_seconds=None)
    path, asked = endpoint["links"]["recover"], {"since": endpoint["created_at"]}

    refused = client.post(path, json=asked)

    assert code_of(refused) == (409, "endpoint_disabled")
    left = client.get(f"/webhook-deliveries/{delivery}").get_json()
    assert (left["status"], left["failed_because"]) == ("failed", "gone")
    patch(client, endpoint, enabled=True)
    assert client.post(path, json=asked).get_json() == {"recovered": 1}
    assert claim_one(outbox).id == delivery


def test_a_caller_has_a_hundred_endpoints_and_no_more_until_one_is_deleted(client):
    made = [make_endpoint(client) for _ in range(MAX_ENDPOINTS)]

    refused = client.post("/webhook-endpoints", json={"url": HOOK})

    assert MAX_ENDPOINTS == 100
    assert code_of(refused) == (409, "too_many_endpoints")
    listed = client.get("/webhook-endpoints").get_json()["endpoints"]
    assert [each["id"] for each in listed] == [each["id"] for each in made[::-1]]
    other = client.post(
        "/webhook-endpoints", json={"url": HOOK}, environ_base={"REMOTE_ADDR": "198.51.100.9"}
    )
    assert other.status_code == 201
    client.delete(made[0]["links"]["self"])
    make_endpoint(client)


@pytest.mark.parametrize(("method", "path", "body"), OF_AN_ENDPOINT)
@pytest.mark.parametrize("id_text", [UNKNOWN_ENDPOINT, "whe_odd", "whe_" + "A" * 24, "*", "whe_" + "0" * 25])
def test_an_endpoint_that_there_is_not_is_404_on_every_route(client, method, path, body, id_text):
    response = client.open(f"/webhook-endpoints/{id_text}{path}", method=method, json=body)

    assert code_of(response) == (404, "unknown_endpoint")


@pytest.mark.parametrize(("method", "path", "body"), OF_AN_ENDPOINT)
def test_another_keys_endpoint_is_404_on_every_route_and_stays_as_it_was(
    client, keys, webhooks, method, path, body
):
    (_, mine), (_, other) = keys.add("mine", RIGHTS), keys.add("other", RIGHTS)
    endpoint = make_endpoint(client, mine)
    before = webhooks.endpoint(endpoint["id"])
    unknown = client.open(
        f"/webhook-endpoints/{UNKNOWN_ENDPOINT}{path}", method=method, json=body, headers=bearer(other)
    )

    response = client.open(endpoint["links"]["self"] + path, method=method, json=body, headers=bearer(other))

    assert code_of(response) == code_of(unknown) == (404, "unknown_endpoint")
    assert response.get_json()["detail"] == unknown.get_json()["detail"]
    assert webhooks.endpoint(endpoint["id"]) == before
    assert client.get("/webhook-endpoints", headers=bearer(other)).get_json() == {"endpoints": []}
    ours = client.open(endpoint["links"]["self"] + path, method=method, json=body, headers=bearer(mine))
    assert ours.status_code in (200, 202, 204)


def test_what_a_revoked_key_leaves_behind_is_sent_and_reached_by_nobody(client, keys, redis):
    key, mine = keys.add("mine", RIGHTS)
    _, other = keys.add("other", RIGHTS)
    endpoint = make_endpoint(client, mine)
    delivery = tell(client, {"endpoint": endpoint["id"]}, mine)

    keys.revoke(key.id)

    assert claim_one(outbox_of(redis)).id == delivery
    for path in (endpoint["links"]["self"], f"/webhook-deliveries/{delivery}"):
        assert client.get(path, headers=bearer(other)).status_code == 404
        eventually(lambda path=path: client.get(path, headers=bearer(mine)).status_code == 401)


def test_who_may_only_read_sees_everything_and_changes_nothing(client, keys, webhooks):
    _, both = keys.add("both", {"read", "submit"})
    endpoint = make_endpoint(client, both)
    delivery = client.post(endpoint["links"]["test"], headers=bearer(both)).get_json()
    before = webhooks.endpoint(endpoint["id"])
    changes = [("POST", "/webhook-endpoints", {"url": HOOK}), ("POST", delivery["links"]["redeliver"], None)]
    changes += [(method, endpoint["links"]["self"] + path, body) for method, path, body in OF_AN_ENDPOINT[1:]]
    readings = [
        "/webhook-endpoints",
        endpoint["links"]["self"],
        "/webhook-deliveries",
        delivery["links"]["self"],
    ]
    for right, allowed, refused in (
        ("read", [("GET", path, None) for path in readings], changes),
        ("submit", [], [("GET", path, None) for path in readings]),
    ):
        _, text = keys.add(right, {right})
        for method, path, body in refused:
            response = client.open(path, method=method, json=body, headers=bearer(text))
            assert code_of(response) == (403, "missing_right"), (right, method, path)
        for method, path, body in allowed:
            response = client.open(path, method=method, json=body, headers=bearer(text))
            assert response.status_code in (200, 404), (right, method, path)  # 404: it is another key's
    assert webhooks.endpoint(endpoint["id"]) == before


def test_an_endpoint_of_the_open_service_belongs_to_no_key(client, keys, settings):
    endpoint = make_endpoint(client)
    _, text = keys.add("radio", RIGHTS)
    client = create_api(settings).app.test_client()  # one that has not seen it open

    found = client.get(endpoint["links"]["self"], headers=bearer(text))

    assert code_of(found) == (404, "unknown_endpoint")


def test_without_keys_an_id_is_enough_and_a_list_is_that_of_an_address(client):
    endpoint = make_endpoint(client)
    elsewhere = {"REMOTE_ADDR": "198.51.100.9"}

    found = client.get(endpoint["links"]["self"], environ_base=elsewhere)

    assert found.status_code == 200
    assert client.get("/webhook-endpoints", environ_base=elsewhere).get_json() == {"endpoints": []}


def test_a_client_that_takes_no_json_is_told_406_and_nothing_is_made(client, redis):
    endpoint = make_endpoint(client)
    asked = [("POST", "/webhook-endpoints", {"url": HOOK}), ("GET", "/webhook-endpoints", None)]
    asked += [
        (method, endpoint["links"]["self"] + path, body)
        for method, path, body in OF_AN_ENDPOINT
        if method != "DELETE"
    ]

    for method, path, body in asked:
        response = client.open(path, method=method, json=body, headers={"Accept": "text/html"})
        assert code_of(response) == (406, "not_acceptable"), (method, path)

    listed = client.get("/webhook-endpoints").get_json()["endpoints"]
    assert [each | {"secret": endpoint["secret"]} for each in listed] == [endpoint]


def test_a_request_is_counted_and_a_method_that_a_path_does_not_know_is_405(settings, redis):
    counted = create_api(settings.model_copy(update={"rate_limit": "3/minute"})).app.test_client()

    answers = [
        counted.get("/webhook-endpoints"),
        counted.post("/webhook-endpoints", json={"url": HOOK}),
        counted.get(f"/webhook-deliveries/{UNKNOWN_DELIVERY}"),
        counted.get("/webhook-deliveries"),
    ]

    assert [each.status_code for each in answers] == [200, 201, 404, 429]
    assert [each.headers["RateLimit-Remaining"] for each in answers] == ["2", "1", "0", "0"]
    refused = create_api(settings).app.test_client().put("/webhook-endpoints")
    assert code_of(refused) == (405, "method_not_allowed")
    assert {"GET", "POST"} <= set(refused.headers["Allow"].split(", "))


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_secret_is_in_two_answers_and_in_no_other_and_never_in_a_log_line_nor_is_a_path(
    tmp_path, log_format
):
    given, password, token = SECRET, "tune-in-tonight", "t0ken-in-the-path"
    url = f"https://93.184.216.34/{token}?q={token}"
    with (
        redis_serving(tmp_path / "redis") as server,
        api_serving(tmp_path, server.url, GENREWIZ_LOG_LEVEL="debug", GENREWIZ_LOG_FORMAT=log_format) as api,
    ):
        http = api.http
        made = http.post(
            "/webhook-endpoints",
            json={
                "url": url,
                "secret": given,
                "basic_auth": {"username": "radio", "password": password},
            },
        )
        path = made.headers["Location"]
        rotated = http.post(f"{path}/rotate-secret")
        job = http.post(
            "/jobs",
            json={
                "url": "https://93.184.216.34/a.mp3",
                "webhook": {
                    "url": url,
                    "secret": given,
                    "basic_auth": {"username": "a", "password": password},
                },
            },
        )
        answers = [
            http.post("/webhook-endpoints", json={"url": url.replace("https", "http"), "secret": given}),
            http.post("/webhook-endpoints", json={"url": url, "secret": given + "!"}),
            http.post("/webhook-endpoints", json={"url": url, "basic_auth": password}),
            http.post("/webhook-endpoints", content=f'{{"secret": "{given}"'.encode()),
            http.patch(path, json={"secret": given}),
            http.patch(
                path, json={"description": "d", "basic_auth": {"username": "b", "password": password}}
            ),
            http.post(f"{path}/rotate-secret", json={"secret": given[:-3]}),
            http.get(path),
            http.get("/webhook-endpoints"),
            http.get(f"{path}?secret={given}"),
            http.post(f"{path}/test"),
            http.post(f"{path}/recover", json={"since": "2020-01-01T00:00:00Z"}),
            http.post(job.json()["links"]["cancel"]),
            http.get("/webhook-deliveries"),
            http.get(f"/webhook-deliveries?endpoint={given}"),
            http.get(f"/webhook-deliveries/msg_{job.json()['id'].removeprefix('job_')}_1"),
            http.delete(path),
            job,
        ]
        metrics = http.get(f"http://127.0.0.1:{api.metrics_port}/metrics").text
        log = (tmp_path / "api.log").read_text()

    assert (made.json()["secret"], rotated.json()["secret"] != given) == (given, True)
    assert {200, 202, 204, 415, 422} <= {each.status_code for each in answers}
    secrets = [given, rotated.json()["secret"], password]
    seen = log + metrics + "".join(str(each.headers) + each.text for each in answers)
    for secret in secrets:
        assert secret not in seen
        assert secret.removeprefix("whsec_")[:20] not in seen
    assert rotated.json()["secret"] not in made.text
    assert given not in rotated.text
    assert password not in made.text + rotated.text
    assert token not in log + metrics
    for said in ("endpoint made", "secret rotated", "endpoint changed", "test asked for", "endpoint deleted"):
        assert re.search(f"webhook {said}", log), said


def test_a_job_goes_on_though_the_endpoint_that_it_names_is_deleted(client, redis):
    endpoint = make_endpoint(client)
    job_id = submit(client, {"endpoint": endpoint["id"]})
    client.delete(endpoint["links"]["self"])

    cancelled = client.post(f"/jobs/{job_id}/cancel")

    assert cancelled.get_json()["status"] == "cancelled"
    assert claim_all(outbox_of(redis)) == []
