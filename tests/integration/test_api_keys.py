"""Who may do what: API keys, rights and other callers' jobs, on a real server."""

import io
from hashlib import sha256

import pytest
from flask.testing import FlaskClient

from api.app import create_api
from api.rights import NEEDED, OPEN, right_for
from api.sse import HEARTBEAT
from shared.api_keys import RIGHTS
from shared.errors import StoreUnavailable
from shared.redis_api_keys import USED_EVERY_SECONDS, RedisApiKeys
from shared.redis_keys import Keys
from shared.settings import Settings
from support.api_server import WAV
from support.jobs import UNKNOWN
from support.redis_server import redis_serving
from support.waiting import eventually
from support.webhook_api import UNKNOWN_DELIVERY, UNKNOWN_ENDPOINT

AWAY = "redis://127.0.0.1:1/0"


@pytest.fixture
def keys(redis) -> RedisApiKeys:
    return RedisApiKeys(redis, Keys())


@pytest.fixture
def client(settings, redis) -> FlaskClient:
    return create_api(settings).app.test_client()


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def submitted(client: FlaskClient, text: str | None = None, *, queue: str = "standard"):
    return client.post(
        "/jobs",
        data={"file": (io.BytesIO(WAV), "song.wav"), "job": f'{{"queue": "{queue}"}}'},
        headers=bearer(text) if text else {},
    )


def code_of(response) -> tuple[int, str | None]:
    return response.status_code, (response.get_json(silent=True) or {}).get("code")


def all_routes() -> list[tuple[str, str]]:
    app = create_api(Settings(redis_url=AWAY, audio_dir="/tmp/genrewiz-no-audio")).app
    return sorted(
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    )


@pytest.fixture(scope="module")
def no_audio(tmp_path_factory):
    return tmp_path_factory.mktemp("audio")


ROUTES = all_routes()
GUARDED = [(method, rule) for method, rule in ROUTES if rule not in OPEN]
OF_A_JOB = [(method, rule) for method, rule in GUARDED if "<job_id>" in rule]


def path_of(rule: str, job_id: str = UNKNOWN) -> str:
    ids = {"<job_id>": job_id, "<endpoint_id>": UNKNOWN_ENDPOINT, "<delivery_id>": UNKNOWN_DELIVERY}
    for name, text in ids.items():
        rule = rule.replace(name, text)
    return rule


@pytest.mark.parametrize(("method", "rule"), ROUTES)
def test_every_route_is_open_or_needs_a_right(method, rule):
    assert (rule in OPEN) is (right_for(method, rule) is None), (
        f"{method} {rule} stands nowhere in api/rights.py"
    )


def test_no_route_of_jobs_is_open_and_each_names_the_job_as_the_guard_does():
    assert not {rule for rule in OPEN if rule.startswith("/jobs")}
    of_jobs = [rule for _, rule in (*GUARDED, *NEEDED) if not rule.startswith("/webhook-")]
    assert all(rule == "/jobs" or rule.startswith("/jobs/<job_id>") for rule in of_jobs)
    assert len(OF_A_JOB) >= 2


def test_no_route_of_webhooks_is_open_and_each_names_what_it_is_of_as_its_service_does():
    named = ("/webhook-endpoints/<endpoint_id>", "/webhook-deliveries/<delivery_id>")
    found = [rule for _, rule in (*GUARDED, *NEEDED) if not rule.startswith("/jobs")]

    assert not {rule for rule in OPEN if rule.startswith("/webhook-")}
    assert all(rule.count("/") == 1 or rule.startswith(named) for rule in found)
    assert len(found) >= 22


@pytest.mark.parametrize(("method", "rule"), GUARDED)
def test_with_keys_on_no_route_answers_a_stranger(client, keys, method, rule):
    keys.add("radio", RIGHTS)

    for headers in (
        {},
        bearer("nonsense"),
        bearer(f"gw_{'0' * 12}_{'0' * 64}"),
        {"Authorization": "Basic eDp5"},
    ):
        response = client.open(path_of(rule), method=method, headers=headers)

        assert code_of(response) == (401, "unauthorized")
        assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "rule"), OF_A_JOB)
