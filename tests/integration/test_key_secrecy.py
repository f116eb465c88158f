"""A key is seen by its owner alone: no log line, no answer and no metric ever shows one, nor its hash."""

import pytest

from shared.api_keys import RIGHTS, hash_of
from shared.redis_api_keys import RedisApiKeys
from shared.redis_keys import Keys
from support.api_server import SONG_URL, WAV, api_serving
from support.jobs import UNKNOWN_PATH
from support.redis_server import redis_serving
from support.waiting import eventually

BROKEN = "job_" + "b" * 24


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_key_is_ever_in_a_log_line_an_error_or_a_metric(tmp_path, log_format):
    with redis_serving(tmp_path / "redis") as server, server.client() as redis:
        keys = RedisApiKeys(redis, Keys())
        _, good = keys.add("radio", {"read", "submit"})
        revoked, old = keys.add("old", RIGHTS)
        keys.revoke(revoked.id)
        wrong = good[:-64] + "c0ffee" * 10 + "c0ff"
        with api_serving(
            tmp_path, server.url, GENREWIZ_LOG_LEVEL="debug", GENREWIZ_LOG_FORMAT=log_format
        ) as api:
            answers = []
            for text in (good, wrong, old, good + "x"):
                headers = {"Authorization": f"Bearer {text}"}
                answers += [
                    api.http.post("/jobs", files={"file": ("a.wav", WAV)}, headers=headers),
                    api.http.post("/jobs", json={"url": SONG_URL, "queue": "high"}, headers=headers),
                    api.http.post(
                        "/jobs", content=b"{", headers=headers | {"Content-Type": "application/json"}
                    ),
                    api.http.get(UNKNOWN_PATH, headers=headers),
                    api.http.get(f"{UNKNOWN_PATH}/events?token={text}", headers=headers),
                    api.http.get(f"{UNKNOWN_PATH}/events?token={text}"),
                    api.http.get(UNKNOWN_PATH, headers={"Authorization": text}),
                    api.http.put("/jobs", headers=headers),
                ]
            # What surprises us is logged with its traceback.
            redis.set(Keys().job(BROKEN), "no hash")
            answers.append(api.http.get(f"/jobs/{BROKEN}", headers={"Authorization": f"Bearer {good}"}))
            metrics = api.http.get(f"http://127.0.0.1:{api.metrics_port}/metrics").text
            server.kill()
            eventually(
                lambda: (
                    api.http.get(UNKNOWN_PATH, headers={"Authorization": f"Bearer {wrong}"}).status_code
                    == 503
                )
            )
        log = (tmp_path / "api.log").read_text()

    codes = {answer.status_code for answer in answers}
    assert {202, 400, 401, 403, 404, 405, 500} <= codes
    assert "requests need an api key" in log
    assert "Traceback" in log
    shown = log + metrics + "".join(str(answer.headers) + answer.text for answer in answers)
    for text in (good, wrong, old):
        assert text.rpartition("_")[2] not in shown
        assert hash_of(text) not in shown


def test_an_api_without_keys_says_at_its_start_that_it_is_open(tmp_path):
    with redis_serving(tmp_path / "redis") as server, api_serving(tmp_path, server.url):
        log = (tmp_path / "api.log").read_text()

    assert "the api is open to all" in log
