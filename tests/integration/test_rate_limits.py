"""How often a caller may ask, on real api processes."""

import threading

import httpx
import pytest

from api.app import create_api
from api.request_counts import RequestCounts
from shared.api_keys import RIGHTS
from shared.rate_limit import RateLimit
from shared.redis_api_keys import RedisApiKeys
from shared.redis_keys import Keys
from shared.redis_rate_limits import RedisRateLimits
from support.api_server import api_serving
from support.jobs import UNKNOWN_PATH
from support.redis_server import redis_serving
from support.waiting import eventually


def limited(settings, limit: str, **more):
    return create_api(settings.model_copy(update={"rate_limit": limit, **more})).app.test_client()


def test_one_request_too_many_is_told_when_to_come_again(settings, redis):
    client = limited(settings, "2/hour")

    answers = [client.get(UNKNOWN_PATH) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [404, 404, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    refused = answers[-1]
    assert refused.mimetype == "application/problem+json"
    assert refused.get_json()["code"] == "rate_limited"
    assert refused.get_json()["retryable"] is True
    assert 3_500 < int(refused.headers["Retry-After"]) <= 3_600
    assert refused.get_json()["retry_after_seconds"] == int(refused.headers["Retry-After"])
    assert refused.headers["RateLimit-Policy"] == "2;w=3600"
    assert refused.headers["RateLimit-Limit"] == "2"
    assert refused.headers["RateLimit-Reset"] == refused.headers["Retry-After"]


def test_a_new_window_lets_the_caller_ask_again(settings, redis):
    client = limited(settings, "1/second")

    assert eventually(lambda: client.get(UNKNOWN_PATH).status_code == 429)
    assert eventually(lambda: client.get(UNKNOWN_PATH).status_code == 404)


def test_of_several_limits_each_holds_and_a_refused_request_counts_against_none(redis):
    limits = RedisRateLimits(
        redis, Keys(), [RateLimit(requests=2, seconds=60), RateLimit(requests=5, seconds=3_600)]
    )

    allowed = [bool(limits.take("a").granted) for _ in range(10)]

    assert allowed == [True, True] + [False] * 8
    assert redis.get(Keys().rate("a", 3_600)) == "2"
    redis.delete(Keys().rate("a", 60))  # as when the minute is over
    assert [bool(limits.take("a").granted) for _ in range(2)] == [True, True]
    redis.delete(Keys().rate("a", 60))
    assert [bool(limits.take("a").granted) for _ in range(2)] == [True, False]
    standing = limits.take("a")
    assert (standing.limit.seconds, standing.remaining) == (3_600, 0)


def test_of_a_high_limit_a_handful_is_counted_at_once_and_near_its_end_each_request(redis):
    limits = RedisRateLimits(redis, Keys(), [RateLimit(requests=1_000, seconds=60)])
    counts = RequestCounts(limits)

    counts.hit("a")
    assert redis.get(Keys().rate("a", 60)) == "5"
    allowed = 1 + sum(counts.hit("a").is_allowed for _ in range(1_100))

    assert allowed == 1_000
    assert limits.handful == 5
    assert RedisRateLimits(redis, Keys(), [RateLimit(requests=399, seconds=60)]).handful == 1


def test_what_is_counted_goes_away_by_itself(redis):
    limits = RedisRateLimits(redis, Keys(), [RateLimit(requests=2, seconds=60)])
    limits.take("a")

    (name,) = redis.keys()

    assert 0 < redis.pttl(name) <= 60_000


def test_probes_the_page_and_its_files_are_not_counted(settings, redis):
    client = limited(settings, "1/hour")

    for path in ("/livez", "/readyz", "/", "/static/samples/nightdrive.mp3") * 3:
        response = client.get(path)
        assert response.status_code == 200
        assert "RateLimit-Limit" not in response.headers

    assert client.get(UNKNOWN_PATH).status_code == 404


OPEN_TO_ALL = [
    ("GET", "/docs", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/models", 200),
    ("GET", "/problems/queue-full", 200),
    ("GET", "/nowhere", 404),
    ("PUT", "/jobs", 405),
    ("OPTIONS", "/jobs", 200),
]


@pytest.mark.parametrize(("method", "path", "status"), OPEN_TO_ALL)
def test_what_is_nobodys_needs_no_key_and_is_not_counted(settings, redis, method, path, status):
    RedisApiKeys(redis, Keys()).add("radio", RIGHTS)
    client = limited(settings, "1/hour")

    for _ in range(2):
        response = client.open(path, method=method)
        assert response.status_code == status
        assert "RateLimit-Limit" not in response.headers

    assert client.get(UNKNOWN_PATH).status_code == 401
    assert client.get(UNKNOWN_PATH).status_code == 429


def test_addresses_do_not_spend_each_others_requests(settings, redis):
    client = limited(settings, "1/hour", trusted_proxies=1)

    codes = [
        client.get(UNKNOWN_PATH, headers={"X-Forwarded-For": address}).status_code
        for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1")
    ]

    assert codes == [404, 404, 429]


def test_keys_do_not_spend_each_others_requests_from_the_same_address(settings, redis):
    keys = RedisApiKeys(redis, Keys())
    first, second = (keys.add(name, RIGHTS)[1] for name in ("first", "second"))
    client = limited(settings, "1/hour")

    codes = [
        client.get(UNKNOWN_PATH, headers={"Authorization": f"Bearer {text}"}).status_code
        for text in (first, second, first)
    ]

    assert codes == [404, 404, 429]


def test_who_guesses_keys_is_slowed_down_too(settings, redis):
    RedisApiKeys(redis, Keys()).add("radio", RIGHTS)
    client = limited(settings, "2/hour")

    codes = [client.get(UNKNOWN_PATH).status_code for _ in range(3)]

    assert codes == [401, 401, 429]


@pytest.mark.parametrize(("keys_on", "expected"), [(False, [404, 404, 429]), (True, [401, 401, 429])])
def test_who_asks_by_ids_that_can_be_none_is_counted_as_for_any(settings, redis, keys_on, expected):
    if keys_on:
        RedisApiKeys(redis, Keys()).add("radio", RIGHTS)
    client = limited(settings, "2/hour")

    codes = [client.get("/jobs/job_odd").status_code for _ in range(3)]

    assert codes == expected


def test_two_api_processes_count_together(redis, redis_url, tmp_path):
    with (
        api_serving(tmp_path, redis_url, GENREWIZ_RATE_LIMIT="30/hour", GENREWIZ_API_WORKERS="2") as one,
        api_serving(tmp_path, redis_url, GENREWIZ_RATE_LIMIT="30/hour") as two,
    ):
        codes: list[int] = []

        def ask(port: int) -> None:
            for _ in range(20):
                codes.append(httpx.get(f"http://127.0.0.1:{port}{UNKNOWN_PATH}", trust_env=False).status_code)

        threads = [threading.Thread(target=ask, args=(api.port,)) for api in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(codes) == [404] * 30 + [429] * 10


@pytest.mark.parametrize("path", [UNKNOWN_PATH, "/readyz"])
def test_without_redis_what_needs_it_is_503_and_the_rest_is_answered(tmp_path, path):
    with (
        redis_serving(tmp_path / "redis") as server,
        api_serving(tmp_path, server.url, GENREWIZ_RATE_LIMIT="100/minute") as api,
    ):
        server.kill()

        assert api.http.get(path).status_code == 503
        assert api.http.get("/livez").status_code == 200
        assert api.http.get("/").status_code == 200


def test_a_full_server_still_counts_and_still_answers_for_old_jobs(tmp_path):
    with redis_serving(tmp_path / "redis") as server, server.client() as redis:
        redis.config_set("maxmemory", 1)
        limits = RedisRateLimits(redis, Keys(), [RateLimit(requests=1, seconds=60)])

        assert [bool(limits.take("a").granted) for _ in range(2)] == [True, False]