def test_with_keys_on_a_stranger_is_not_told_what_can_be_an_id(client, keys, redis, method, rule):
    _, text = keys.add("radio", RIGHTS)

    with redis.monitor() as monitor:
        for query in ("", "?token=made-up"):
            response = client.open(path_of(rule, "job_odd") + query, method=method)
            assert code_of(response) == (401, "unauthorized")
        allowed = client.open(path_of(rule, "job_odd"), method=method, headers=bearer(text))
        assert code_of(allowed) == (404, "unknown_job")
        redis.echo("that was all")
        while "that was all" not in (command := monitor.next_command()["command"]):
            assert "job_odd" not in command  # nothing is asked of the store by such an id


@pytest.mark.parametrize(("method", "rule"), GUARDED)
def test_each_route_needs_its_right_and_no_other(client, keys, method, rule):
    needed = right_for(method, rule)
    _, without = keys.add("without", set(RIGHTS) - {needed})
    _, with_it = keys.add("with", {needed})

    refused = client.open(path_of(rule), method=method, headers=bearer(without))
    allowed = client.open(path_of(rule), method=method, headers=bearer(with_it))

    assert code_of(refused) == (403, "missing_right")
    assert needed in refused.get_json()["detail"]
    assert allowed.status_code not in (401, 403)


@pytest.mark.parametrize(("method", "rule"), OF_A_JOB)
def test_another_keys_job_is_404_on_every_route_and_stays_as_it_was(client, keys, jobs, method, rule):
    _, mine = keys.add("mine", RIGHTS)
    _, other = keys.add("other", RIGHTS)
    job_id = submitted(client, mine).get_json()["id"]
    unknown = client.open(path_of(rule), method=method, headers=bearer(other))

    response = client.open(path_of(rule, job_id), method=method, headers=bearer(other))

    assert code_of(response) == code_of(unknown) == (404, "unknown_job")
    assert response.get_json()["detail"] == unknown.get_json()["detail"]
    assert jobs.get(job_id).status == "queued"
    # Closed: of an open stream the watch would go on.
    with client.open(path_of(rule, job_id), method=method, headers=bearer(mine), buffered=False) as ours:
        seen = (ours.status_code, "") if ours.is_streamed else code_of(ours)
    assert seen not in ((404, "unknown_job"), (401, "unauthorized"), (403, "missing_right"))


def test_another_keys_job_stays_404_when_its_result_is_gone(client, settings, keys, redis):
    _, mine = keys.add("mine", RIGHTS)
    _, other = keys.add("other", RIGHTS)
    job_id = submitted(client, mine).get_json()["id"]
    client.post(f"/jobs/{job_id}/cancel", headers=bearer(mine))
    redis.delete(Keys().job(job_id))  # as when its time is over
    client = create_api(settings).app.test_client()  # one that has not seen whose it was

    assert code_of(client.get(f"/jobs/{job_id}", headers=bearer(other))) == (404, "unknown_job")
    assert code_of(client.get(f"/jobs/{job_id}", headers=bearer(mine))) == (410, "result_gone")


def test_without_any_key_all_is_open_whatever_is_sent(client):
    job_id = submitted(client, queue="high").get_json()["id"]

    assert client.get(f"/jobs/{job_id}").status_code == 200
    assert client.get(f"/jobs/{job_id}", headers=bearer("nonsense")).status_code == 200


def test_a_job_of_the_open_service_belongs_to_no_key(client, keys):
    job_id = submitted(client).get_json()["id"]
    _, text = keys.add("radio", RIGHTS)

    eventually(lambda: code_of(client.get(f"/jobs/{job_id}", headers=bearer(text))) == (404, "unknown_job"))


def test_the_probes_the_page_and_its_files_are_open_with_keys_on(client, keys):
    keys.add("radio", RIGHTS)

    page = ("/", f"/r/job_{'0' * 24}", "/static/samples/nightdrive.mp3", "/static/page/licenses.md")
    for path in ("/livez", "/readyz", *page, "/models", "/models/pcrnn"):
        assert client.get(path).status_code == 200, path


def test_what_the_api_is_can_be_read_without_a_key(client, keys):
    keys.add("radio", RIGHTS)

    for path in ("/openapi.json", "/docs", "/docs/swagger-ui-bundle.js", "/problems/unauthorized"):
        assert client.get(path).status_code == 200, path


