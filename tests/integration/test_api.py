"""The routes of the api, on a real server; no worker is there, so that jobs stay queued."""

import io
import json

import pytest
from flask.testing import FlaskClient

from api.app import create_api
from shared.errors import FetchFailed
from shared.job import JobStatus
from shared.names import CLASSIFY_TASK
from shared.redis_keys import Keys
from shared.settings import Settings

WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(1_000)


@pytest.fixture
def client(settings, redis) -> FlaskClient:
    return create_api(settings).app.test_client()


def post(client: FlaskClient, **parts):
    return client.post("/jobs", data={"file": (io.BytesIO(WAV), "song.wav")} | parts)


def test_an_upload_is_accepted_and_can_be_found(client, jobs):
    response = post(client)

    body = response.get_json()
    assert response.status_code == 202
    assert response.headers["Location"] == f"/jobs/{body['id']}"
    assert response.headers["Retry-After"] == "1"
    assert body["status"] == "queued"
    assert body["source"]["bytes"] == len(WAV)
    assert client.get(body["links"]["self"]).get_json() == body
    assert jobs.get(body["id"]).status is JobStatus.QUEUED


def test_the_message_on_the_queue_holds_one_job_id_and_nothing_else(client, redis):
    job_id = post(client).get_json()["id"]

    message = json.loads(redis.lindex("gw.standard", 0))

    assert message["headers"]["task"] == CLASSIFY_TASK
    assert message["headers"]["argsrepr"] == f"['{job_id}']"
    assert message["headers"]["kwargsrepr"] == "{}"
    assert redis.llen("gw.standard") == 1


def test_the_audio_is_in_the_store_before_the_answer(client, settings):
    job_id = post(client).get_json()["id"]

    assert (settings.audio_dir / job_id).read_bytes() == WAV


def test_options_queue_and_metadata_are_kept(client, jobs, redis):
    part = '{"options": {"top": 3, "windows": "first"}, "queue": "high", "metadata": {"id": 7}}'

    body = post(client, job=part).get_json()

    job = jobs.get(body["id"])
    assert (job.options.top, job.options.windows, job.queue) == (3, "first", "high")
    assert body["metadata"] == {"id": 7}
    assert redis.llen("gw.high") == 1


def problem_of(response, status: int, code: str) -> dict:
    body = response.get_json()
    assert response.status_code == status, body
    assert response.mimetype == "application/problem+json"
    assert body["code"] == code
    assert body["status"] == status
    assert body["type"] == f"/problems/{code.replace('_', '-')}"
    assert body["request_id"] == response.headers["X-Request-Id"]
    return body


@pytest.mark.parametrize(
    ("part", "status", "code", "pointer"),
    [
        ("{", 400, "malformed_request", None),
        ('{"options": {"top": 1}, "options": {"top": 2}}', 400, "malformed_request", None),
        ('{"options": {"top": 11}}', 422, "invalid_request", "/options/top"),
        ('{"options": {"topp": 1}}', 422, "invalid_request", "/options/topp"),
        ('{"webhook": {}}', 422, "invalid_request", "/webhook"),
    ],
)
def test_a_job_part_that_is_wrong_is_told_where(client, part, status, code, pointer):
    body = problem_of(post(client, job=part), status, code)

    assert [error["pointer"] for error in body.get("errors", [])] == ([pointer] if pointer else [])


def test_what_is_no_audio_is_refused_and_leaves_nothing_behind(client, redis, settings):
    response = client.post("/jobs", data={"file": (io.BytesIO(b"dear diary " * 50), "song.mp3")})

    problem_of(response, 415, "unsupported_format")
    assert redis.keys() == []
    assert list(settings.audio_dir.iterdir()) == []


SIGNED = "https://cdn.example/music/a%20song.mp3?sig=s3cret#t=10"


def resolving(*addresses: str):
    """A DNS that answers so for every name; without addresses, not at all."""

    def resolve(host, port, *, seconds):
        if not addresses:
            raise FetchFailed("The URL's host cannot be resolved.")
        return addresses

    return resolve


def client_with(settings, *addresses: str) -> FlaskClient:
    return create_api(settings, resolve=resolving(*addresses)).app.test_client()


@pytest.mark.parametrize("addresses", [("93.184.216.34", "2606:4700::1111"), ()], ids=["resolved", "not now"])
def test_a_url_is_accepted_shown_without_its_query_and_rung_on_a_queue_of_its_own(
    settings, redis, jobs, addresses
):
    response = client_with(settings, *addresses).post("/jobs", json={"url": SIGNED, "queue": "high"})

    body = response.get_json()
    assert response.status_code == 202
    assert body["source"]["kind"] == "url"
    assert body["source"]["url"] == "https://cdn.example/music/a%20song.mp3"
    assert body["source"]["filename"] == "a song.mp3"
    assert (body["source"]["sha256"], body["source"]["bytes"]) == (None, None)
    assert body["progress"]["queue_position"] == 0
    assert "s3cret" not in response.text
    assert (redis.llen("gw.fetch.high"), redis.llen("gw.high")) == (1, 0)
    assert "s3cret" not in str(redis.lrange("gw.fetch.high", 0, -1))
    assert jobs.claim(body["id"], owner="w", lease_seconds=1).url == SIGNED


