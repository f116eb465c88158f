"""Every code that a request can be refused with, as its client meets it: one table, one test a row."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest

from api.errors import HTTP_STATUS
from shared.job import JobId
from shared.redis_api_keys import RedisApiKeys
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from support.api_server import WAV, ApiServer, api_serving, file_part, upload
from support.jobs import new_job, success
from support.redis_server import redis_serving
from support.watching import claim
from support.webhook_api import UNKNOWN_DELIVERY, UNKNOWN_ENDPOINT

SENT = "5ent-by-the-client"
"""Stands in every request, and must stand in no answer."""
MAX_UPLOAD_BYTES = 2**20
UNKNOWN = new_job(9).id
PLAIN = {"type", "title", "status", "detail", "code", "retryable", "request_id"}


@dataclass(frozen=True, kw_only=True)
class World:
    """Apis in all the states that a client can meet; jobs: what the first one's Redis holds."""

    api: ApiServer
    strict: ApiServer  # one request a minute, two seconds for an upload, one watcher
    closed: ApiServer  # asks for keys
    reader: str  # a key that may read
    away: ApiServer  # its Redis is gone
    jobs: RedisJobStore

    def finished(self) -> str:
        job_id = self.api.post(caller="203.0.113.1").json()["id"]
        self.jobs.finish(claim(self.jobs, job_id), success())
        return job_id

    def running(self) -> str:
        job_id = self.api.post(caller="203.0.113.2").json()["id"]
        claim(self.jobs, job_id)
        return job_id


@pytest.fixture(scope="module")
def servers(redis_url, tmp_path_factory) -> Iterator[dict]:
    with ExitStack() as stack:

        def server(url: str, **settings: str) -> ApiServer:
            ours = {"GENREWIZ_API_WORKERS": "1", "GENREWIZ_TRUSTED_PROXIES": "1"} | settings
            return stack.enter_context(api_serving(tmp_path_factory.mktemp("api"), url, **ours))

        with_keys, dies = (stack.enter_context(redis_serving(tmp_path_factory.mktemp("own"))) for _ in "ab")
        _, reader = RedisApiKeys(with_keys.client(), Keys()).add("reader", ("read",))
        away = server(dies.url)
        dies.kill()
        yield {
            "api": server(
                redis_url,
                GENREWIZ_MAX_UPLOAD_BYTES=str(MAX_UPLOAD_BYTES),
                GENREWIZ_MAX_WAITING_JOBS="3",
                GENREWIZ_MAX_WAITING_JOBS_PER_CALLER="2",
                GENREWIZ_REAP_PERIOD_SECONDS="600",
            ),
            "strict": server(
                redis_url,
                GENREWIZ_RATE_LIMIT="1/minute",
                GENREWIZ_UPLOAD_SECONDS="2",
                GENREWIZ_MAX_WATCHERS="1",
            ),
            "closed": server(with_keys.url),
            "reader": reader,
            "away": away,
        }


@pytest.fixture
def world(servers, redis, jobs) -> World:
    return World(**servers, jobs=jobs)


def _get(api: ApiServer, path: str, **headers: str) -> httpx.Response:
    return api.http.get(path, params={"sent": SENT} if "?" not in path else None, headers=headers)


def _json(api: ApiServer, body: object) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return api.http.post("/jobs", content=content, headers={"Content-Type": "application/json"})


def _upload(api: ApiServer, content: bytes = WAV, **options) -> httpx.Response:
    return api.post(content, name=f"{SENT}.wav", **options)


def _gone(world: World) -> httpx.Response:
    job_id = world.finished()
    world.jobs.delete(JobId(job_id))
    return _get(world.api, f"/jobs/{job_id}")


def _full(world: World, callers: list[str]) -> httpx.Response:
    for number, caller in enumerate(callers[:-1]):
        assert _upload(world.api, WAV + bytes([number]), caller=caller).status_code == 202
    return _upload(world.api, caller=callers[-1])


def _too_often(world: World) -> httpx.Response:
    headers = {"X-Forwarded-For": "203.0.113.77"}
    _get(world.strict, f"/jobs/{UNKNOWN}", **headers)
    return _get(world.strict, f"/jobs/{UNKNOWN}", **headers)


def _too_slow(world: World) -> httpx.Response:
    head = upload(length=10**6, headers="X-Forwarded-For: 203.0.113.78\r\n")
    with world.strict.connect() as connection:
        connection.send(head + file_part(WAV))
        answer = connection.answer()
    return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


def _reused(world: World) -> httpx.Response:
    _upload(world.api, key=SENT)
    return _upload(world.api, WAV + b"\0", key=SENT)


def _one_watcher_too_many(world: World) -> httpx.Response:
    path = f"/jobs/{world.running()}/events"
    watches, wants = ({"X-Forwarded-For": f"203.0.113.{number}"} for number in (79, 80))
    with world.strict.http.stream("GET", path, headers=watches) as stream:
        assert stream.status_code == 200
        return _get(world.strict, path, **wants)