def test_a_key_that_was_revoked_is_refused(client, keys):
    _, first = keys.add("first", RIGHTS)
    second, text = keys.add("second", RIGHTS)
    assert submitted(client, text).status_code == 202

    keys.revoke(second.id)

    eventually(lambda: code_of(submitted(client, text)) == (401, "unauthorized"))
    assert submitted(client, first).status_code == 202


def test_when_the_last_key_is_revoked_the_service_stays_closed_until_it_is_opened(client, keys):
    key, text = keys.add("only", RIGHTS)
    keys.revoke(key.id)

    eventually(lambda: code_of(submitted(client, text)) == (401, "unauthorized"))
    assert code_of(submitted(client)) == (401, "unauthorized")

    assert keys.open_to_all()
    eventually(lambda: submitted(client).status_code == 202)


def test_a_service_with_keys_is_not_opened(keys):
    keys.add("radio", RIGHTS)

    assert not keys.open_to_all()
    assert keys.keys_on()


def test_the_queue_high_needs_its_right_and_a_refused_song_is_not_kept(client, keys, settings, jobs):
    _, plain = keys.add("plain", {"read", "submit"})
    _, fast = keys.add("fast", RIGHTS)

    refused = submitted(client, plain, queue="high")
    by_url = client.post(
        "/jobs", json={"url": "https://93.184.216.34/a.mp3", "queue": "high"}, headers=bearer(plain)
    )

    assert code_of(refused) == code_of(by_url) == (403, "missing_right")
    assert "high" in refused.get_json()["detail"]
    assert list(settings.audio_dir.iterdir()) == []
    assert jobs.depths().queued == 0
    assert submitted(client, fast, queue="high").status_code == 202


def test_a_quota_is_that_of_the_key_and_not_of_the_address(settings, keys):
    client = create_api(settings.model_copy(update={"max_waiting_jobs_per_caller": 1})).app.test_client()
    _, first = keys.add("first", RIGHTS)
    _, second = keys.add("second", RIGHTS)

    assert submitted(client, first).status_code == 202
    assert code_of(submitted(client, first)) == (429, "quota_exceeded")
    assert submitted(client, second).status_code == 202


def test_the_same_idempotency_key_of_two_api_keys_makes_two_jobs(client, keys):
    texts = [keys.add(name, RIGHTS)[1] for name in ("first", "second")]

    ids = {
        client.post(
            "/jobs",
            json={"url": "https://93.184.216.34/a.mp3"},
            headers=bearer(text) | {"Idempotency-Key": "one"},
        ).get_json()["id"]
        for text in texts * 2
    }

    assert len(ids) == 2


def test_nothing_that_is_kept_in_redis_holds_the_key(keys, redis):
    key, text = keys.add("radio", RIGHTS)

    kept = str([redis.hgetall(Keys().api_key(key.id)), redis.zrange(Keys().api_keys, 0, -1), redis.keys()])

    assert text not in kept
    assert text.rpartition("_")[2] not in kept


def test_the_last_use_is_written_at_most_once_a_minute_and_revives_no_revoked_key(keys, redis):
    key, _ = keys.add("radio", RIGHTS)
    assert keys.look_up(key.id).use_is_due
    keys.used(key.id)
    used_at = keys.look_up(key.id).key.last_used_at
    assert not keys.look_up(key.id).use_is_due

    redis.hset(Keys().api_key(key.id), "last_used_at", int(used_at) - 5)
    keys.used(key.id)
    assert keys.look_up(key.id).key.last_used_at == int(used_at) - 5
    redis.hset(Keys().api_key(key.id), "last_used_at", int(used_at) - USED_EVERY_SECONDS)
    assert keys.look_up(key.id).use_is_due
    keys.used(key.id)
    assert keys.look_up(key.id).key.last_used_at >= used_at

    keys.revoke(key.id)
    keys.used(key.id)
    assert keys.look_up(key.id).key is None
    assert keys.all() == []


def test_a_request_with_a_key_is_seen_as_its_use(client, keys):
    key, text = keys.add("radio", RIGHTS)

    submitted(client, text)

    assert keys.all()[0].last_used_at >= int(key.created_at)


