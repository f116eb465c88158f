"""The transitions of a job, on a real server."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from shared.admission import UNKNOWN_SECONDS, UNLIMITED, Limits
from shared.errors import (
    IdempotencyKeyReused,
    JobFinished,
    QueueFull,
    QuotaExceeded,
    ResultGone,
    StoreUnavailable,
    UnknownJob,
)
from shared.job import Idempotency, JobId, JobOptions, JobStatus, Lease, NewJob, Source, answer_key
from shared.names import BROKER_QUEUES, RECOVERED_QUEUE
from shared.redis_client import connect
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.settings import Settings
from shared.transitions import Hold, Verdict
from support.jobs import MODEL, SOURCE, classification, failure, new_job, success
from support.waiting import eventually

LEASE_SECONDS = 60


def claim(jobs: RedisJobStore, job_id: JobId, owner: str = "worker-1") -> Lease:
    claimed = jobs.claim(job_id, owner=owner, lease_seconds=LEASE_SECONDS)
    assert claimed.lease is not None
    return claimed.lease


def lapse(redis: Redis, job_id: JobId) -> None:
    """As if the worker had been silent for longer than its lease."""
    redis.zadd(Keys().running, {job_id: 1})


def test_an_accepted_job_is_queued_at_its_place(jobs, job_id):
    later = new_job(2)
    jobs.accept(later)

    first, second = jobs.get(job_id), jobs.get(later.id)

    assert first.status is JobStatus.QUEUED
    assert (first.progress.queue_position, second.progress.queue_position) == (0, 1)
    assert (first.attempt, first.started_at, first.result) == (0, None, None)


def test_accepting_a_job_shows_it(jobs):
    new = new_job()

    assert jobs.accept(new).job == jobs.get(new.id)


def test_a_server_without_memory_is_one_that_is_away(jobs, redis):
    redis.config_set("maxmemory", 1)

    with pytest.raises(StoreUnavailable):
        jobs.accept(new_job())

    redis.config_set("maxmemory", 0)


def test_to_accept_a_job_twice_is_to_accept_it_once(jobs, job_id, redis):
    jobs.accept(new_job())

    assert redis.zcard(Keys().active) == 1


def test_to_accept_a_job_again_does_not_take_it_from_its_worker(jobs, job_id):
    lease = claim(jobs, job_id)

    again = jobs.accept(new_job())

    assert (again.is_new, again.job.status) == (True, JobStatus.RUNNING)
    assert jobs.finish(lease, success())
    assert jobs.accept(new_job()).job.status is JobStatus.SUCCEEDED


def test_a_job_nobody_accepted_is_unknown(jobs):
    with pytest.raises(UnknownJob):
        jobs.get(JobId("job_none"))

    assert jobs.claim(JobId("job_none"), owner="w", lease_seconds=1).verdict is Verdict.UNKNOWN


def test_a_claimed_job_runs_and_leaves_the_queue(jobs, job_id, redis):
    claimed = jobs.claim(job_id, owner="worker-1", lease_seconds=LEASE_SECONDS)

    job = jobs.get(job_id)
    assert claimed.verdict is Verdict.CLAIMED
    assert job.status is JobStatus.RUNNING
    assert job.attempt == 1
    assert job.started_at >= job.accepted_at
    assert job.progress.queue_position is None
    assert redis.zcard(Keys().queued("standard")) == 0
    assert redis.zscore(Keys().running, job_id) > job.started_at


def test_a_second_doorbell_for_a_leased_job_gets_nothing(jobs, job_id):
    claim(jobs, job_id)

    second = jobs.claim(job_id, owner="worker-2", lease_seconds=LEASE_SECONDS)

    assert second.verdict is Verdict.LEASED
    assert second.lease is None
    assert jobs.get(job_id).attempt == 1


def test_a_claim_whose_reply_was_lost_can_be_asked_for_again(jobs, job_id):
    first = claim(jobs, job_id, owner="call-1")

    assert claim(jobs, job_id, owner="call-1") == first
    assert jobs.get(job_id).attempt == 1


def test_a_finished_job_keeps_its_answer_and_is_never_claimed_again(jobs, job_id, redis):
    finished = jobs.finish(claim(jobs, job_id), success())

    job = jobs.get(job_id)
    assert finished
    assert job.status is JobStatus.SUCCEEDED
    assert job.result == classification()
    assert job.progress.fraction == 1.0
    assert job.finished_at >= job.started_at
    assert jobs.claim(job_id, owner="w2", lease_seconds=1).verdict is Verdict.FINISHED
    assert redis.exists(Keys().active, Keys().running, Keys().rung) == 0


def test_a_finished_job_never_changes(jobs, job_id):
    lease = claim(jobs, job_id)
    jobs.finish(lease, success())
    before = jobs.get(job_id)

    assert not jobs.finish(lease, failure())
    assert jobs.progress(lease, stage="decode", fraction=0.5) is Hold.LOST
    assert jobs.renew(lease, lease_seconds=LEASE_SECONDS) is Hold.LOST
    assert jobs.release(lease) is None
    with pytest.raises(JobFinished):
        jobs.cancel(job_id)
    assert jobs.get(job_id) == before


def test_a_finish_whose_reply_was_lost_can_be_said_again(jobs, job_id):
    lease = claim(jobs, job_id)
    jobs.finish(lease, success())

    assert jobs.finish(lease, success())


def test_a_failed_job_says_why(jobs, job_id):
    jobs.finish(claim(jobs, job_id), failure())

    job = jobs.get(job_id)

    assert job.status is JobStatus.FAILED
    assert job.error.code == "corrupt_audio"
    assert job.result is None


def test_the_record_of_a_finished_job_goes_when_its_time_is_over(jobs, redis):
    new = new_job(result_ttl_seconds=500)
    jobs.accept(new)
    assert redis.ttl(Keys().job(new.id)) == -1

    jobs.finish(claim(jobs, new.id), success())

    job = jobs.get(new.id)
    assert job.expires_at - job.finished_at == pytest.approx(500)
    assert 0 < redis.ttl(Keys().job(new.id)) <= 500


def test_progress_is_seen_by_whoever_asks(jobs, job_id):
    lease = claim(jobs, job_id)

    jobs.progress(lease, stage="predict", fraction=0.5)

    assert jobs.get(job_id).progress.stage == "predict"
    assert jobs.get(job_id).progress.fraction == 0.5


def test_a_renewed_lease_does_not_lapse(jobs, job_id, redis):
    lease = claim(jobs, job_id)
    lapse(redis, job_id)

    renewed = jobs.renew(lease, lease_seconds=LEASE_SECONDS)

    assert renewed is Hold.KEPT
    assert jobs.reap(rering_seconds=LEASE_SECONDS).lapsed == 0


def test_the_reaper_gives_the_job_of_a_lost_worker_to_the_next_one(jobs, job_id, redis):
    zombie = claim(jobs, job_id)
    lapse(redis, job_id)

    sweep = jobs.reap(rering_seconds=LEASE_SECONDS)

    assert [(ring.job_id, ring.broker_queue) for ring in sweep.rings] == [(job_id, RECOVERED_QUEUE)]
    assert jobs.get(job_id).status is JobStatus.QUEUED
    assert (jobs.depths().queued, jobs.depths().running) == (1, 0)
    heir = claim(jobs, job_id, owner="worker-2")
    assert heir.token > zombie.token
    assert jobs.get(job_id).attempt == 2


def test_a_zombie_cannot_finish_renew_or_report_what_another_has_claimed(jobs, job_id, redis):
    zombie = claim(jobs, job_id)
    lapse(redis, job_id)
    heir = claim(jobs, job_id, owner="worker-2")

    assert not jobs.finish(zombie, failure())
    assert jobs.renew(zombie, lease_seconds=LEASE_SECONDS) is Hold.LOST
    assert jobs.progress(zombie, stage="decode", fraction=0.9) is Hold.LOST
    assert jobs.release(zombie) is None
    assert jobs.get(job_id).status is JobStatus.RUNNING
    assert jobs.finish(heir, success())
    assert jobs.get(job_id).status is JobStatus.SUCCEEDED


def test_a_zombie_cannot_finish_a_job_that_waits_again(jobs, job_id, redis):
    zombie = claim(jobs, job_id)
    lapse(redis, job_id)
    jobs.reap(rering_seconds=LEASE_SECONDS)

    assert not jobs.finish(zombie, success())
    assert jobs.get(job_id).status is JobStatus.QUEUED


def test_a_zombie_has_not_finished_what_the_reaper_ended_the_same_way(jobs, redis):
    new = new_job(max_attempts=1)
    jobs.accept(new)
    zombie = claim(jobs, new.id)
    lapse(redis, new.id)
    jobs.reap(rering_seconds=LEASE_SECONDS)

    assert not jobs.finish(zombie, failure())
    assert jobs.get(new.id).error.code == "too_many_attempts"


def test_a_recovered_job_keeps_its_place_in_the_queue(jobs, job_id, redis):
    claim(jobs, job_id)
    jobs.accept(new_job(2))
    lapse(redis, job_id)

    jobs.reap(rering_seconds=LEASE_SECONDS)

    assert jobs.get(job_id).progress.queue_position == 0


@pytest.mark.parametrize(
    ("max_attempts", "lost", "verdict"), [(3, 1, "claimed"), (3, 2, "suspect"), (1, 0, "claimed")]
)
def test_the_last_attempt_of_a_job_that_lost_its_workers_is_for_a_worker_that_runs_nothing_else(
    jobs, redis, max_attempts, lost, verdict
):
    new = new_job(max_attempts=max_attempts)
    jobs.accept(new)
    for number in range(lost):
        claim(jobs, new.id, owner=f"worker-{number}")
        lapse(redis, new.id)
        jobs.reap(rering_seconds=60)

    among_others = jobs.claim(new.id, owner="busy", lease_seconds=60, alone=False)

    assert among_others.verdict == verdict
    assert jobs.get(new.id).attempt == lost + (verdict == "claimed")
    if verdict == "suspect":
        assert jobs.get(new.id).status is JobStatus.QUEUED
        assert claim(jobs, new.id, owner="alone") is not None


@pytest.mark.parametrize("found_by", ["reaper", "claim"])
def test_a_job_that_loses_every_worker_fails_with_too_many_attempts(jobs, redis, found_by):
    new = new_job(max_attempts=2)
    jobs.accept(new)
    for attempt in (1, 2):
        claim(jobs, new.id, owner=f"worker-{attempt}")
        lapse(redis, new.id)

    if found_by == "reaper":
        assert jobs.reap(rering_seconds=LEASE_SECONDS).failed == 1
    else:
        assert jobs.claim(new.id, owner="w3", lease_seconds=1).verdict is Verdict.EXHAUSTED

    job = jobs.get(new.id)
    assert job.status is JobStatus.FAILED
    assert job.error.code == "too_many_attempts"
    assert job.attempt == 2


def test_a_lost_doorbell_is_rung_again_on_its_own_queue(jobs, redis):
    new = new_job(queue="batch")
    jobs.accept(new)

    sweep = jobs.reap(rering_seconds=0)

    assert [(ring.job_id, ring.broker_queue) for ring in sweep.rings] == [(new.id, "gw.batch")]


def test_a_fresh_doorbell_is_not_rung_again(jobs, job_id):
    assert jobs.reap(rering_seconds=LEASE_SECONDS).rings == ()


def test_a_long_queue_whose_doorbells_are_all_there_draws_no_storm_of_rings(jobs, redis):
    for number in range(20):
        jobs.accept(new_job(number))
        redis.lpush("gw.standard", "a doorbell")

    assert jobs.reap(rering_seconds=0).rings == ()

    redis.lpop("gw.standard", 3)
    assert len(jobs.reap(rering_seconds=0).rings) == 3


URL_SOURCE = Source(kind="url", filename="a.mp3", url="https://cdn.example/a.mp3")


def test_urls_and_uploads_wait_in_rows_of_their_own(jobs, redis):
    jobs.accept(new_job(1))
    jobs.accept(new_job(2, source=URL_SOURCE, url="https://cdn.example/a.mp3"))

    assert [jobs.get(new_job(number).id).progress.queue_position for number in (1, 2)] == [0, 0]
    assert (redis.zcard(Keys().queued("standard")), redis.zcard(Keys().queued("standard", "url"))) == (1, 1)


def test_the_lost_doorbell_of_a_url_is_rung_again_on_its_own_queue(jobs, redis):
    new = new_job(queue="batch", source=URL_SOURCE, url="https://cdn.example/a.mp3")
    jobs.accept(new)

    sweep = jobs.reap(rering_seconds=0)

    assert [(ring.job_id, ring.broker_queue) for ring in sweep.rings] == [(new.id, "gw.fetch.batch")]


def test_doorbells_of_uploads_do_not_pass_for_those_of_urls(jobs, redis):
    for number in range(4):
        kind = {"source": URL_SOURCE, "url": "https://cdn.example/a.mp3"} if number % 2 else {}
        jobs.accept(new_job(number, **kind))
        redis.lpush("gw.standard", "a doorbell")

    sweep = jobs.reap(rering_seconds=0)

    assert [ring.broker_queue for ring in sweep.rings] == ["gw.fetch.standard"] * 2
    assert jobs.depths().broker_messages["gw.fetch.standard"] == 0
    assert jobs.depths().broker_messages["gw.standard"] == 4


def test_a_job_that_was_accepted_before_there_were_urls_is_an_upload(jobs, redis, job_id):
    redis.hdel(Keys().job(job_id), "kind")
    assert jobs.reap(rering_seconds=0).rings[0].broker_queue == "gw.standard"

    lease = claim(jobs, job_id)
    lapse(redis, job_id)

    assert jobs.reap(rering_seconds=60).rings[0].broker_queue == RECOVERED_QUEUE
    assert jobs.get(job_id).progress.queue_position == 0
    assert jobs.finish(claim(jobs, job_id, owner="w2"), success())
    assert not jobs.finish(lease, success())
    assert redis.zcard(Keys().queued("standard")) == 0


def test_the_whole_url_is_printed_nowhere(jobs):
    new = new_job(source=URL_SOURCE, url="https://cdn.example/a.mp3?sig=s3cret")
    job = jobs.accept(new).job
    claimed = jobs.claim(new.id, owner="w", lease_seconds=60)

    assert claimed.url == "https://cdn.example/a.mp3?sig=s3cret"
    assert "s3cret" not in f"{new} {job} {claimed} {claimed.job}"


def test_the_whole_url_is_kept_for_no_longer_than_somebody_has_to_fetch_it(jobs, redis):
    new = new_job(source=URL_SOURCE, url="https://cdn.example/a.mp3?sig=s3cret")
    jobs.accept(new)

    jobs.finish(claim(jobs, new.id), success())

    assert "s3cret" not in str(redis.hgetall(Keys().job(new.id)))


def test_every_queue_of_the_scripts_is_one_that_workers_read():
    lua = Keys().lua()

    assert all(f"'{queue}'" in lua for queue in BROKER_QUEUES)


def test_where_redis_is_away_every_method_says_so():
    settings = Settings(redis_url="redis://127.0.0.1:1/0")
    jobs = RedisJobStore(connect(settings, retries=0), Keys())

    for call in (lambda: jobs.accept(new_job()), lambda: jobs.get(JobId("job_x")), jobs.depths):
        with pytest.raises(StoreUnavailable):
            call()


def test_leases_lapse_by_the_clock_of_the_server(jobs, job_id):
    jobs.claim(job_id, owner="worker-1", lease_seconds=0.01)

    sweep = eventually(lambda: jobs.reap(rering_seconds=LEASE_SECONDS).rings)

    assert len(sweep) == 1


def test_calls_beyond_the_last_connection_wait_for_their_turn(settings, redis):
    client = connect(settings)

    with ThreadPoolExecutor(150) as pool:  # each holds its connection until the server's time-out
        answers = list(pool.map(lambda _: client.blpop(["nothing"], timeout=0.2), range(150)))

    assert answers == [None] * 150
    client.close()


def pass_deadline(redis: Redis, job_id: JobId) -> None:
    """As if the job's deadline had been a while ago."""
    redis.hset(Keys().job(job_id), "deadline_at", 1)
    if redis.zscore(Keys().deadlines, job_id) is not None:
        redis.zadd(Keys().deadlines, {job_id: 1})


