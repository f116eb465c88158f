"""A caller's list of jobs and the deletion of a job, on a real server."""

from dataclasses import replace

import pytest

from shared.errors import JobRunning, ResultGone, UnknownJob
from shared.job import FINISHED, Idempotency, JobId, JobOptions, JobStatus, answer_key
from shared.redis_jobs import LOOKS_PER_PAGE, RedisJobStore
from shared.redis_keys import Keys
from shared.transitions import Place, Verdict
from support.jobs import MODEL, failure, new_job, success

ANN, BOB = "192.0.2.1", "192.0.2.2"
LIST = Keys().jobs_of(ANN)


def accept(jobs: RedisJobStore, number: int, **changes) -> JobId:
    return jobs.accept(new_job(number, **changes)).job.id


def claim(jobs: RedisJobStore, job_id: JobId):
    return jobs.claim(job_id, owner=f"of {job_id}", lease_seconds=60).lease


def listed(jobs: RedisJobStore, caller: str = ANN, *, limit: int = 100, status=None) -> list[JobId]:
    """All pages."""
    found, after = [], None
    while True:
        page = jobs.list_jobs(caller, status=status, limit=limit, after=after)
        assert len(page.jobs) <= limit
        found += [job.id for job in page.jobs]
        assert len(set(found)) == len(found)
        after = page.end
        if after is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_a_caller_sees_all_of_its_own_jobs_and_no_others_the_newest_first(jobs, redis, limit):
    mine = [accept(jobs, number) for number in range(7)]
    accept(jobs, 7, caller=BOB)
    jobs.finish(claim(jobs, mine[2]), success())
    jobs.cancel(mine[4])

    assert listed(jobs, limit=limit) == mine[::-1]
    assert listed(jobs, "192.0.2.3", limit=limit) == []


def test_a_job_in_a_list_is_the_job_that_is_shown_by_itself(jobs, redis):
    ids = [accept(jobs, number) for number in range(3)]
    jobs.finish(claim(jobs, ids[0]), success())

    page = jobs.list_jobs(ANN, status=None, limit=10, after=None)

    assert list(page.jobs) == [jobs.get(job_id) for job_id in ids[::-1]]
    assert [job.progress.queue_position for job in page.jobs] == [1, 0, None]
    assert page.end is None


def test_a_list_of_one_status_holds_the_jobs_of_that_status_alone(jobs, redis):
    ids = [accept(jobs, number, deadline_seconds=600 if number == 4 else None) for number in range(6)]
    jobs.finish(claim(jobs, ids[0]), success())
    jobs.finish(claim(jobs, ids[1]), failure())
    claim(jobs, ids[2])
    jobs.cancel(ids[3])
    redis.zadd(Keys().deadlines, {ids[4]: 1})
    jobs.expire()

    by_status = {status: listed(jobs, status=status) for status in JobStatus}

    assert by_status == {
        JobStatus.SUCCEEDED: [ids[0]],
        JobStatus.FAILED: [ids[1]],
        JobStatus.RUNNING: [ids[2]],
        JobStatus.CANCELLED: [ids[3]],
        JobStatus.EXPIRED: [ids[4]],
        JobStatus.QUEUED: [ids[5]],
    }


def test_what_is_accepted_ends_or_goes_between_two_pages_is_neither_shown_twice_nor_hides_another(
    jobs, redis
):
    ids = [accept(jobs, number) for number in range(8)]
    first = jobs.list_jobs(ANN, status=None, limit=3, after=None)
    assert [job.id for job in first.jobs] == ids[:4:-1]

    accept(jobs, 8)  # newer than all that was shown
    jobs.finish(claim(jobs, ids[3]), success())
    for number in (2, 5, 6):  # 5 is where the page has ended
        jobs.delete(ids[number])
    rest = jobs.list_jobs(ANN, status=None, limit=100, after=first.end)

    assert [job.id for job in rest.jobs] == [ids[4], ids[3], ids[1], ids[0]]


def test_jobs_of_the_same_instant_are_each_shown_once(jobs, redis):
    ids = [accept(jobs, number) for number in range(5)]
    redis.zadd(LIST, dict.fromkeys(ids, 1_700_000_000.25))

    assert listed(jobs, limit=2) == ids[::-1]
    jobs.delete(ids[3])  # at which the first page ended
    second = jobs.list_jobs(ANN, status=None, limit=2, after=Place(score="1700000000.25", job_id=ids[3]))
    assert [job.id for job in second.jobs] == [ids[2], ids[1]]


