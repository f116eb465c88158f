"""Watching real songs: two api processes, a real worker."""

from support.long_audio import long_mp3
from support.service import Service
from support.sse import Watcher

STAGES = ["fetch", "decode", "predict"]


def test_the_answer_streams_in_while_the_song_is_being_heard(service: Service):
    job_id = service.submit("long.mp3", long_mp3(hours=0.033))

    with Watcher(f"{service.url}/jobs/{job_id}/events") as watcher:
        events = list(watcher.events)

    names = [event.name for event in events]
    windows = [event.data for event in events if event.name == "window"]
    job = events[-1].data
    assert (names[0], names[-1], names.count("finished")) == ("snapshot", "finished", 1)
    assert job == service.get(job_id)
    assert job["status"] == "succeeded"
    assert windows == [{"attempt": 1} | entry for entry in job["result"]["timeline"]]
    assert len(windows) > 5
    stages = [event.data["stage"] for event in events if event.name == "progress"]
    assert stages == sorted(stages, key=STAGES.index)


def test_a_watcher_who_comes_back_after_each_event_misses_none_and_sees_none_twice(service: Service):
    job_id = service.submit("long.mp3", long_mp3(hours=0.033))
    seen, last = [], "0-0"

    while not seen or seen[-1].name != "finished":
        with Watcher(f"{service.url}/jobs/{job_id}/events", last_event_id=last) as watcher:
            seen.append(next(watcher.events))
        last = seen[-1].id

    with Watcher(f"{service.url}/jobs/{job_id}/events", last_event_id="0-0") as watcher:
        whole = list(watcher.events)
    assert seen == whole
    assert [event.data for event in seen if event.name == "window"] == [
        {"attempt": 1} | entry for entry in seen[-1].data["result"]["timeline"]
    ]


def test_who_submits_a_song_and_waits_has_its_genre_in_one_request(service: Service, sample):
    answer = service.http.post(
        "/jobs", files={"file": ("a.mp3", sample)}, headers={"Prefer": "wait=30"}, timeout=120
    )

    assert answer.headers["Preference-Applied"] == "wait=30"
    if answer.status_code == 202:  # a machine on which a song takes longer than that
        assert answer.json()["status"] in ("queued", "running")
    else:
        assert answer.status_code == 200
        assert answer.json()["result"]["genre"]