def test_a_released_job_waits_again_and_its_attempt_does_not_count(jobs, job_id):
    lease = claim(jobs, job_id)

    ring = jobs.release(lease)

    job = jobs.get(job_id)
    assert (ring.job_id, ring.broker_queue) == (job_id, RECOVERED_QUEUE)
    assert (job.status, job.attempt, job.progress.queue_position) == (JobStatus.QUEUED, 0, 0)
    assert claim(jobs, job_id, owner="worker-2").token > lease.token


def test_a_released_url_is_rung_among_urls(jobs):
    new = new_job(source=URL_SOURCE, url="https://cdn.example/a.mp3")
    jobs.accept(new)

    assert jobs.release(claim(jobs, new.id)).broker_queue == "gw.fetch.recovered"


def test_a_release_whose_reply_was_lost_can_be_said_again(jobs, job_id):
    lease = claim(jobs, job_id)
    first = jobs.release(lease)

    assert jobs.release(lease) == first
    assert jobs.get(job_id).attempt == 0
    claim(jobs, job_id, owner="worker-2")
    assert jobs.release(lease) is None


def test_a_released_job_that_nobody_wants_any_more_is_cancelled(jobs, job_id):
    lease = claim(jobs, job_id)
    jobs.cancel(job_id)

    assert jobs.release(lease) is None
    assert jobs.get(job_id).status is JobStatus.CANCELLED