def test_a_page_looks_at_so_many_jobs_and_no_more_and_says_where_to_go_on(jobs, redis):
    for number in range(LOOKS_PER_PAGE + 50):
        accept(jobs, number)
    oldest = new_job(0).id
    claim(jobs, oldest)

    page = jobs.list_jobs(ANN, status=JobStatus.RUNNING, limit=1, after=None)
    assert page.jobs == ()
    assert page.end is not None

    rest = jobs.list_jobs(ANN, status=JobStatus.RUNNING, limit=1, after=page.end)
    assert [job.id for job in rest.jobs] == [oldest]
    assert rest.end is None


def test_a_job_that_is_gone_leaves_the_list_when_it_is_come_across(jobs, redis):
    ids = [accept(jobs, number) for number in range(3)]
    redis.delete(Keys().job(ids[1]))  # as its time to live would

    assert listed(jobs) == [ids[2], ids[0]]
    assert redis.zrevrange(LIST, 0, -1) == [ids[2], ids[0]]


def test_the_list_of_a_caller_who_never_looks_at_it_does_not_grow_with_what_is_gone(jobs, redis):
    kept = accept(jobs, 0)  # the oldest is there all the time
    for number in range(1, 400):
        job_id = accept(jobs, number)
        jobs.cancel(job_id)
        redis.delete(Keys().job(job_id))

    assert redis.zcard(LIST) < 40
    assert listed(jobs) == [kept]


def test_the_list_is_kept_while_a_job_waits_and_goes_after_the_last_one_that_ended(jobs, redis):
    first, second = (accept(jobs, number, result_ttl_seconds=500) for number in range(2))
    assert redis.ttl(LIST) == -1

    jobs.finish(claim(jobs, first), success())
    assert redis.ttl(LIST) == -1  # for the second, however long it has to wait

    jobs.finish(claim(jobs, second), success())
    assert 500 < redis.ttl(LIST) <= 500 + 86_400

    accept(jobs, 2)
    assert redis.ttl(LIST) == -1


def test_a_job_is_listed_when_it_ends_though_the_list_was_lost_while_it_ran(jobs, redis):
    job_id = accept(jobs, 1)
    lease = claim(jobs, job_id)
    redis.delete(LIST)

    jobs.finish(lease, success())

    assert listed(jobs) == [job_id]


def test_a_job_that_was_answered_at_once_is_listed(jobs, redis):
    donor = answered(jobs)

    job_id = accept(jobs, 1, answer=donor.answer)

    assert listed(jobs)[0] == job_id


def test_what_was_accepted_before_there_were_lists_ends_as_ever_and_is_listed_then(jobs, redis):
    job_id = accept(jobs, 1)
    redis.delete(LIST)

    jobs.cancel(job_id)

    assert listed(jobs) == [job_id]


def answered(jobs: RedisJobStore, number: int = 99, **changes):
    """A job whose answer may be given again."""
    new = new_job(number, answer=answer_key("a" * 64, JobOptions()), **changes)
    jobs.accept(new)
    jobs.worker_alive("worker", model=MODEL.sha256, seconds=60)
    jobs.finish(claim(jobs, new.id), replace(success(), answer=new.answer))
    return new


def test_a_deleted_job_is_gone_and_stays_so_and_leaves_nothing_but_its_tombstone(jobs, redis):
    jobs.worker_alive("worker", model=MODEL.sha256, seconds=60)
    before = set(redis.keys())
    new = answered(
        jobs, idempotency=Idempotency(key="k", fingerprint="f"), tombstone_ttl_seconds=500, deadline_seconds=9
    )
    jobs.forget_audio([new.id])

    assert jobs.delete(new.id).was_waiting is False

    drained = {key for key in redis.scan_iter() if ":drained:" in key}
    assert set(redis.keys()) - before == {Keys().gone(new.id), Keys().served} | drained
    assert redis.ttl(Keys().gone(new.id)) > 500
    assert jobs.claim(new.id, owner="late", lease_seconds=1).verdict is Verdict.UNKNOWN
    for call in (jobs.get, jobs.cancel):
        with pytest.raises(ResultGone):
            call(new.id)


def test_a_job_that_waits_is_cancelled_and_deleted_in_one(jobs, redis):
    job_id = accept(jobs, 1, deadline_seconds=60)

    assert jobs.delete(job_id).was_waiting is True

    keys = Keys()
    sets = (keys.waiting, keys.active, keys.rung, keys.deadlines, keys.queued("standard"), LIST)
    assert redis.exists(keys.job(job_id), *sets) == 0
    assert jobs.spent(older_seconds=0) == (job_id,)  # its audio is still to be removed
    assert jobs.reap(rering_seconds=0).rings == ()


def test_to_delete_a_job_again_changes_nothing(jobs, redis):
    job_id = accept(jobs, 1)
    jobs.delete(job_id)
    before = {key: redis.dump(key) for key in redis.scan_iter()}

    assert jobs.delete(job_id) is None

    assert {key: redis.dump(key) for key in redis.scan_iter()} == before


