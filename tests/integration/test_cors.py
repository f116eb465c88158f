"""Pages of other origins: what a browser is told, by the api as it is."""

import pytest

from api.app import create_api
from shared.api_keys import RIGHTS
from shared.redis_api_keys import RedisApiKeys
from shared.redis_keys import Keys
from support.jobs import UNKNOWN_PATH

ORIGIN = "https://radio.example"


def client_for(settings, *origins: str, **more):
    return create_api(settings.model_copy(update={"cors_origins": origins, **more})).app.test_client()


def preflight(client, path: str = "/jobs", origin: str = ORIGIN, method: str = "POST"):
    return client.options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization, content-type, idempotency-key",
        },
    )


def cors_of(response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.startswith("Access-Control")}


def test_without_origins_nothing_is_said(settings, redis):
    client = client_for(settings)

    assert cors_of(preflight(client)) == {}
    assert cors_of(client.get("/livez", headers={"Origin": ORIGIN})) == {}
    assert "Vary" not in client.get("/livez", headers={"Origin": ORIGIN}).headers


def test_a_preflight_needs_no_key_and_is_not_counted(settings, redis):
    RedisApiKeys(redis, Keys()).add("radio", RIGHTS)
    client = client_for(settings, ORIGIN, rate_limit="1/hour")

    for _ in range(5):
        response = preflight(client)
        assert response.status_code == 200
        said = cors_of(response)
        assert said["Access-Control-Allow-Origin"] == ORIGIN
        methods = {method for rule in client.application.url_map.iter_rules() for method in rule.methods}
        assert {*said["Access-Control-Allow-Methods"].split(", "), "OPTIONS"} == methods
        allowed = said["Access-Control-Allow-Headers"].lower().split(", ")
        assert {"authorization", "content-type", "idempotency-key", "prefer", "if-none-match"} <= set(allowed)
        assert int(said["Access-Control-Max-Age"]) > 0
        assert "Access-Control-Allow-Credentials" not in said


def test_an_answer_and_what_stands_in_its_headers_can_be_read(settings, redis):
    response = client_for(settings, ORIGIN).get("/livez", headers={"Origin": ORIGIN})

    said = cors_of(response)
    assert said["Access-Control-Allow-Origin"] == ORIGIN
    assert {
        "Location", "Retry-After", "ETag", "X-Request-Id", "Preference-Applied", "Link",
        "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset",
    } <= set(said["Access-Control-Expose-Headers"].split(", "))  # fmt: skip
    assert "Access-Control-Allow-Credentials" not in said
    assert "Origin" in response.headers["Vary"]


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        (UNKNOWN_PATH, "GET", 401),
        ("/nowhere", "GET", 404),
        ("/jobs", "PUT", 405),
    ],
)
def test_a_problem_can_be_read_too(settings, redis, path, method, status):
    RedisApiKeys(redis, Keys()).add("radio", RIGHTS)

    response = client_for(settings, ORIGIN).open(path, method=method, headers={"Origin": ORIGIN})

    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_a_refusal_for_asking_too_often_can_be_read_too(settings, redis):
    client = client_for(settings, ORIGIN, rate_limit="1/hour")

    answers = [client.get(UNKNOWN_PATH, headers={"Origin": ORIGIN}) for _ in range(2)]

    assert answers[1].status_code == 429
    assert answers[1].headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize(
    "origin", ["https://radio.example.evil", "http://radio.example", "https://radio.example:8443", "null", ""]
)
def test_another_origin_is_told_nothing_and_no_cache_mixes_them_up(settings, redis, origin):
    client = client_for(settings, ORIGIN)

    for response in (client.get("/livez", headers={"Origin": origin}), preflight(client, origin=origin)):
        assert cors_of(response) == {}
        assert "Origin" in response.headers["Vary"]


def test_any_origin_may_be_let_in(settings, redis):
    client = client_for(settings, "*")

    assert (
        client.get("/livez", headers={"Origin": "https://any.example"}).headers["Access-Control-Allow-Origin"]
        == "*"
    )
    assert cors_of(client.get("/livez")) == {}