def test_a_job_that_waits_is_cancelled_at_once(jobs, job_id, redis):
    change = jobs.cancel(job_id)

    assert change.is_new
    assert change.job == jobs.get(job_id)
    assert change.job.status is JobStatus.CANCELLED
    assert jobs.claim(job_id, owner="w", lease_seconds=1).verdict is Verdict.FINISHED
    assert redis.exists(Keys().active, Keys().rung, Keys().queued("standard"), Keys().waiting) == 0


def test_a_job_that_runs_is_cancelled_when_its_worker_has_stopped(jobs, job_id):
    lease = claim(jobs, job_id)

    change = jobs.cancel(job_id)

    assert (change.is_new, change.job.status, change.job.cancel_requested) == (True, JobStatus.RUNNING, True)
    assert jobs.renew(lease, lease_seconds=LEASE_SECONDS) is Hold.CANCEL
    assert jobs.progress(lease, stage="decode", fraction=0.5) is Hold.CANCEL
    assert jobs.finish(lease, replace(success(), result=None))
    assert jobs.get(job_id).status is JobStatus.CANCELLED


@pytest.mark.parametrize("found_by", ["reaper", "claim"])
def test_a_cancelled_job_whose_worker_was_lost_is_not_run_again(jobs, job_id, redis, found_by):
    claim(jobs, job_id)
    jobs.cancel(job_id)
    lapse(redis, job_id)

    if found_by == "reaper":
        sweep = jobs.reap(rering_seconds=LEASE_SECONDS)
        assert (sweep.lapsed, sweep.cancelled, sweep.rings) == (1, 1, ())
    else:
        assert jobs.claim(job_id, owner="w2", lease_seconds=1).verdict is Verdict.CANCELLED

    assert jobs.get(job_id).status is JobStatus.CANCELLED


