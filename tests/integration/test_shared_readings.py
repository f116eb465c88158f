"""Many watchers of one job, on a real gunicorn: they are told the same, and Redis is asked once."""

from contextlib import ExitStack

from support.api_server import api_serving
from support.jobs import new_job, success
from support.sse import Watcher

WATCHERS = 20


def test_all_watchers_of_a_job_are_told_by_one_reading(redis_url, tmp_path, redis, jobs):
    new = new_job()
    jobs.accept(new)
    lease = jobs.claim(new.id, owner="w", lease_seconds=600).lease
    with api_serving(tmp_path, redis_url, GENREWIZ_API_WORKERS="1") as api, ExitStack() as stack:
        url = f"http://127.0.0.1:{api.port}/jobs/{new.id}/events"
        watchers = [stack.enter_context(Watcher(url)) for _ in range(WATCHERS)]
        jobs.progress(lease, stage="decode", fraction=0.25)
        for watcher in watchers:  # each has looked at his subscription's beginning, too
            watcher.until("progress")

        before = looks(redis)
        jobs.progress(lease, stage="decode", fraction=0.5)
        told = [watcher.until("progress")[-1] for watcher in watchers]
        between = looks(redis)
        jobs.finish(lease, success())
        ends = [watcher.until("finished")[-1] for watcher in watchers]

    assert {event.data["fraction"] for event in told} == {0.5}
    assert len({event.id for event in told}) == 1
    assert {event.data["status"] for event in ends} == {"succeeded"}
    assert between - before < WATCHERS  # two of each reading


def looks(redis) -> int:
    """Into streams, so far."""
    return int(redis.info("commandstats")["cmdstat_xrange"]["calls"])
