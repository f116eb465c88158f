"""The create body and the job object of api.md: every field of both, at every end a job can come to."""

import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from shared.job import JobId
from shared.redis_keys import Keys
from support.api_server import CALLER, WAV, ApiServer, api_serving, headers_of
from support.jobs import failure, new_job, success
from support.waiting import eventually
from support.watching import claim, watch

URL = "https://93.184.216.34/a.mp3"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
MAX_METADATA_BYTES = 4_096

JOB = {
    "id", "status", "queue", "cancel_requested", "cached", "attempt", "created_at", "started_at",
    "finished_at", "expires_at", "progress", "source", "model", "result", "timings_seconds", "error",
    "metadata", "links",
}  # fmt: skip
PARTS = {
    "progress": {"stage", "fraction", "queue_position", "eta_seconds"},
    "source": {
        "kind", "filename", "url", "sha256", "bytes", "duration_seconds", "sample_rate", "channels", "codec",
        "truncated",
    },
    "model": {"name", "version", "sha256"},
    "result": {"genre", "confidence", "abstained_because", "top", "timeline"},
    "error": {"type", "title", "detail", "code", "retryable"},
    "links": {"self", "events", "cancel", "spectrogram"},
}  # fmt: skip
TIMINGS = {"queue", "fetch", "decode", "spectrogram", "predict", "total"}

ALL_FIELDS: dict[str, Any] = {
    "options": {"top": 3, "windows": "first", "min_confidence": 0.25, "model": "pcrnn", "spectrogram": True},
    "deadline_seconds": 300,
    "queue": "batch",
    "metadata": {"station": "fm4", "media_id": "123", "nested": {"a": [1, 2.5, None, True]}},
}


@pytest.fixture(scope="module")
def api(redis_url, tmp_path_factory):
    with api_serving(
        tmp_path_factory.mktemp("api"),
        redis_url,
        GENREWIZ_API_WORKERS="1",
        GENREWIZ_TRUSTED_PROXIES="1",
        GENREWIZ_REAP_PERIOD_SECONDS="0.2",
    ) as api:
        yield api


@pytest.fixture(autouse=True)
def empty(api: ApiServer, redis):
    """Each test begins with nothing in the store."""
    for path in api.audio.iterdir():
        path.unlink()


def by_url(api: ApiServer, job: dict[str, Any]) -> httpx.Response:
    return api.post_url(URL, **job)


def by_upload(api: ApiServer, job: dict[str, Any]) -> httpx.Response:
    return api.post(job=job)


WAYS = pytest.mark.parametrize("submit", [by_url, by_upload], ids=lambda way: way.__name__)


def shown(api: ApiServer, job_id: str) -> dict[str, Any]:
    return api.http.get(f"/jobs/{job_id}").json()


@WAYS
@pytest.mark.parametrize("left_out", [None, *ALL_FIELDS])
def test_every_field_of_the_create_body_is_optional_and_taken_by_both_ways_to_submit(
    api, redis, jobs, submit, left_out
):
    asked = {name: value for name, value in ALL_FIELDS.items() if name != left_out}

    answer = submit(api, asked)

    job = jobs.get(JobId(answer.json()["id"]))
    assert answer.status_code == 202
    assert job.queue == asked.get("queue", "standard")
    assert dict(job.metadata) == answer.json()["metadata"] == asked.get("metadata", {})
    assert job.options.model_dump() == asked.get(
        "options",
        {"top": 5, "windows": "all", "min_confidence": 0.0, "model": "pcrnn", "spectrogram": False},
    )