def test_to_cancel_a_job_again_changes_nothing(jobs, job_id):
    first = jobs.cancel(job_id)

    again = jobs.cancel(job_id)

    assert not again.is_new
    assert again.job == first.job


def test_an_unknown_job_cannot_be_cancelled(jobs):
    with pytest.raises(UnknownJob):
        jobs.cancel(JobId("job_none"))


def test_a_job_that_waits_past_its_deadline_expires(jobs, redis):
    jobs.accept(new_job(1, deadline_seconds=60))
    jobs.accept(new_job(2, deadline_seconds=60))
    pass_deadline(redis, new_job(1).id)

    assert len(jobs.expire()) == 1
    assert [jobs.get(new_job(number).id).status for number in (1, 2)] == [JobStatus.EXPIRED, JobStatus.QUEUED]
    assert len(jobs.expire()) == 0


def test_a_job_that_runs_by_its_deadline_does_not_expire(jobs, redis):
    new = new_job(deadline_seconds=60)
    jobs.accept(new)
    lease = claim(jobs, new.id)
    pass_deadline(redis, new.id)

    assert len(jobs.expire()) == 0
    assert jobs.finish(lease, success())


def test_a_job_is_not_claimed_past_its_deadline(jobs, redis):
    new = new_job(deadline_seconds=60)
    jobs.accept(new)
    pass_deadline(redis, new.id)

    assert jobs.claim(new.id, owner="w", lease_seconds=1).verdict is Verdict.EXPIRED
    assert jobs.get(new.id).status is JobStatus.EXPIRED
    assert jobs.get(new.id).attempt == 0