@pytest.mark.parametrize(("method", "rule"), GUARDED)
def test_without_redis_no_route_is_open(tmp_path, method, rule):
    with redis_serving(tmp_path / "redis") as server:
        settings = Settings(redis_url=server.url, audio_dir=tmp_path / "audio")
        client = create_api(settings).app.test_client()
        server.kill()

        for headers in ({}, bearer(f"gw_{'0' * 12}_{'0' * 64}")):
            response = client.open(path_of(rule), method=method, headers=headers)
            assert code_of(response) == (503, "store_unavailable")


def test_while_keys_cannot_be_looked_up_nobody_is_let_in(client, keys, monkeypatch):
    job_id = submitted(client).get_json()["id"]

    def away(*_: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(RedisApiKeys, "look_up", away)

    eventually(lambda: code_of(client.get(f"/jobs/{job_id}")) == (503, "store_unavailable"))
    assert code_of(submitted(client)) == (503, "store_unavailable")


def test_a_token_opens_the_events_of_its_job_and_nothing_else(client, keys):
    _, text = keys.add("radio", RIGHTS)
    job_id = submitted(client, text).get_json()["id"]
    client.post(f"/jobs/{job_id}/cancel", headers=bearer(text))  # its stream ends at once
    other = submitted(client, text).get_json()["id"]
    token = client.post(f"/jobs/{job_id}/events-token", headers=bearer(text)).get_json()["token"]

    with client.get(f"/jobs/{job_id}/events?token={token}") as opened:
        assert opened.status_code == 200
    assert code_of(client.get(f"/jobs/{job_id}/events?token={token}x")) == (401, "unauthorized")
    assert code_of(client.get(f"/jobs/{other}/events?token={token}")) == (401, "unauthorized")
    assert code_of(client.get(f"/jobs/{job_id}?token={token}")) == (401, "unauthorized")
    assert code_of(client.post(f"/jobs/{other}/cancel?token={token}")) == (401, "unauthorized")


def test_a_token_is_refused_once_the_key_that_got_it_was_revoked(client, keys, redis):
    keys.add("first", RIGHTS)  # with one key more the service stays closed
    second, text = keys.add("second", RIGHTS)
    job_id = submitted(client, text).get_json()["id"]
    client.post(f"/jobs/{job_id}/cancel", headers=bearer(text))  # its stream ends at once
    token = client.post(f"/jobs/{job_id}/events-token", headers=bearer(text)).get_json()["token"]
    redis.persist(Keys().events_token(sha256(token.encode()).hexdigest()))  # its own time does not end it
    path = f"/jobs/{job_id}/events?token={token}"

    def status() -> int:
        with client.get(path) as response:
            return response.status_code

    assert status() == 200
    keys.revoke(second.id)

    eventually(lambda: status() == 401)


@pytest.mark.parametrize("by", ["key", "token"])
def test_an_open_stream_ends_once_its_key_was_revoked(settings, redis, keys, by):
    api = create_api(settings, heartbeat_seconds=0.1)
    client = api.app.test_client()
    keys.add("first", RIGHTS)
    second, text = keys.add("second", RIGHTS)
    job_id = submitted(client, text).get_json()["id"]
    token = client.post(f"/jobs/{job_id}/events-token", headers=bearer(text)).get_json()["token"]
    given = {"headers": bearer(text)} if by == "key" else {"query_string": {"token": token}}

    with client.get(f"/jobs/{job_id}/events", buffered=False, **given) as stream:
        beats = iter(stream.response)
        eventually(lambda: next(beats) == HEARTBEAT)
        assert HEARTBEAT in (next(beats), next(beats))  # it goes on by itself
        keys.revoke(second.id)

        eventually(lambda: next(beats, None) is None)
    api.hub.stop()


def test_a_token_of_the_open_service_opens_nothing_once_there_are_keys(client, keys, redis):
    job_id = submitted(client).get_json()["id"]
    token = client.post(f"/jobs/{job_id}/events-token").get_json()["token"]
    redis.persist(Keys().events_token(sha256(token.encode()).hexdigest()))
    keys.add("radio", RIGHTS)

    def code() -> tuple[int, str | None]:
        with client.get(f"/jobs/{job_id}/events?token={token}") as response:
            return (200, None) if response.is_streamed else code_of(response)

    eventually(lambda: code() == (401, "unauthorized"))