def test_options_and_metadata_of_a_url_are_kept(settings, redis, jobs):
    wanted = {"url": SIGNED, "options": {"top": 3}, "metadata": {"id": 7}}

    body = client_with(settings, "93.184.216.34").post("/jobs", json=wanted).get_json()

    assert jobs.get(body["id"]).options.top == 3
    assert body["metadata"] == {"id": 7}


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("http://cdn.example/a.mp3", ("93.184.216.34",)),
        ("https://user:s3cret@cdn.example/a.mp3", ("93.184.216.34",)),
        ("https://127.0.0.1/a.mp3", ()),
        ("https://[::ffff:10.0.0.1]/a.mp3", ()),
        ("https://2130706433/a.mp3", ()),
        ("https://cdn.example/a.mp3", ("10.0.0.1",)),
        ("https://cdn.example/a.mp3", ("93.184.216.34", "::1")),
        ("file:///etc/passwd", ()),
        ("https://cdn.example/" + "a" * 3_000, ("93.184.216.34",)),
        ("a.mp3", ()),
    ],
    ids=range(10),
)
def test_a_url_that_must_not_be_fetched_is_refused_at_the_door(settings, redis, url, addresses):
    response = client_with(settings, *addresses).post("/jobs", json={"url": url})

    body = problem_of(response, 422, "url_blocked")
    assert [error["pointer"] for error in body["errors"]] == ["/url"]
    assert "example" not in response.text
    assert "s3cret" not in response.text
    assert redis.keys() == []


@pytest.mark.parametrize(
    ("body", "status", "code", "pointers"),
    [
        ("{", 400, "malformed_request", []),
        ("", 400, "malformed_request", []),
        ('{"url": "https://cdn.example/", "url": "https://cdn.example/b"}', 400, "malformed_request", []),
        (
            '{"url": "https://cdn.example/", "metadata": {"a": [{"b": 1, "b": 1}]}}',
            400,
            "malformed_request",
            [],
        ),
        ("[" * 65_000, 400, "malformed_request", []),
        ("[1]", 422, "invalid_request", [""]),
        ("{}", 422, "invalid_request", ["/url"]),
        ('{"url": ""}', 422, "invalid_request", ["/url"]),
        ('{"url": "https://cdn.example/\\ud800"}', 400, "malformed_request", []),
        ('{"url": 7}', 422, "invalid_request", ["/url"]),
        ('{"url": ["https://cdn.example/"]}', 422, "invalid_request", ["/url"]),
        ('{"url": "https://cdn.example/", "speed": 1}', 422, "invalid_request", ["/speed"]),
        ('{"url": "https://cdn.example/", "a~b/c": 1}', 422, "invalid_request", ["/a~0b~1c"]),
        ('{"url": "https://cdn.example/", "options": {"top": 0}}', 422, "invalid_request", ["/options/top"]),
        ('{"url": "https://cdn.example/", "metadata": {"a": NaN}}', 422, "invalid_request", ["/metadata"]),
        ('{"url": "https://cdn.example/", "metadata": "' + "x" * 70_000 + '"}', 413, "upload_too_large", []),
    ],
    ids=range(16),
)
def test_a_body_that_is_wrong_is_told_where(settings, redis, body, status, code, pointers):
    client = client_with(settings, "93.184.216.34")

    problem = problem_of(client.post("/jobs", data=body, content_type="application/json"), status, code)

    assert [error["pointer"] for error in problem.get("errors", [])] == pointers
    assert not [error for error in problem.get("errors", []) if "error" in error["detail"].lower()]
    assert redis.keys() == []


def test_a_number_however_long_is_one(settings, redis):
    body = '{"url": "https://cdn.example/a", "metadata": {"a": ' + "9" * 4_000 + "}}"

    answer = client_with(settings, "93.184.216.34").post("/jobs", data=body, content_type="application/json")

    assert answer.status_code == 202


def test_an_upload_cannot_name_a_url_as_well(client, redis):
    body = problem_of(post(client, job='{"url": "https://cdn.example/"}'), 422, "invalid_request")

    assert body["errors"][0]["pointer"] == "/url"
    assert redis.keys() == []