def test_a_job_that_is_kept_no_longer_is_told_from_one_that_never_was(jobs, redis):
    new = new_job(result_ttl_seconds=100, tombstone_ttl_seconds=500)
    jobs.accept(new)
    jobs.finish(claim(jobs, new.id), success())
    outlives_seconds = redis.ttl(Keys().gone(new.id)) - redis.ttl(Keys().job(new.id))
    assert outlives_seconds == pytest.approx(500, abs=5)

    redis.delete(Keys().job(new.id))  # as its time to live would
    for call in (jobs.get, jobs.cancel):
        with pytest.raises(ResultGone):
            call(new.id)

    redis.delete(Keys().gone(new.id))
    for call in (jobs.get, jobs.cancel):
        with pytest.raises(UnknownJob):
            call(new.id)


def answered(jobs: RedisJobStore, windows: str = "all") -> NewJob:
    """A job that a worker has answered, and the fleet still holds the model that did."""
    new = new_job(99, answer=answer_key("a" * 64, JobOptions(windows=windows)))
    jobs.accept(new)
    jobs.worker_alive("worker", model=MODEL.sha256, seconds=60)
    jobs.finish(
        claim(jobs, new.id), replace(success(), answer=new.answer, source=replace(SOURCE, codec="mp3"))
    )
    return new