@WAYS
@pytest.mark.parametrize(
    ("job", "pointers"),
    [
        ({"genre": 1}, ["/genre"]),
        ({"options": {"genre": 1}}, ["/options/genre"]),
        ({"options": {"top": 0}}, ["/options/top"]),
        ({"options": {"top": 11}}, ["/options/top"]),
        ({"options": {"top": True}}, ["/options/top"]),
        ({"options": {"windows": "some"}}, ["/options/windows"]),
        ({"options": {"min_confidence": 1.01}}, ["/options/min_confidence"]),
        ({"options": {"model": "other"}}, ["/options/model"]),
        ({"options": {"spectrogram": 1}}, ["/options/spectrogram"]),
        ({"options": None}, ["/options"]),
        ({"deadline_seconds": 0}, ["/deadline_seconds"]),
        ({"deadline_seconds": 7 * 86_400 + 1}, ["/deadline_seconds"]),
        ({"deadline_seconds": "300"}, ["/deadline_seconds"]),
        ({"queue": "vip"}, ["/queue"]),
        ({"metadata": []}, ["/metadata"]),
        ({"queue": "vip", "genre": 1, "options": {"top": 0}}, ["/options/top", "/queue", "/genre"]),
    ],
)
def test_every_field_that_is_wrong_or_not_known_is_named_in_a_422(api, redis, submit, job, pointers):
    answer = submit(api, job)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers
    assert (redis.keys(), api.files()) == ([], [])


