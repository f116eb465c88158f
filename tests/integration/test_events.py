"""The stream of a job's events on a real server: every change tells of itself, in the same script."""

from dataclasses import replace

import pytest
from redis import Redis

from shared.classification import TimelineEntry
from shared.errors import ResultGone, UnknownJob
from shared.job import JobId, JobStatus, Lease
from shared.job_events import BEFORE_ALL, ProgressEvent, WindowEvent, Windows
from shared.redis_events import TOKEN_SECONDS, RedisEvents
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.transitions import Hold
from support.jobs import new_job, success
from support.waiting import eventually

LEASE_SECONDS = 60


@pytest.fixture
def events(redis: Redis) -> RedisEvents:
    return RedisEvents(redis, Keys())


def claim(jobs: RedisJobStore, job_id: JobId, owner: str = "worker-1") -> Lease:
    claimed = jobs.claim(job_id, owner=owner, lease_seconds=LEASE_SECONDS)
    assert claimed.lease is not None
    return claimed.lease


def lapse(jobs: RedisJobStore, redis: Redis, job_id: JobId) -> None:
    """As if the worker had been silent for longer than its lease."""
    redis.zadd(Keys().running, {job_id: 1})
    jobs.reap(rering_seconds=60)


def windows(first: int, count: int) -> Windows:
    return Windows(
        first=first,
        entries=tuple(
            TimelineEntry(
                start_seconds=15.0 * number,
                end_seconds=15.0 * number + 30,
                genre="rock",
                probabilities=(0.75, 0.25),
            )
            for number in range(first, first + count)
        ),
    )


def kinds(redis: Redis, job_id: JobId) -> list[str]:
    """What stands in the stream: kinds, and of progress what it says."""
    return [
        f"{fields['status']} {fields['attempt']} {fields['stage']}".strip()
        if fields["kind"] == "progress"
        else fields["kind"]
        for _, fields in redis.xrange(Keys().events(job_id))
    ]


def test_a_job_that_waits_has_no_stream(jobs, job_id, redis):
    before = set(redis.hkeys(Keys().job(job_id)))

    assert not redis.exists(Keys().events(job_id))
    assert not {field for field in before if "event" in field}


def test_every_change_of_a_run_is_an_event(jobs, job_id, redis):
    lease = claim(jobs, job_id)
    jobs.progress(lease, stage="decode", fraction=0.25, windows=windows(0, 2))
    jobs.finish(lease, success(), windows=windows(2, 1))

    assert kinds(redis, job_id) == [
        "running 1 fetch",
        "running 1 decode",
        "window",
        "window",
        "window",
        "finished",
    ]


def test_a_job_that_is_given_back_or_lost_says_so(jobs, job_id, redis):
    jobs.release(claim(jobs, job_id))
    claim(jobs, job_id, "worker-2")
    lapse(jobs, redis, job_id)

    assert kinds(redis, job_id) == ["running 1 fetch", "queued 0", "running 1 fetch", "queued 1"]


def test_the_wish_to_cancel_is_one_event(jobs, job_id, redis, events):
    claim(jobs, job_id)

    jobs.cancel(job_id)
    jobs.cancel(job_id)

    told = events.read(job_id, BEFORE_ALL).events
    assert [event.cancel_requested for event in told] == [False, True]


@pytest.mark.parametrize("end", ["reaped", "released", "cancelled", "exhausted"])
def test_every_end_of_a_job_that_ran_is_an_event_and_the_stream_goes_before_the_result(
    jobs, job_id, redis, end
):
    lease = claim(jobs, job_id)
    if end == "exhausted":
        for owner in ("worker-2", "worker-3"):
            lapse(jobs, redis, job_id)
            claim(jobs, job_id, owner)
        lapse(jobs, redis, job_id)
    else:
        jobs.cancel(job_id)
        if end == "released":
            jobs.release(lease)
        elif end == "reaped":
            lapse(jobs, redis, job_id)
        else:
            jobs.finish(lease, replace(success(), result=None))

    assert jobs.get(job_id).is_finished
    assert kinds(redis, job_id)[-1] == "finished"
    assert kinds(redis, job_id).count("finished") == 1
    assert 0 < redis.ttl(Keys().events(job_id)) <= redis.ttl(Keys().job(job_id))