def test_the_same_audio_is_answered_at_once(jobs, redis):
    donor = answered(jobs)

    job = jobs.accept(new_job(1, answer=donor.answer, source=replace(SOURCE, filename="other.mp3"))).job

    assert (job.status, job.cached, job.attempt) == (JobStatus.SUCCEEDED, True, 0)
    assert (job.result, job.model) == (classification(), MODEL)
    assert (job.source.filename, job.source.codec) == ("other.mp3", "mp3")
    assert not jobs.get(donor.id).cached
    assert redis.exists(Keys().active, Keys().rung, Keys().queued("standard"), Keys().waiting) == 0


def test_an_answer_is_handed_on_from_one_that_was_handed_on(jobs, redis):
    donor = answered(jobs)
    jobs.accept(new_job(1, answer=donor.answer))
    redis.delete(Keys().job(donor.id))

    job = jobs.accept(new_job(2, answer=donor.answer)).job

    assert job.cached
    assert job.source.codec == "mp3"


def test_an_answer_is_given_again_where_there_is_no_room_for_a_run(jobs):
    donor = answered(jobs)

    assert jobs.accept(new_job(1, answer=donor.answer), replace(UNLIMITED, jobs=0)).job.cached


def test_another_model_answers_for_itself(jobs):
    donor = answered(jobs)
    jobs.worker_alive("worker", model="1" * 64, seconds=60)

    assert jobs.accept(new_job(1, answer=donor.answer)).job.status is JobStatus.QUEUED


def test_other_windows_are_another_question(jobs):
    answered(jobs, windows="first")

    job = jobs.accept(new_job(1, answer=answer_key("a" * 64, JobOptions(windows="all")))).job

    assert job.status is JobStatus.QUEUED


def test_an_answer_whose_job_is_gone_is_no_answer(jobs, redis):
    donor = answered(jobs)
    redis.delete(Keys().job(donor.id))

    assert jobs.accept(new_job(1, answer=donor.answer)).job.status is JobStatus.QUEUED


