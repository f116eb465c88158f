"""The transitions of a job, on a real server."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from shared.errors import JobFinished, StoreUnavailable, UnknownJob
from shared.job import JobId, JobStatus, Lease, Source
from shared.names import BROKER_QUEUES, RECOVERED_QUEUE
from shared.redis_client import connect
from shared.redis_jobs import Hold, RedisJobStore, Verdict
from shared.redis_keys import Keys
from shared.settings import Settings
from support.jobs import classification, failure, new_job, success
from support.waiting import eventually

LEASE_SECONDS = 60


@pytest.fixture
def job_id(jobs: RedisJobStore) -> JobId:
    """An accepted job."""
    new = new_job()
    jobs.accept(new)
    return new.id


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