@WAYS
@pytest.mark.parametrize("letter", ["x", "ä"])
def test_metadata_of_4096_bytes_is_echoed_everywhere_and_of_one_more_is_refused(api, redis, submit, letter):
    room = MAX_METADATA_BYTES - len(json.dumps({"a": ""}, separators=(",", ":")))
    most = {"a": letter * (room // len(letter.encode()))}

    job_id = submit(api, {"metadata": most}).json()["id"]
    refused = submit(api, {"metadata": {"a": most["a"] + "xy"}})

    assert shown(api, job_id)["metadata"] == most
    (listed,) = api.http.get("/jobs", headers=headers_of(None)).json()["jobs"]
    assert listed["metadata"] == most
    with watch(api, job_id) as watcher:
        assert next(watcher.events).data["metadata"] == most
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/metadata"]


def _ends(outcome) -> Callable:
    def end(api: ApiServer, jobs, job_id: str) -> None:
        lease = claim(jobs, job_id)
        source = jobs.get(JobId(job_id)).source
        assert jobs.finish(lease, replace(outcome, source=source))

    return end


def _cancelled_in_the_queue(api: ApiServer, jobs, job_id: str) -> None:
    assert api.http.post(f"/jobs/{job_id}/cancel").status_code == 200


def _expired(api: ApiServer, jobs, job_id: str) -> None:
    eventually(lambda: jobs.get(JobId(job_id)).is_finished)


def _nothing(api: ApiServer, jobs, job_id: str) -> None:
    """It waits."""


def _runs(api: ApiServer, jobs, job_id: str) -> None:
    jobs.progress(claim(jobs, job_id), stage="decode", fraction=0.5)


MOMENTS: dict[str, tuple[str, Callable, dict[str, Any], set[str]]] = {
    "waits": ("queued", _nothing, {}, {"created_at"}),
    "runs": ("running", _runs, {}, {"created_at", "started_at"}),
    "succeeded": (
        "succeeded",
        _ends(success()),
        {},
        {"created_at", "started_at", "finished_at", "expires_at"},
    ),
    "failed": ("failed", _ends(failure()), {}, {"created_at", "started_at", "finished_at", "expires_at"}),
    "was cancelled in its run": (
        "cancelled",
        _ends(replace(success(), result=None)),
        {},
        {"created_at", "started_at", "finished_at", "expires_at"},
    ),
    "was cancelled in the queue": (
        "cancelled",
        _cancelled_in_the_queue,
        {},
        {"created_at", "finished_at", "expires_at"},
    ),
    "expired": ("expired", _expired, {"deadline_seconds": 1}, {"created_at", "finished_at", "expires_at"}),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_job_has_every_field_at_every_moment_and_is_the_same_wherever_it_is_shown(api, redis, jobs, moment):
    status, happens, asked, times = MOMENTS[moment]
    posted = api.post(job=asked, caller=CALLER)
    job_id = posted.json()["id"]

    happens(api, jobs, job_id)
    job = shown(api, job_id)

    assert job["status"] == status
    for body in (posted.json(), job):
        assert set(body) == JOB
        for part, fields in PARTS.items():
            assert body[part] is None or set(body[part]) == fields, part
    assert (job["result"] is not None, job["error"] is not None) == (
        status == "succeeded",
        status == "failed",
    )
    assert job["timings_seconds"] is None or set(job["timings_seconds"]) <= TIMINGS
    assert (job["timings_seconds"] is None) == ("started_at" not in times)
    of_time = {name for name in JOB if name.endswith("_at") and job[name] is not None}
    assert of_time == times
    assert all(TIME.fullmatch(job[name]) for name in of_time)
    assert [job[name] for name in ("created_at", "started_at", "finished_at", "expires_at") if job[name]] == (
        sorted(job[name] for name in of_time)
    )
    assert job["links"] == {
        "self": f"/jobs/{job_id}",
        "events": f"/jobs/{job_id}/events",
        "cancel": f"/jobs/{job_id}/cancel",
        "spectrogram": None,
    }
    (listed,) = api.http.get("/jobs", headers=headers_of(None)).json()["jobs"]
    with watch(api, job_id) as watcher:
        snapshot = next(watcher.events).data
    assert snapshot == job
    if job["result"]:
        del job["result"]["timeline"]
    assert listed == job


def test_a_job_that_waits_has_a_place_and_one_that_runs_has_a_stage(api, redis, jobs):
    first, second = (api.post(WAV + bytes([number])).json()["id"] for number in range(2))
    assert [shown(api, job_id)["progress"]["queue_position"] for job_id in (first, second)] == [0, 1]

    _runs(api, jobs, first)

    running, waiting = shown(api, first), shown(api, second)
    assert (running["progress"]["stage"], running["progress"]["fraction"]) == ("decode", 0.5)
    assert (running["progress"]["queue_position"], waiting["progress"]["queue_position"]) == (None, 0)
    assert (running["attempt"], waiting["attempt"]) == (1, 0)


@pytest.mark.parametrize("seed", range(5))
def test_every_job_that_stays_is_on_exactly_one_page_while_others_come_end_and_go(api, redis, jobs, seed):
    dice = random.Random(seed)
    numbers = iter(range(1, 10_000))

    def come() -> str:
        new = new_job(next(numbers), caller=CALLER)
        jobs.accept(new)
        return new.id

    ids = [come() for _ in range(25)]
    stay = set(dice.sample(ids, 15))
    leave = [job_id for job_id in ids if job_id not in stay]
    seen: list[str] = []
    path: str | None = f"/jobs?limit={dice.randint(1, 4)}"
    while path:
        answer = api.http.get(path, headers=headers_of(None)).json()
        assert "jobs" in answer, (path, answer)
        page = [job["id"] for job in answer["jobs"]]
        seen += page
        path = answer["next_cursor"] and f"/jobs?limit={dice.randint(1, 4)}&cursor={answer['next_cursor']}"
        come()
        gone = page[-1] if page and page[-1] in leave else dice.choice(leave) if leave else None
        if gone:  # preferably the one at which the page ended
            leave.remove(gone)
            api.http.delete(f"/jobs/{gone}")
        waiting = [job_id for job_id in stay if jobs.get(JobId(job_id)).status == "queued"]
        for job_id in dice.sample(waiting, min(2, len(waiting))):
            jobs.finish(claim(jobs, job_id), success())

    assert len(set(seen)) == len(seen)
    assert set(seen) >= stay
    assert seen == sorted(seen, key=ids.index, reverse=True)  # none that came meanwhile


@pytest.mark.parametrize("accepted_at", [1795452354.647349, 1795452359.968943, 1700000000.0, 1700000000.5])
def test_a_cursor_is_taken_back_however_the_server_writes_the_time_in_it(api, redis, jobs, accepted_at):
    older, newer = new_job(1, caller=CALLER), new_job(2, caller=CALLER)
    for new in (older, newer):
        jobs.accept(new)
    # The first two are written with an exponent, as one time of a hundred is.
    redis.zadd(Keys().jobs_of(CALLER), {older.id: accepted_at - 1, newer.id: accepted_at})

    first = api.http.get("/jobs?limit=1", headers=headers_of(None))
    second = api.http.get(first.links["next"]["url"], headers=headers_of(None))

    assert [job["id"] for job in first.json()["jobs"]] == [newer.id]
    assert [job["id"] for job in second.json()["jobs"]] == [older.id]
    assert second.json()["next_cursor"] is None