def test_a_failure_is_not_given_again(jobs, job_id):
    jobs.worker_alive("worker", model=MODEL.sha256, seconds=60)
    jobs.finish(claim(jobs, job_id), replace(failure(), answer="audio"))

    assert jobs.accept(new_job(2, answer="audio")).job.status is JobStatus.QUEUED


FIRST = Idempotency(key="key", fingerprint="first")


def test_the_same_request_under_the_same_key_is_the_same_job(jobs, redis):
    first = jobs.accept(new_job(1, idempotency=FIRST))

    second = jobs.accept(new_job(2, idempotency=FIRST), replace(UNLIMITED, jobs=0))

    assert (first.is_new, second.is_new) == (True, False)
    assert second.job == first.job
    assert redis.zcard(Keys().active) == 1


def test_another_request_under_the_same_key_is_refused(jobs, redis):
    jobs.accept(new_job(1, idempotency=FIRST))

    with pytest.raises(IdempotencyKeyReused):
        jobs.accept(new_job(2, idempotency=replace(FIRST, fingerprint="other")))
    assert redis.zcard(Keys().active) == 1


def test_a_key_is_kept_for_as_long_as_its_job(jobs, redis):
    new = new_job(1, idempotency=FIRST, result_ttl_seconds=500)
    jobs.accept(new)
    assert redis.ttl(Keys().idempotency("key")) == -1

    jobs.finish(claim(jobs, new.id), success())

    assert 0 < redis.ttl(Keys().idempotency("key")) <= 500


def test_a_key_whose_job_is_gone_makes_another(jobs, redis):
    new = new_job(1, idempotency=FIRST)
    jobs.accept(new)
    jobs.cancel(new.id)
    redis.delete(Keys().job(new.id))

    change = jobs.accept(new_job(2, idempotency=replace(FIRST, fingerprint="other")))

    assert change.is_new
    assert redis.ttl(Keys().idempotency("key")) == -1


ONE_WAITS = [
    ({"jobs": 1}, QueueFull),
    ({"bytes": 1_999}, QueueFull),
    ({"caller_jobs": 1}, QuotaExceeded),
    ({"caller_bytes": 1_999}, QuotaExceeded),
]


def check(jobs: RedisJobStore, limits: Limits, **changes: Any) -> None:
    asked = {"caller": "192.0.2.1", "size": 1_000, "idempotency_key": None} | changes
    jobs.check_room(**asked, limits=limits)


@pytest.mark.parametrize(("limit", "error"), ONE_WAITS)
def test_a_job_beyond_a_limit_is_refused_until_one_is_claimed(jobs, job_id, redis, limit, error):
    limits = replace(UNLIMITED, **limit)

    with pytest.raises(error) as refused:
        jobs.accept(new_job(2), limits)
    with pytest.raises(error):
        check(jobs, limits)
    assert refused.value.retry_after_seconds == UNKNOWN_SECONDS
    assert redis.zcard(Keys().active) == 1

    claim(jobs, job_id)
    check(jobs, limits)
    assert jobs.accept(new_job(2), limits).is_new


@pytest.mark.parametrize("limit", ["caller_jobs", "caller_bytes"])
def test_the_quota_of_one_caller_is_not_that_of_another(jobs, job_id, limit):
    limits = replace(UNLIMITED, **{limit: {"caller_jobs": 1, "caller_bytes": 1_000}[limit]})

    check(jobs, limits, caller="192.0.2.2")
    assert jobs.accept(new_job(2, caller="192.0.2.2"), limits).is_new


def test_a_request_that_comes_again_needs_no_room(jobs):
    jobs.accept(new_job(1, idempotency=FIRST))

    check(jobs, replace(UNLIMITED, jobs=1), idempotency_key="key")
    with pytest.raises(QueueFull):
        check(jobs, replace(UNLIMITED, jobs=1), idempotency_key="another")