def _one_endpoint_too_many(world: World) -> httpx.Response:
    asked = {"url": "https://93.184.216.34/hook"}
    headers = {"X-Forwarded-For": "203.0.113.81"}
    while (answer := world.api.http.post("/webhook-endpoints", json=asked, headers=headers)).is_success:
        pass
    return answer


def _recovery_of_a_disabled_endpoint(world: World) -> httpx.Response:
    asked = {"url": "https://93.184.216.34/hook", "description": SENT}
    links = world.api.http.post("/webhook-endpoints", json=asked).json()["links"]
    world.api.http.patch(links["self"], json={"enabled": False})
    return world.api.http.post(links["recover"], json={"since": "2026-01-01T00:00:00Z"})


def _away(world: World) -> httpx.Response:
    return _get(world.away, f"/jobs/{UNKNOWN}")


REFUSALS: dict[str, tuple[int, Callable[[World], httpx.Response]]] = {
    "malformed_request": (400, lambda world: _json(world.api, f'{{"url": {SENT}'.encode())),
    "unauthorized": (
        401,
        lambda world: _get(world.closed, "/jobs", Authorization=f"Bearer gw_{'0' * 12}_{'0' * 64}"),
    ),
    "missing_right": (
        403,
        lambda world: world.closed.http.post(
            "/jobs", json={"url": SENT}, headers={"Authorization": f"Bearer {world.reader}"}
        ),
    ),
    "unknown_job": (404, lambda world: _get(world.api, f"/jobs/{UNKNOWN}")),
    "unknown_endpoint": (404, lambda world: _get(world.api, f"/webhook-endpoints/{UNKNOWN_ENDPOINT}")),
    "unknown_delivery": (404, lambda world: _get(world.api, f"/webhook-deliveries/{UNKNOWN_DELIVERY}")),
    "unknown_model": (404, lambda world: _get(world.api, f"/models/{SENT}")),
    "unknown_problem": (404, lambda world: _get(world.api, f"/problems/{SENT}")),
    "no_spectrogram": (404, lambda world: _get(world.api, f"/jobs/{world.finished()}/spectrogram.png")),
    "not_acceptable": (406, lambda world: _get(world.api, f"/jobs/{UNKNOWN}", Accept=f"text/{SENT}")),
    "upload_too_slow": (408, _too_slow),
    "job_finished": (409, lambda world: world.api.http.post(f"/jobs/{world.finished()}/cancel")),
    "job_running": (409, lambda world: world.api.http.delete(f"/jobs/{world.running()}")),
    "too_many_endpoints": (409, _one_endpoint_too_many),
    "endpoint_disabled": (409, _recovery_of_a_disabled_endpoint),
    "result_gone": (410, _gone),
    "upload_too_large": (413, lambda world: _upload(world.api, WAV + bytes(MAX_UPLOAD_BYTES))),
    "unsupported_media_type": (
        415,
        lambda world: world.api.http.post("/jobs", content=SENT, headers={"Content-Type": "text/plain"}),
    ),
    "unsupported_format": (415, lambda world: _upload(world.api, (SENT * 100).encode())),
    "invalid_request": (
        422,
        lambda world: _json(world.api, {"url": "https://93.184.216.34/a", SENT[-6:]: SENT}),
    ),
    "idempotency_key_reused": (422, _reused),
    "url_blocked": (422, lambda world: _json(world.api, {"url": f"https://10.0.0.1/{SENT}"})),
    "quota_exceeded": (429, lambda world: _full(world, ["203.0.113.3"] * 3)),
    "rate_limited": (429, _too_often),
    "queue_full": (503, lambda world: _full(world, [f"203.0.113.{number}" for number in range(4)])),
    "too_many_watchers": (503, _one_watcher_too_many),
    "store_unavailable": (503, _away),
}
POINTERS = {"invalid_request": [f"/{SENT[-6:]}"], "url_blocked": ["/url"]}
AGAIN = {"quota_exceeded", "rate_limited", "queue_full", "too_many_watchers", "store_unavailable"}
"""What is said with a time to come again."""
RETRYABLE = AGAIN | {"upload_too_slow", "job_running"}


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_is_a_problem_with_its_code_and_status_and_repeats_nothing(world, code):
    status, refused = REFUSALS[code]

    answer = refused(world)

    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    more = ({"retry_after_seconds"} if code in AGAIN else set()) | ({"errors"} if code in POINTERS else set())
    assert set(body) == PLAIN | more
    assert body["status"] == status
    assert body["type"] == f"/problems/{code.replace('_', '-')}"
    assert body["retryable"] is (code in RETRYABLE)
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert answer.headers.get("Retry-After") == (str(body["retry_after_seconds"]) if code in AGAIN else None)
    assert [error["pointer"] for error in body.get("errors", [])] == POINTERS.get(code, [])
    assert all(set(error) == {"pointer", "detail"} for error in body.get("errors", []))
    if code not in POINTERS:
        assert SENT not in answer.text
    assert "Traceback" not in answer.text
    if code == "unauthorized":
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_every_error_that_has_a_status_stands_in_the_table_with_it():
    assert {code: status for code, (status, _) in REFUSALS.items()} == {
        kind.code: status for kind, status in HTTP_STATUS.items()
    }
