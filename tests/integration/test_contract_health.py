"""What probes are told of an api that lacks something."""

import pytest

from support.api_server import ApiServer, api_serving


@pytest.fixture(scope="module")
def api(redis_url, tmp_path_factory):
    with api_serving(tmp_path_factory.mktemp("api"), redis_url, GENREWIZ_API_WORKERS="1") as api:
        yield api


def test_an_api_that_cannot_store_a_song_is_alive_and_not_ready(api: ApiServer, redis):
    elsewhere = api.audio.with_name("elsewhere")
    api.audio.rename(elsewhere)  # as a share that is no longer mounted

    ready, alive = api.http.get("/readyz"), api.http.get("/livez")

    assert (ready.status_code, ready.json()["code"]) == (503, "store_unavailable")
    assert ready.headers["Retry-After"] == str(ready.json()["retry_after_seconds"])
    assert (alive.status_code, alive.json()) == (200, {"status": "alive"})
    assert api.post().json()["code"] == "store_unavailable"
    elsewhere.rename(api.audio)
    assert api.http.get("/readyz").status_code == 200
    assert api.post().status_code == 202


def test_an_api_without_workers_is_ready_and_says_so(api: ApiServer, redis, jobs):
    assert api.http.get("/readyz").json() == {"status": "ready", "workers_ready": 0}

    jobs.worker_alive("worker", model="0" * 64, seconds=60)

    assert api.http.get("/readyz").json() == {"status": "ready", "workers_ready": 1}


def test_asking_whether_it_is_ready_leaves_nothing_in_the_store(api: ApiServer, redis):
    before = api.files()

    for _ in range(5):
        assert api.http.get("/readyz").status_code == 200

    assert api.files() == before