def test_what_waits_is_counted_through_claims_lapses_and_ends(jobs, job_id, redis):
    one = {"jobs": "1", "bytes": "1000", "jobs:192.0.2.1": "1", "bytes:192.0.2.1": "1000"}
    assert redis.hgetall(Keys().waiting) == one

    claim(jobs, job_id)
    assert redis.hgetall(Keys().waiting) == {}

    lapse(redis, job_id)
    jobs.reap(rering_seconds=LEASE_SECONDS)
    assert redis.hgetall(Keys().waiting) == one

    lease = claim(jobs, job_id, owner="worker-2")
    lapse(redis, job_id)
    claim(jobs, job_id, owner="worker-3")
    assert not jobs.finish(lease, success())
    assert redis.hgetall(Keys().waiting) == {}


def test_who_is_refused_is_told_to_wait_for_as_long_as_the_queue_needs(jobs):
    for number in range(3):
        jobs.accept(new_job(number))
        jobs.finish(claim(jobs, new_job(number).id, owner=f"worker-{number}"), success())
    for number in range(3, 13):
        jobs.accept(new_job(number))

    with pytest.raises(QueueFull) as refused:
        jobs.accept(new_job(13), replace(UNLIMITED, jobs=10))

    assert refused.value.retry_after_seconds == 20  # a tenth of ten jobs, at three a minute


def test_a_job_that_was_accepted_before_callers_were_counted_goes_its_way(jobs, redis, job_id):
    redis.hdel(Keys().job(job_id), "caller", "bytes", "tombstone_ttl_seconds")
    redis.delete(Keys().waiting)

    claim(jobs, job_id)
    lapse(redis, job_id)
    jobs.reap(rering_seconds=LEASE_SECONDS)
    jobs.release(claim(jobs, job_id, owner="worker-2"))

    assert jobs.finish(claim(jobs, job_id, owner="worker-3"), success())
    assert redis.hgetall(Keys().waiting) == {}
    assert redis.ttl(Keys().gone(job_id)) > 0


def test_a_job_that_was_overtaken_has_lost_its_doorbell_and_is_rung_before_all_others(jobs, redis):
    overtaken, later = new_job(1), new_job(2)
    for new in (overtaken, later):
        jobs.accept(new)
    for number in range(3, 9):
        jobs.accept(new_job(number))
        redis.lpush("gw.standard", "a doorbell")  # as many as wait: by their number none is missing
    redis.lpush("gw.standard", "a doorbell of a job that is done", "another one")
    redis.hset(Keys().job(overtaken.id), "accepted_at", jobs.get(overtaken.id).accepted_at - 100)
    claim(jobs, later.id)
    redis.zadd(Keys().rung, {overtaken.id: 1})

    rings = jobs.reap(rering_seconds=15).rings

    assert [(ring.job_id, ring.broker_queue) for ring in rings] == [(overtaken.id, RECOVERED_QUEUE)]


def test_what_began_in_time_does_not_expire_when_it_waits_again(jobs, redis):
    new = new_job(deadline_seconds=1)
    jobs.accept(new)
    lease = claim(jobs, new.id)
    redis.hset(Keys().job(new.id), "deadline_at", 1)
    jobs.release(lease)

    assert len(jobs.expire()) == 0
    assert claim(jobs, new.id, owner="w2") is not None


def test_nothing_but_what_is_counted_stays_for_ever(jobs, redis):
    """Records, tombstones, keys, answers and slots of time: each goes with its time."""
    idempotency = Idempotency(key="k", fingerprint="f")
    jobs.worker_alive("w", model=MODEL.sha256, seconds=60)
    outcomes = success(), failure(), replace(success(), answer="a"), replace(success(), answer="b")
    for number, outcome in enumerate(outcomes):
        new = new_job(number, idempotency=replace(idempotency, key=f"k{number}"))
        jobs.accept(new)
        jobs.finish(claim(jobs, new.id), outcome)
    jobs.accept(new_job(7, answer="a"))  # answered at once
    jobs.forget_audio(jobs.spent(older_seconds=0))

    keys = Keys()
    for_ever = {key for key in redis.scan_iter() if redis.ttl(key) == -1}
    assert for_ever == {keys.workers, keys.model, keys.served}


def test_workers_that_fell_silent_are_forgotten(jobs, redis):
    jobs.worker_alive("silent", model="m", seconds=0)
    jobs.worker_alive("here", model="m", seconds=60)

    assert redis.zrange(Keys().workers, 0, -1) == ["here"]