@pytest.mark.parametrize("is_asked_to_stop", [False, True])
def test_a_job_that_runs_is_not_deleted(jobs, redis, is_asked_to_stop):
    job_id = accept(jobs, 1)
    lease = claim(jobs, job_id)
    if is_asked_to_stop:
        jobs.cancel(job_id)
    before = redis.hgetall(Keys().job(job_id))

    with pytest.raises(JobRunning):
        jobs.delete(job_id)

    assert redis.hgetall(Keys().job(job_id)) == before
    assert jobs.finish(lease, replace(success(), result=None))
    assert jobs.delete(job_id) is not None
    with pytest.raises(ResultGone):
        jobs.get(job_id)


@pytest.mark.parametrize("status", sorted(FINISHED))
def test_a_finished_job_of_any_end_can_be_deleted(jobs, redis, status):
    job_id = accept(jobs, 1)
    if status == "cancelled":
        jobs.cancel(job_id)
    elif status == "expired":
        redis.zadd(Keys().deadlines, {job_id: 1})
        jobs.expire()
    else:
        jobs.finish(claim(jobs, job_id), success() if status == "succeeded" else failure())
    assert jobs.get(job_id).status == status

    jobs.delete(job_id)

    assert redis.exists(Keys().job(job_id)) == 0


def test_a_job_that_never_was_cannot_be_deleted(jobs, redis):
    with pytest.raises(UnknownJob):
        jobs.delete(JobId("job_none"))


def test_a_deleted_answer_is_given_to_nobody_any_more(jobs, redis):
    donor = answered(jobs)

    jobs.delete(donor.id)

    assert redis.keys(Keys().answer("*", "*")) == []
    assert jobs.accept(new_job(1, answer=donor.answer)).job.status is JobStatus.QUEUED


def test_who_was_given_an_answer_keeps_it_when_the_job_that_found_it_is_deleted(jobs, redis):
    donor = answered(jobs)
    mine = accept(jobs, 1, answer=donor.answer, caller=BOB)

    jobs.delete(donor.id)

    assert jobs.get(mine).result is not None
    assert jobs.accept(new_job(2, answer=donor.answer)).job.cached  # from the one that is left


def test_the_idempotency_key_of_a_deleted_job_makes_another(jobs, redis):
    key = Idempotency(key="k", fingerprint="f")
    first = answered(jobs, idempotency=key)
    jobs.delete(first.id)

    change = jobs.accept(new_job(1, idempotency=key))

    assert (change.is_new, change.job.id) == (True, new_job(1).id)
    with pytest.raises(ResultGone):
        jobs.get(first.id)
    jobs.delete(first.id)  # again: the key is another's by now
    assert jobs.accept(new_job(2, idempotency=key)).job.id == change.job.id


def test_who_waits_is_told_when_he_will_be_done_as_quickly_as_jobs_end_now(jobs, redis):
    waiting = [accept(jobs, number) for number in range(10, 14)]
    assert jobs.get(waiting[0]).progress.eta_seconds is None  # nothing has ended of late

    for number in range(20, 32):
        jobs.finish(claim(jobs, accept(jobs, number)), success())

    assert [jobs.get(job_id).progress.eta_seconds for job_id in waiting] == [5, 10, 15, 20]
    assert jobs.list_jobs(ANN, status=JobStatus.QUEUED, limit=1, after=None).jobs == (jobs.get(waiting[3]),)
    assert jobs.accept(new_job(14)).job.progress.eta_seconds == 25


def test_who_runs_is_told_by_how_long_his_share_has_taken_and_the_answer_stands_until_there_is_news(
    jobs, redis
):
    job_id = accept(jobs, 1)
    lease = claim(jobs, job_id)
    jobs.progress(lease, stage="decode", fraction=0.01)
    assert jobs.get(job_id).progress.eta_seconds is None

    redis.hincrbyfloat(Keys().job(job_id), "claimed_at", -30)  # as if it had run for half a minute
    jobs.progress(lease, stage="decode", fraction=0.25)

    told = jobs.get(job_id)
    assert told.progress.eta_seconds == pytest.approx(90, abs=2)
    assert jobs.get(job_id) == told


def test_a_run_that_was_lost_says_nothing_of_the_next_one(jobs, redis):
    job_id = accept(jobs, 1)
    jobs.progress(claim(jobs, job_id), stage="decode", fraction=0.5)
    redis.zadd(Keys().running, {job_id: 1})  # as if its worker had fallen silent

    lease = jobs.claim(job_id, owner="another", lease_seconds=60).lease
    assert jobs.get(job_id).progress.eta_seconds is None

    redis.hincrbyfloat(Keys().job(job_id), "started_at", -600)  # the first one: long ago
    jobs.progress(lease, stage="decode", fraction=0.5)
    assert jobs.get(job_id).progress.eta_seconds <= 60