@pytest.mark.parametrize(
    "charset", ["latin-1", "utf-16", "utf-7", '"utf 8"', "nonsense", "utf-8; charset=latin-1"]
)
def test_json_in_another_charset_is_refused(settings, redis, charset):
    answer = client_with(settings, "93.184.216.34").post(
        "/jobs",
        data='{"url": "https://cdn.example/a"}',
        content_type=f"application/json; charset={charset}",
    )

    problem_of(answer, 415, "unsupported_media_type")
    assert redis.keys() == []


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "utf8"])
def test_json_that_says_that_it_is_utf_8_is_read(settings, redis, charset):
    answer = client_with(settings, "93.184.216.34").post(
        "/jobs",
        data='{"url": "https://cdn.example/a"}',
        content_type=f"application/json; charset={charset}",
    )

    assert answer.status_code == 202


def test_a_body_of_another_type_is_refused(client):
    problem_of(client.post("/jobs", data=WAV, content_type="audio/wav"), 415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/jobs/job_none", "/jobs/%00", "/jobs/job_1%0a"])
def test_an_unknown_job_is_404(client, path):
    problem_of(client.get(path), 404, "unknown_job")


def test_an_unknown_route_and_a_wrong_method_are_problems_too(client):
    problem_of(client.get("/nowhere"), 404, "not_found")
    response = client.delete("/jobs")
    problem_of(response, 405, "method_not_allowed")
    assert "POST" in response.headers["Allow"]


ODD = "job_" + "0dd" * 8


def test_a_surprise_is_a_problem_without_a_traceback(client, jobs, redis):
    redis.hset(Keys().job(ODD), mapping={"id": ODD, "queue": "standard", "status": "odd"})

    body = problem_of(client.get(f"/jobs/{ODD}"), 500, "internal_error")

    assert "odd" not in json.dumps(body)


def test_the_api_is_ready_with_redis_and_tells_how_many_workers_are(client, jobs):
    assert client.get("/readyz").get_json() == {"status": "ready", "workers_ready": 0}

    jobs.worker_alive("w1", model="0" * 64, seconds=60)
    jobs.worker_alive("w2", model="0" * 64, seconds=0)

    assert client.get("/readyz").get_json()["workers_ready"] == 1


def test_where_redis_is_away_nothing_is_promised(tmp_path):
    settings = Settings(redis_url="redis://127.0.0.1:1/0", audio_dir=tmp_path)
    client = create_api(settings).app.test_client()

    response = post(client)

    body = problem_of(response, 503, "store_unavailable")
    assert body["retryable"] is True
    assert response.headers["Retry-After"] == str(body["retry_after_seconds"])
    assert list(tmp_path.iterdir()) == []
    assert client.get("/readyz").status_code == 503
    assert client.get("/livez").status_code == 200


def test_accepted_and_rejected_jobs_are_counted(settings, redis):
    api = create_api(settings)
    client = api.app.test_client()

    post(client)
    post(client, job="{")

    figure = api.metrics.registry.get_sample_value
    assert figure("genrewiz_jobs_accepted_total", {"source": "upload", "queue": "standard"}) == 1
    assert figure("genrewiz_jobs_rejected_total", {"reason": "malformed_request"}) == 1
    assert figure("genrewiz_http_requests_total", {"route": "/jobs", "method": "POST", "code": "202"}) == 1


def test_methods_that_a_client_invents_share_one_label(settings, redis):
    api = create_api(settings)

    api.app.test_client().open("/jobs", method="FOO1")

    labels = {"route": "unknown", "method": "other", "code": "405"}
    assert api.metrics.registry.get_sample_value("genrewiz_http_requests_total", labels) == 1


def test_without_redis_an_upload_is_not_even_read(tmp_path):
    settings = Settings(redis_url="redis://127.0.0.1:1/0", audio_dir=tmp_path)
    body = io.BytesIO(b"x" * 1_000)

    response = (
        create_api(settings)
        .app.test_client()
        .post(
            "/jobs", input_stream=body, content_type="multipart/form-data; boundary=x", content_length=1_000
        )
    )

    assert response.status_code == 503
    assert body.tell() == 0


def test_audio_of_a_job_that_may_have_been_accepted_is_kept(settings, redis):
    api = create_api(settings)
    redis.config_set("maxmemory", 1)

    response = post(api.app.test_client())

    redis.config_set("maxmemory", 0)
    assert response.status_code == 503
    assert len(list(settings.audio_dir.iterdir())) == 1


def test_a_lost_doorbell_does_not_lose_the_job(settings, redis, jobs, monkeypatch):
    api = create_api(settings)
    redis.set("gw.standard", "not a list: every ring on it fails")

    response = post(api.app.test_client())

    assert response.status_code == 202
    assert api.metrics.registry.get_sample_value("genrewiz_ring_failures_total") == 1
    redis.delete("gw.standard")
    assert jobs.reap(rering_seconds=0).rings[0].job_id == response.get_json()["id"]