def test_a_stream_is_never_kept_for_longer_than_its_result(jobs, redis):
    new = new_job(result_ttl_seconds=20)
    jobs.accept(new)
    jobs.finish(claim(jobs, new.id), success())

    assert 0 < redis.ttl(Keys().events(new.id)) <= 20


@pytest.mark.parametrize("end", ["cancelled", "expired"])
def test_a_job_that_ends_before_it_ran_has_no_stream_and_its_watchers_are_told(jobs, redis, events, end):
    new = new_job(deadline_seconds=1_000)
    jobs.accept(new)
    with redis.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe(Keys().events(new.id))
        channel.get_message(timeout=10)
        if end == "cancelled":
            jobs.cancel(new.id)
        else:
            redis.zadd(Keys().deadlines, {new.id: 1})
            jobs.expire()

        heard = eventually(lambda: channel.get_message(timeout=1))

    assert heard["data"] == "finished"
    assert not redis.exists(Keys().events(new.id))
    assert events.read(new.id, BEFORE_ALL).job.status == end


def test_what_a_zombie_says_is_no_event(jobs, job_id, redis):
    zombie = claim(jobs, job_id)
    lapse(jobs, redis, job_id)
    claim(jobs, job_id, "worker-2")
    before = kinds(redis, job_id)

    assert jobs.progress(zombie, stage="decode", fraction=0.9, windows=windows(0, 3)) is Hold.LOST
    assert not jobs.finish(zombie, success(), windows=windows(3, 1))
    assert kinds(redis, job_id) == before


def test_what_is_said_again_because_the_reply_was_lost_is_one_event(jobs, job_id, redis):
    lease = claim(jobs, job_id)
    for _ in range(2):
        jobs.progress(lease, stage="decode", fraction=0.25, windows=windows(0, 2))
    jobs.progress(lease, stage="decode", fraction=0.5, windows=windows(1, 2))
    for _ in range(2):
        jobs.finish(lease, success(), windows=windows(2, 2))

    assert kinds(redis, job_id).count("running 1 decode") == 2
    assert kinds(redis, job_id).count("window") == 4
    assert kinds(redis, job_id).count("finished") == 1


def test_progress_that_says_nothing_new_is_no_event(jobs, job_id, redis):
    lease = claim(jobs, job_id)

    jobs.progress(lease, stage="fetch", fraction=0.0)

    assert kinds(redis, job_id) == ["running 1 fetch"]


def test_who_begins_to_watch_is_told_the_windows_of_the_attempt_that_runs(jobs, job_id, redis, events):
    jobs.progress(claim(jobs, job_id), stage="decode", fraction=0.5, windows=windows(0, 5))
    lapse(jobs, redis, job_id)
    lease = claim(jobs, job_id, "worker-2")
    jobs.progress(lease, stage="decode", fraction=0.1, windows=windows(0, 2))
    jobs.progress(lease, stage="decode", fraction=0.2)

    opening = events.open(job_id)

    assert opening.job == jobs.get(job_id)
    assert [(window.attempt, window.entry) for window in opening.windows] == [
        (2, entry) for entry in windows(0, 2).entries
    ]
    assert events.read(job_id, opening.last).events == ()
    told_from_there = events.read(job_id, opening.position).events
    assert [event for event in told_from_there if isinstance(event, WindowEvent)] == list(opening.windows)


def test_of_a_job_that_waits_for_another_worker_no_windows_are_told(jobs, job_id, redis, events):
    jobs.progress(claim(jobs, job_id), stage="decode", fraction=0.5, windows=windows(0, 5))
    lapse(jobs, redis, job_id)

    assert events.open(job_id).windows == ()


def test_reading_goes_on_behind_any_event_and_ends_with_the_job(jobs, job_id, events):
    lease = claim(jobs, job_id)
    jobs.progress(lease, stage="decode", fraction=0.25, windows=windows(0, 3))
    jobs.finish(lease, success(), windows=windows(3, 1))

    whole = events.read(job_id, BEFORE_ALL)
    assert [type(event) for event in whole.events] == [ProgressEvent] * 2 + [WindowEvent] * 4
    assert whole.job == jobs.get(job_id)
    for number, event in enumerate(whole.events):
        rest = events.read(job_id, event.id)
        assert (rest.events, rest.last, rest.is_lost) == (whole.events[number + 1 :], whole.last, False)
    assert events.read(job_id, whole.last).is_over


