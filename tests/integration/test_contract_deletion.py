"""What a deletion takes with it: events, picture, those who watch or wait; and what it says in the logs."""

from dataclasses import replace

import pytest

from shared.job import JobId
from shared.picture_store import DirectoryPictureStore
from shared.redis_keys import Keys
from support.jobs import new_job, success
from support.lines import about, speaking
from support.waiting import eventually
from support.watching import claim, meanwhile, names, watch, watchers, windows

PATIENCE_SECONDS = 12  # less than a heartbeat, at which everybody looks for himself


def given_back(jobs, job_id: str) -> None:
    """A job that ran a while, and waits again."""
    lease = claim(jobs, job_id)
    jobs.progress(lease, stage="decode", fraction=0.5, windows=windows(0, 2))
    assert jobs.release(lease)


def test_delete_removes_the_events_the_record_and_the_picture_and_leaves_a_tombstone(apis, jobs, redis):
    api = apis[0]
    job_id = api.post(job={"options": {"spectrogram": True}}).json()["id"]
    source = jobs.get(JobId(job_id)).source
    jobs.finish(claim(jobs, job_id), replace(success(), source=source), windows=windows(0, 3))
    DirectoryPictureStore(api.audio).put(JobId(job_id), b"\x89PNG")
    picture = f"/jobs/{job_id}/spectrogram.png"
    assert api.http.get(picture).status_code == 200
    assert redis.exists(Keys().events(job_id)) == 1

    assert api.http.delete(f"/jobs/{job_id}").status_code == 204

    assert redis.keys(f"*{job_id}*") == [Keys().gone(job_id)]
    assert api.files() == []
    for path in ("", "/events", "/spectrogram.png"):
        gone = api.http.get(f"/jobs/{job_id}{path}")
        assert (gone.status_code, gone.json()["code"]) == (410, "result_gone"), path
    token = api.http.post(f"/jobs/{job_id}/events-token")
    assert (token.status_code, token.json()["code"]) == (410, "result_gone")


@pytest.mark.parametrize("has_run", [False, True], ids=["never ran", "was given back"])
def test_who_watches_a_job_that_is_deleted_at_another_api_is_told_reset_at_once(apis, jobs, redis, has_run):
    job_id = apis[1].post().json()["id"]
    if has_run:
        given_back(jobs, job_id)
    with watch(apis[0], job_id) as watcher:
        watcher.until("snapshot")
        eventually(lambda: redis.pubsub_numsub(Keys().events(job_id))[0][1] == 1)

        assert apis[1].http.delete(f"/jobs/{job_id}").status_code == 204

        eventually(lambda: watchers(apis[0]) == 0, seconds=PATIENCE_SECONDS)
        rest = list(watcher.events)

    assert names(rest) == ["reset"]
    assert rest[0].data == {}


def test_who_waits_for_a_job_that_is_deleted_is_told_410_at_once(apis, jobs, redis):
    job_id = apis[0].post().json()["id"]
    ask = {"Prefer": "wait=25"}
    with meanwhile(lambda: apis[0].http.get(f"/jobs/{job_id}", headers=ask)) as answer:
        eventually(lambda: redis.pubsub_numsub(Keys().events(job_id))[0][1] == 1)

        apis[1].http.delete(f"/jobs/{job_id}")

        eventually(answer.done, seconds=PATIENCE_SECONDS)
    assert (answer.result().status_code, answer.result().json()["code"]) == (410, "result_gone")
    assert watchers(apis[0]) == 0


def test_who_submits_and_waits_is_told_at_once_that_it_was_accepted_though_it_is_deleted(apis, jobs, redis):
    url, ask = "https://93.184.216.34/a.mp3", {"Prefer": "wait=30"}
    with meanwhile(lambda: apis[0].http.post("/jobs", json={"url": url}, headers=ask)) as answer:
        (key,) = eventually(lambda: redis.keys(Keys().job("*")))
        job_id = key.rpartition(":")[2]
        eventually(lambda: redis.pubsub_numsub(Keys().events(job_id))[0][1] == 1)

        apis[1].http.delete(f"/jobs/{job_id}")

        eventually(answer.done, seconds=PATIENCE_SECONDS)
    assert (answer.result().status_code, answer.result().json()["status"]) == (202, "queued")
    assert answer.result().headers["Location"] == f"/jobs/{job_id}"
    assert apis[0].http.get(f"/jobs/{job_id}").status_code == 410


def test_a_deletion_is_one_line_of_the_jobs_story_however_often_it_is_asked_for(redis_url, redis, tmp_path):
    with speaking(tmp_path, redis_url) as both:
        sent = {"X-Request-Id": "makes"}
        job_id = both.api.http.post(
            "/jobs", json={"url": "https://93.184.216.34/a.mp3"}, headers=sent
        ).json()["id"]
        for number in range(3):
            both.api.http.delete(f"/jobs/{job_id}", headers={"X-Request-Id": f"deletes-{number}"})
        unknown = both.api.http.delete(f"/jobs/{new_job(9).id}", headers={"X-Request-Id": "last"})
        eventually(lambda: about(both.lines(), request_id="last", event="request answered"))
        lines = both.lines()

    assert unknown.status_code == 404
    (line,) = about(lines, event="job deleted")
    assert (line["job_id"], line["request_id"], line["by_request_id"]) == (job_id, "makes", "deletes-0")