def test_a_long_story_is_read_in_parts_and_the_end_comes_with_the_last(jobs, job_id, redis):
    events = RedisEvents(redis, Keys(), events_at_once=4)
    lease = claim(jobs, job_id)
    jobs.finish(lease, success(), windows=windows(0, 10))

    after, story, part = BEFORE_ALL, [], None
    for _ in range(3):
        assert part is None or (part.is_full and part.job is None)
        part = events.read(job_id, after)
        story += part.events
        after = part.last

    assert part.job is not None
    assert not part.is_full
    assert [event.entry for event in story[1:]] == list(windows(0, 10).entries)


@pytest.mark.parametrize("after", [None, "1-1", "99999999999999-0"])
def test_what_came_behind_an_event_that_there_is_not_is_lost(jobs, job_id, events, after):
    claim(jobs, job_id)

    assert events.read(job_id, after).is_lost


def test_a_history_that_was_trimmed_is_lost_from_the_beginning_and_whole_from_what_is_left(
    jobs, job_id, redis, events
):
    lease = claim(jobs, job_id)
    jobs.progress(lease, stage="decode", fraction=0.25, windows=windows(0, 5))
    first = events.read(job_id, BEFORE_ALL).events

    redis.xtrim(Keys().events(job_id), maxlen=3, approximate=False)

    assert events.read(job_id, BEFORE_ALL).is_lost
    assert events.read(job_id, first[0].id).is_lost
    assert events.read(job_id, first[-3].id).events == first[-2:]


def test_a_finished_job_whose_stream_has_expired_is_lost_and_told_at_once(jobs, job_id, redis, events):
    jobs.finish(claim(jobs, job_id), success())
    first = events.read(job_id, BEFORE_ALL).events[0].id
    redis.delete(Keys().events(job_id))

    reading = events.read(job_id, first)

    assert reading.is_lost
    assert reading.job.status is JobStatus.SUCCEEDED
    assert events.open(job_id).job == reading.job


def test_a_story_of_three_hours_is_kept_as_a_whole(jobs, job_id, events):
    lease = claim(jobs, job_id)
    for number in range(750):
        jobs.progress(lease, stage="decode", fraction=number / 1_000, windows=windows(number, 1))

    assert len(events.open(job_id).windows) == 750
    assert not events.read(job_id, BEFORE_ALL).is_lost


def test_the_stream_of_an_endless_run_is_cut(jobs, job_id, redis):
    lease = claim(jobs, job_id)
    for number in range(12):
        jobs.progress(lease, stage="decode", fraction=number / 100, windows=windows(2_000 * number, 2_000))

    assert 16_384 <= redis.xlen(Keys().events(job_id)) < 17_000


def test_a_job_that_is_unknown_or_gone_has_no_events(jobs, job_id, redis, events):
    jobs.finish(claim(jobs, job_id), success())
    redis.delete(Keys().job(job_id))

    for call in (
        events.open,
        lambda job_id: events.issue_token(job_id, caller="me"),
        lambda job_id: events.read(job_id, BEFORE_ALL),
    ):
        with pytest.raises(ResultGone):
            call(job_id)
        with pytest.raises(UnknownJob):
            call(JobId("job_none"))


def test_a_token_lets_its_holder_watch_one_job_for_a_minute(jobs, job_id, redis, events):
    issued = events.issue_token(job_id, caller="2001:db8::")
    (key,) = redis.keys(Keys().events_token("*"))

    assert events.issued_to(issued.token, job_id) == "2001:db8::"
    assert not events.issued_to(issued.token, JobId("job_other"))
    assert not events.issued_to(issued.token + "x", job_id)
    assert 0 < redis.ttl(key) <= TOKEN_SECONDS
    assert issued.token not in key
    redis.delete(key)
    assert not events.issued_to(issued.token, job_id)
