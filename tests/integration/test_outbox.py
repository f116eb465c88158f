"""The outbox: events that jobs write into it, and their ways out of it, on a real server."""

import json
import os
from dataclasses import replace

import pytest

from shared.job import JobId
from shared.job_webhook import EVENTS, BasicAuth, JobWebhook
from shared.redis_keys import Keys
from shared.redis_outbox import Recorded
from shared.redis_webhooks import RedisWebhooks
from shared.webhooks import DeliveryStatus, NewEndpoint
from support.jobs import failure, new_job, success
from support.outbox import (
    SECRET,
    answered,
    claim_all,
    claim_one,
    fail,
    inline,
    outbox_of,
    unanswered,
)
from support.waiting import eventually

SHORT = 0.05


@pytest.fixture
def outbox(redis):
    return outbox_of(redis)


@pytest.fixture
def webhooks(redis):
    return RedisWebhooks(redis, Keys())


def ended(jobs, number: int = 1, *, webhook=None, outcome=None, **changes) -> JobId:
    """A job that a worker has ended."""
    new = new_job(number, webhook=webhook or inline(), **changes)
    jobs.accept(new)
    lease = jobs.claim(new.id, owner=os.urandom(4).hex(), lease_seconds=60).lease
    assert jobs.finish(lease, outcome or success())
    return new.id


def cancelled(jobs, number: int, webhook) -> JobId:
    new = new_job(number, webhook=webhook)
    jobs.accept(new)
    jobs.cancel(new.id)
    return new.id


def told(due) -> dict:
    return json.loads(due.body)


def events_of(outbox) -> list[str]:
    return [due.event for due in claim_all(outbox)]


def test_the_end_of_a_job_is_in_the_outbox_with_its_answer_less_the_timeline(jobs, outbox):
    job_id = ended(jobs, metadata={"media_id": 7})

    [due] = claim_all(outbox)

    body = told(due)
    assert due.id == f"msg_{job_id.removeprefix('job_')}_1"
    assert (due.event, due.number, due.job_id) == ("job.succeeded", 1, job_id)
    assert list(body) == ["type", "timestamp", "sequence", "data"]
    assert (body["type"], body["sequence"]) == ("job.succeeded", 1)
    data = body["data"]
    assert list(data) == [
        *("id", "status", "cached", "attempt", "created_at", "finished_at", "progress", "result", "error"),
        *("model", "source", "metadata", "links"),
    ]
    assert (data["id"], data["status"], data["metadata"]) == (job_id, "succeeded", {"media_id": 7})
    assert data["result"]["genre"] == "rock"
    assert "timeline" not in data["result"]
    assert b" " not in due.body


@pytest.mark.parametrize("event", ["job.succeeded", "job.failed", "job.cancelled", "job.expired"])
def test_every_end_writes_its_event_once(jobs, outbox, event):
    if event == "job.succeeded":
        ended(jobs)
    elif event == "job.failed":
        ended(jobs, outcome=failure())
    elif event == "job.cancelled":
        cancelled(jobs, 1, inline())
    else:
        jobs.accept(new_job(webhook=inline(), deadline_seconds=0))
        jobs.expire()
        jobs.expire()

    assert events_of(outbox) == [event]
    assert events_of(outbox) == []


def test_a_finish_that_is_said_twice_and_that_of_a_zombie_write_one_event(jobs, outbox):
    new = new_job(webhook=inline())
    jobs.accept(new)
    zombie = jobs.claim(new.id, owner="zombie", lease_seconds=0).lease
    lease = jobs.claim(new.id, owner="heir", lease_seconds=60).lease

    for said_by in (zombie, lease, lease, zombie):
        jobs.finish(said_by, success())

    assert events_of(outbox) == ["job.succeeded"]


def test_a_job_that_has_used_up_its_attempts_is_told_of_as_failed(jobs, outbox):
    new = new_job(webhook=inline(), max_attempts=1)
    jobs.accept(new)
    jobs.claim(new.id, owner="lost", lease_seconds=0)

    jobs.reap(rering_seconds=60)

    [due] = claim_all(outbox)
    assert told(due)["data"]["error"]["code"] == "too_many_attempts"


def test_a_job_that_is_answered_at_once_is_told_of_like_any_other(jobs, outbox):
    answer = "pcrnn:all:song"
    new = new_job(1, answer=answer)
    jobs.accept(new)
    jobs.worker_alive("w", model="0" * 64, seconds=60)
    lease = jobs.claim(new.id, owner="o", lease_seconds=60).lease
    jobs.finish(lease, replace(success(), answer=answer))

    assert jobs.accept(new_job(2, answer=answer, webhook=inline())).job.cached

    [due] = claim_all(outbox)
    assert (due.event, told(due)["data"]["result"]["genre"]) == ("job.succeeded", "rock")


def test_a_job_without_a_webhook_writes_nothing(jobs, outbox, redis):
    new = new_job()
    jobs.accept(new)
    jobs.cancel(new.id)

    assert claim_all(outbox) == []
    assert not list(redis.scan_iter("gw:webhook*"))


def test_only_the_events_that_were_asked_for_are_written_and_numbered(jobs, outbox):
    webhook = inline(events=EVENTS)
    ended(jobs, 1, webhook=webhook)
    ended(jobs, 2, webhook=inline("other.example", events=("job.failed",)))

    found = claim_all(outbox)

    assert [(due.event, told(due)["sequence"]) for due in found] == [("job.started", 1), ("job.succeeded", 2)]


def test_a_job_that_is_run_again_has_started_only_once(jobs, outbox):
    new = new_job(webhook=inline(events=("job.started",)))
    jobs.accept(new)
    jobs.claim(new.id, owner="lost", lease_seconds=0)

    jobs.claim(new.id, owner="heir", lease_seconds=60)

    assert events_of(outbox) == ["job.started"]


def test_progress_is_told_no_oftener_than_every_few_seconds(jobs, outbox):
    new = new_job(webhook=inline(events=("job.progress",)))
    jobs.accept(new)
    lease = jobs.claim(new.id, owner="o", lease_seconds=60).lease
    for stage, fraction in (("fetch", 0.1), ("decode", 0.2), ("predict", 0.3)):
        jobs.progress(lease, stage=stage, fraction=fraction)

    [due] = claim_all(outbox)

    assert told(due)["data"]["progress"] == {"stage": "fetch", "fraction": 0.1}
    assert told(due)["data"]["result"] is None


def test_stale_progress_does_not_stand_in_the_way_of_the_end(jobs, outbox, webhooks):
    new = new_job(webhook=inline(events=("job.progress", "job.succeeded")))
    jobs.accept(new)
    lease = jobs.claim(new.id, owner="o", lease_seconds=60).lease
    jobs.progress(lease, stage="decode", fraction=0.5)
    jobs.finish(lease, success())

    found = claim_all(outbox)

    assert [due.event for due in found] == ["job.succeeded"]
    progress = webhooks.deliveries("192.0.2.1", limit=10).deliveries[-1]
    assert (progress.event, progress.failed_because) == ("job.progress", "superseded")


def test_an_event_outlives_its_job_and_no_secret_is_left_with_the_job(jobs, outbox, redis):
    job_id = ended(jobs)
    assert SECRET not in json.dumps(redis.hgetall(Keys().job(job_id)))
    assert "token=t" not in json.dumps(redis.hgetall(Keys().job(job_id)))
    [delivery] = redis.scan_iter(Keys().delivery("*"))
    assert SECRET not in redis.hget(delivery, "job")

    jobs.delete(job_id)

    [due] = claim_all(outbox)
    assert told(due)["data"]["result"]["genre"] == "rock"


def test_a_delivery_that_is_being_sent_is_nobody_elses_until_its_lease_lapses(jobs, redis):
    ended(jobs)
    first = outbox_of(redis, lease_seconds=SHORT)
    [due] = claim_all(first)

    again = claim_one(outbox_of(redis, per_lane=1))  # the place in its lane was given back, too

    assert (again.id, again.body, again.number) == (due.id, due.body, 1)
    assert again.token > due.token
    assert first.record(due, answered(due), retry_seconds=None) is Recorded.LOST
    assert outbox_of(redis).record(again, answered(again), retry_seconds=None) is Recorded.DELIVERED
    assert claim_all(outbox_of(redis)) == []


def test_a_delivery_whose_record_is_gone_stands_in_nobodys_way(jobs, redis):
    ended(jobs, 1)
    ended(jobs, 2)
    [first, second] = claim_all(outbox_of(redis, lease_seconds=SHORT))
    redis.delete(Keys().delivery(first.id))
    ended(jobs, 3)
    redis.delete(Keys().delivery(f"msg_{3:024x}_1"))

    assert claim_one(outbox_of(redis)).id == second.id
    assert outbox_of(redis).depth().pending == 1


def test_what_came_of_it_may_be_said_twice_and_counts_once(jobs, outbox, webhooks):
    ended(jobs)
    [due] = claim_all(outbox)

    assert fail(outbox, due) is Recorded.RETRIED
    assert fail(outbox, due) is Recorded.RETRIED

    delivery = webhooks.delivery(due.id)
    assert (delivery.attempts_made, len(delivery.attempts)) == (1, 1)


def test_a_failed_attempt_is_followed_by_another_with_the_same_id_and_body(jobs, outbox):
    ended(jobs)
    [due] = claim_all(outbox)

    fail(outbox, due, retry_seconds=SHORT)

    again = claim_one(outbox)
    assert (again.id, again.body) == (due.id, due.body)
    assert (again.number, again.tries, again.retry_reason) == (2, 1, "http_500")
    assert due.retry_reason is None


def test_it_is_not_sent_before_its_pause_is_over(jobs, outbox):
    ended(jobs)
    [due] = claim_all(outbox)
    fail(outbox, due, retry_seconds=3_600)

    claimed = outbox.claim(limit=10, suspects=10)

    assert not claimed.deliveries
    assert 3_000 < claimed.next_due_seconds <= 3_600


def test_the_log_tells_every_attempt_and_the_end(jobs, outbox, webhooks, redis):
    job_id = ended(jobs)
    [due] = claim_all(outbox)
    outbox.record(due, unanswered(due), retry_seconds=0.0)
    due = claim_one(outbox)
    outbox.record(due, answered(due, 204), retry_seconds=5.0)

    delivery = webhooks.delivery(due.id)

    assert delivery.status is DeliveryStatus.DELIVERED
    assert (delivery.job_id, delivery.url) == (job_id, "https://radio.example/hook")
    assert [attempt.number for attempt in delivery.attempts] == [1, 2]
    assert delivery.attempts[0].error.code == "timeout"
    assert (delivery.attempts[1].status_code, delivery.attempts[1].reply) == (204, "hello")
    assert delivery.next_attempt_at is None
    assert not redis.hexists(Keys().delivery(due.id), "job")  # it was for the body, which is kept
    assert delivery.finished_at >= delivery.attempts[1].at
    assert outbox.depth().pending == 0


def test_behind_its_last_attempt_a_delivery_has_failed_and_is_kept(jobs, outbox, webhooks, redis):
    ended(jobs)
    [due] = claim_all(outbox)

    assert fail(outbox, due, retry_seconds=None) is Recorded.FAILED

    delivery = webhooks.delivery(due.id)
    assert (delivery.status, delivery.failed_because) == ("failed", "attempts_exhausted")
    assert outbox.depth().pending == 0
    for key in (Keys().delivery(due.id), Keys().attempts(due.id)):
        assert 0 < redis.ttl(key) <= 3_600


def test_a_lane_never_has_more_in_hand_than_it_may_and_the_others_go_on(jobs, outbox):
    for number in range(1, 11):
        cancelled(jobs, number, inline("slow.example"))
    for number in range(11, 14):
        cancelled(jobs, number, inline(f"good{number}.example"))

    found = claim_all(outbox)

    lanes = [told(due)["data"]["id"] for due in found]
    assert sum(due.destination.url.startswith("https://slow.") for due in found) == 4
    assert len(lanes) == 7
    assert claim_all(outbox) == []
    slow = next(due for due in found if "slow." in due.destination.url)
    outbox.record(slow, answered(slow), retry_seconds=None)
    assert len(claim_all(outbox)) == 1


def test_lanes_take_turns_however_much_waits_in_one(jobs, redis):
    outbox = outbox_of(redis, per_lane=100)
    for number in range(1, 21):
        cancelled(jobs, number, inline("busy.example"))
    cancelled(jobs, 21, inline("quiet.example"))

    hosts = {due.destination.url.split("/")[2] for _ in range(2) for due in claim_all(outbox, limit=1)}

    assert hosts == {"busy.example", "quiet.example"}


def test_a_receiver_that_fails_again_and_again_is_left_alone_then_probed_one_at_a_time(jobs, redis):
    outbox = outbox_of(redis, breaker_failures=3, breaker_seconds=0.5, breaker_max_seconds=0.5)
    for number in range(1, 5):
        cancelled(jobs, number, inline())
    found = claim_all(outbox)
    assert len(found) == 4
    for due in found[:3]:
        outbox.record(due, unanswered(due), retry_seconds=0.0)

    claimed = outbox.claim(limit=10, suspects=10)
    assert not claimed.deliveries
    outbox.record(found[3], unanswered(found[3]), retry_seconds=0.0)

    probe = claim_one(outbox)
    assert probe.is_suspect
    assert claim_all(outbox) == []
    outbox.record(probe, answered(probe), retry_seconds=None)
    assert len(claim_all(outbox)) == 3


def test_pauses_of_a_lane_grow_up_to_the_longest(jobs, redis):
    outbox = outbox_of(redis, breaker_failures=1, breaker_seconds=100, breaker_max_seconds=400)
    lane = Keys().lane(inline().lane)
    ended(jobs)
    pauses = []
    for _ in range(4):
        redis.hdel(lane, "paused_until")
        redis.zadd(Keys().lanes, {inline().lane: 0})
        due = claim_one(outbox)
        fail(outbox, due)
        pauses.append(round((float(redis.hget(lane, "paused_until")) - due.claimed_at) / 100))

    assert pauses == [1, 2, 4, 4]


def proven(jobs, outbox, host: str, number: int) -> None:
    """A receiver that has answered quickly."""
    cancelled(jobs, number, inline(host))
    due = claim_one(outbox)
    outbox.record(due, answered(due), retry_seconds=None)


@pytest.mark.parametrize("last", ["failed", "slow", "none yet"])
def test_lanes_that_have_not_proven_themselves_get_no_more_slots_than_they_are_given(jobs, outbox, last):
    bad = [f"bad{number}.example" for number in (1, 2, 3)]
    for number, host in enumerate(bad if last != "none yet" else [], start=1):
        proven(jobs, outbox, host, number)
        cancelled(jobs, number + 10, inline(host))
        due = claim_one(outbox)
        attempt = answered(due, 500) if last == "failed" else replace(answered(due), duration_seconds=14.0)
        outbox.record(due, attempt, retry_seconds=None)
    proven(jobs, outbox, "good.example", 20)
    for number, host in enumerate([*bad, "good.example"], start=21):
        cancelled(jobs, number, inline(host))

    found = claim_all(outbox, suspects=1)

    assert sorted((due.is_suspect, "good" in due.destination.url) for due in found) == [
        (False, True),
        (True, False),
    ]
    assert claim_all(outbox, suspects=0) == []
    assert len(claim_all(outbox, suspects=1)) == 1


def test_a_lane_stands_in_one_row_at_a_time(jobs, outbox, redis):
    rows = (Keys().unproven_lanes, Keys().lanes)
    cancelled(jobs, 1, inline())
    due = claim_one(outbox)
    for number, attempt in ((2, answered(due)), (3, answered(due, 500)), (4, answered(due))):
        cancelled(jobs, number, inline())
        outbox.record(due, attempt, retry_seconds=None)
        assert [redis.zcard(row) for row in rows] == ([0, 1] if attempt.is_success else [1, 0])
        due = claim_one(outbox)


def test_an_answer_of_the_4xx_kind_is_no_reason_to_pause_the_lane(jobs, redis):
    outbox = outbox_of(redis, breaker_failures=1, breaker_seconds=1_000)
    cancelled(jobs, 1, inline())
    cancelled(jobs, 2, inline())
    [first, _] = claim_all(outbox)

    outbox.record(first, answered(first, 404), retry_seconds=0.0)

    assert claim_one(outbox).id == first.id


def test_a_receiver_that_asks_to_be_left_alone_is(jobs, outbox):
    cancelled(jobs, 1, inline())
    [due] = claim_all(outbox)
    outbox.record(due, answered(due, 429, retry_after_seconds=1_000.0), retry_seconds=1_000.0)

    cancelled(jobs, 2, inline())

    claimed = outbox.claim(limit=10, suspects=10)
    assert not claimed.deliveries
    assert 200 < claimed.next_due_seconds <= 300  # others than that one need not wait for so long


def test_a_lane_that_was_served_stands_behind_those_that_were_not(jobs, redis):
    outbox = outbox_of(redis, per_lane=100)
    for number in range(1, 31):
        cancelled(jobs, number, inline("busy.example"))
    cancelled(jobs, 31, inline("quiet.example"))

    hosts = []
    for _ in range(3):
        [due] = claim_all(outbox, limit=1)
        hosts.append(due.destination.url.split("/")[2])
        outbox.record(due, answered(due, 404), retry_seconds=0.0)

    assert hosts[:2] == ["busy.example", "quiet.example"]


def test_an_event_carries_nothing_of_the_timeline_however_long_that_is(jobs, outbox, redis):
    ended(jobs)

    [delivery] = redis.scan_iter(Keys().delivery("*"))
    assert "29.7" not in redis.hget(delivery, "job")


def test_without_a_secret_of_its_own_an_event_is_signed_with_the_instances(jobs, outbox, webhooks):
    ended(jobs, webhook=inline(secret=None))

    [due] = claim_all(outbox)

    assert due.destination.secrets == tuple(each.text for each in webhooks.instance_secrets())


def test_login_and_url_reach_the_sender_and_no_repr(jobs, outbox):
    ended(jobs, webhook=inline(basic_auth=BasicAuth(username="radio", password="pass word")))

    [due] = claim_all(outbox)

    assert due.destination.url == "https://radio.example/hook?token=t"
    assert due.destination.basic_auth == BasicAuth(username="radio", password="pass word")
    for secret in ("pass word", "token=t", SECRET):
        assert secret not in repr(due)


def test_the_dispatcher_hears_of_a_new_event_at_once_and_how_much_waits(jobs, outbox):
    ended(jobs)

    outbox.wait(60)  # returns, for there is a ring

    depth = outbox.depth()
    assert depth.pending == 1
    assert 0 <= depth.oldest_seconds < 60


class TestEndpoints:
    @pytest.fixture
    def endpoint(self, webhooks):
        return webhooks.add("192.0.2.1", NewEndpoint(url="https://radio.example/hook"))

    def of(self, endpoint) -> JobWebhook:
        return JobWebhook(endpoint=endpoint.id, lane=endpoint.id)

    def test_an_event_goes_where_the_endpoint_says_when_it_is_sent(self, jobs, outbox, webhooks, endpoint):
        ended(jobs, webhook=self.of(endpoint))
        webhooks.change(endpoint.id, url="https://new.example/hook")

        [due] = claim_all(outbox)

        assert due.destination.url == "https://new.example/hook"
        assert due.endpoint == endpoint.id

    def test_its_own_list_of_events_holds(self, jobs, outbox, webhooks, endpoint):
        webhooks.change(endpoint.id, events=("job.failed",))
        ended(jobs, 1, webhook=self.of(endpoint))
        ended(jobs, 2, webhook=self.of(endpoint), outcome=failure())

        assert events_of(outbox) == ["job.failed"]

    def test_both_secrets_sign_while_one_takes_the_others_place(self, jobs, outbox, webhooks, endpoint):
        webhooks.rotate(endpoint.id, SECRET)
        ended(jobs, webhook=self.of(endpoint))

        [due] = claim_all(outbox)

        assert due.destination.secrets == (SECRET, endpoint.secrets[0].text)

    def test_a_secret_whose_day_is_over_signs_no_more(self, jobs, outbox, webhooks, endpoint, redis):
        secrets = [{"text": SECRET}, {"text": "whsec_old", "until": 1.0}]
        redis.hset(Keys().endpoint(endpoint.id), "secrets", json.dumps(secrets))
        ended(jobs, webhook=self.of(endpoint))

        assert claim_all(outbox)[0].destination.secrets == (SECRET,)

    def test_410_disables_it_and_what_waits_or_comes_fails_until_it_is_recovered(
        self, jobs, outbox, webhooks, endpoint
    ):
        ended(jobs, 1, webhook=self.of(endpoint))
        [due] = claim_all(outbox)
        assert outbox.record(due, answered(due, 410), retry_seconds=5.0) is Recorded.FAILED
        ended(jobs, 2, webhook=self.of(endpoint))

        assert claim_all(outbox) == []

        assert webhooks.endpoint(endpoint.id).disabled_because == "gone"
        failed = webhooks.deliveries("192.0.2.1", endpoint=endpoint.id, limit=10).deliveries
        assert [each.failed_because for each in failed] == ["endpoint_disabled", "gone"]
        webhooks.change(endpoint.id, enabled=True)
        assert webhooks.recover(endpoint.id, since=0) == 2
        assert [due.retry_reason for due in claim_all(outbox)].count(
            "redelivery"
        ) == 1  # of the one that was sent

    def test_recovery_is_of_what_has_failed_since_then(self, jobs, outbox, webhooks, endpoint):
        for number in (1, 2, 3):
            ended(jobs, number, webhook=self.of(endpoint))
        first, second, third = claim_all(outbox)
        outbox.record(first, answered(first), retry_seconds=None)
        fail(outbox, second, retry_seconds=None)
        fail(outbox, third, retry_seconds=None)

        assert webhooks.recover(endpoint.id, since=third.created_at) == 1
        assert claim_one(outbox).id == third.id

        assert webhooks.recover(endpoint.id, since=0) == 1
        assert claim_one(outbox).id == second.id

    def test_a_410_of_the_receiver_before_says_nothing_of_the_one_now(self, jobs, outbox, webhooks, endpoint):
        ended(jobs, webhook=self.of(endpoint))
        due = claim_one(outbox)
        webhooks.change(endpoint.id, url="https://new.example/hook")

        assert outbox.record(due, answered(due, 410), retry_seconds=None) is Recorded.RETRIED

        assert webhooks.endpoint(endpoint.id).is_enabled
        assert webhooks.endpoint(endpoint.id).failing_since is None
        again = claim_one(outbox)
        assert (again.id, again.destination.url) == (due.id, "https://new.example/hook")
        assert webhooks.delivery(due.id).url == "https://new.example/hook"

    def test_all_secrets_sign_until_their_own_day_is_over(self, webhooks, endpoint, redis):
        first = endpoint.secrets[0].text
        second = webhooks.rotate(endpoint.id).secrets[0].text

        third = webhooks.rotate(endpoint.id)

        assert [each.text for each in third.secrets][1:] == [second, first]
        for _ in range(9):
            webhooks.rotate(endpoint.id)
        assert len(webhooks.endpoint(endpoint.id).secrets) == 5
        kept = json.dumps([{"text": SECRET}, {"text": second, "until": 9e9}, {"text": first, "until": 1.0}])
        redis.hset(Keys().endpoint(endpoint.id), "secrets", kept)
        assert [each.text for each in webhooks.rotate(endpoint.id).secrets][1:] == [SECRET, second]

    @pytest.mark.parametrize("what", ["redelivery", "test"])
    def test_what_somebody_waits_for_comes_before_all_others(self, jobs, redis, webhooks, endpoint, what):
        outbox = outbox_of(redis, breaker_failures=1, breaker_seconds=1_000, breaker_max_seconds=1_000)
        ended(jobs, 1, webhook=self.of(endpoint))
        ended(jobs, 2, webhook=self.of(endpoint))
        first, second = claim_all(outbox)
        fail(outbox, first, retry_seconds=0.0)
        fail(outbox, second, retry_seconds=0.0)
        ended(jobs, 3, webhook=self.of(endpoint))

        wanted = webhooks.test(endpoint.id) if what == "test" else webhooks.redeliver(second.id)

        assert claim_one(outbox).id == wanted.id

    def test_lists_forget_what_is_gone_and_live_as_long_as_what_is_there(
        self, jobs, outbox, webhooks, endpoint, redis
    ):
        lists = (Keys().deliveries_of("192.0.2.1"), Keys().deliveries_at(endpoint.id))
        webhooks.change(endpoint.id, enabled=False)
        for number in range(1, 9):
            ended(jobs, number, webhook=self.of(endpoint))
            assert [redis.ttl(each) for each in lists] == [-1, -1]  # something waits
            assert claim_all(outbox) == []
            assert [redis.ttl(each) > 3_600 for each in lists] == [True, True]
            redis.delete(Keys().delivery(f"msg_{number:024x}_1"))
        assert [redis.zcard(each) <= 3 for each in lists] == [True, True]

    def test_a_wish_to_have_it_sent_again_outlives_the_attempt_that_it_meets(
        self, jobs, outbox, webhooks, endpoint
    ):
        ended(jobs, webhook=self.of(endpoint))
        due = claim_one(outbox)
        webhooks.redeliver(due.id)

        assert fail(outbox, due, retry_seconds=None) is Recorded.RETRIED

        again = claim_one(outbox)
        assert (again.id, again.tries, again.retry_reason) == (due.id, 0, "redelivery")
        assert fail(outbox, again, retry_seconds=None) is Recorded.FAILED

    def test_what_has_arrived_is_not_sent_again_for_a_wish_that_met_it(
        self, jobs, outbox, webhooks, endpoint
    ):
        ended(jobs, webhook=self.of(endpoint))
        due = claim_one(outbox)
        webhooks.redeliver(due.id)

        assert outbox.record(due, answered(due), retry_seconds=None) is Recorded.DELIVERED
        assert claim_all(outbox) == []

    def test_what_waits_to_be_tried_again_is_recovered_too(self, jobs, outbox, webhooks, endpoint):
        ended(jobs, webhook=self.of(endpoint))
        due = claim_one(outbox)
        fail(outbox, due, retry_seconds=86_400.0)

        assert webhooks.recover(endpoint.id, since=0) == 1
        assert claim_one(outbox).id == due.id

    def test_recovery_misses_nothing_though_others_leave_the_list_meanwhile(
        self, jobs, outbox, webhooks, endpoint, redis, monkeypatch
    ):
        monkeypatch.setattr("shared.redis_webhooks.RECOVERED_PER_CALL", 3)
        for number in range(1, 11):
            ended(jobs, number, webhook=self.of(endpoint))
            due = claim_one(outbox)
            outbox.record(due, answered(due, 404), retry_seconds=None)
        run, gone = webhooks._run, iter(range(1, 11))

        def run_beside_others(script, *args):
            answer = run(script, *args)
            redis.zrem(Keys().deliveries_at(endpoint.id), f"msg_{next(gone):024x}_1")
            return answer

        monkeypatch.setattr(webhooks, "_run", run_beside_others)

        assert webhooks.recover(endpoint.id, since=0) >= 9  # the first to leave was not looked at yet

    def test_who_asked_to_be_left_alone_is_whatever_others_were_answered(
        self, jobs, redis, webhooks, endpoint
    ):
        outbox = outbox_of(redis, breaker_failures=1, breaker_seconds=0.01, breaker_max_seconds=300)
        for number in (1, 2, 3):
            ended(jobs, number, webhook=self.of(endpoint))
        first, second, third = claim_all(outbox)
        outbox.record(first, answered(first, 503, retry_after_seconds=200.0), retry_seconds=200.0)
        fail(outbox, second)
        outbox.record(third, answered(third, 404), retry_seconds=0.0)

        claimed = outbox.claim(limit=10, suspects=10)

        assert not claimed.deliveries
        assert claimed.next_due_seconds > 100

    def test_stale_progress_is_not_recovered(self, jobs, outbox, webhooks, endpoint):
        webhooks.change(endpoint.id, events=("job.progress",))
        new = new_job(webhook=self.of(endpoint))
        jobs.accept(new)
        lease = jobs.claim(new.id, owner="o", lease_seconds=60).lease
        jobs.progress(lease, stage="decode", fraction=0.5)
        jobs.finish(lease, success())
        assert claim_all(outbox) == []

        assert webhooks.recover(endpoint.id, since=0) == 0

    def test_to_enable_what_is_enabled_does_not_begin_anew(self, jobs, outbox, webhooks, endpoint):
        ended(jobs, webhook=self.of(endpoint))
        fail(outbox, claim_one(outbox))

        assert webhooks.change(endpoint.id, enabled=True).failing_since is not None

    def test_nothing_but_failures_for_too_long_disables_it(self, jobs, redis, webhooks, endpoint):
        outbox = outbox_of(redis, disable_seconds=0)
        ended(jobs, webhook=self.of(endpoint))
        fail(outbox, claim_one(outbox), retry_seconds=0.0)
        assert webhooks.endpoint(endpoint.id).failing_since is not None

        eventually(lambda: _second_failure(outbox, webhooks, endpoint))

        assert webhooks.endpoint(endpoint.id).disabled_because == "failing"

    def test_another_url_is_not_judged_by_the_one_before(self, jobs, redis, webhooks, endpoint):
        outbox = outbox_of(redis, breaker_failures=1, breaker_seconds=1_000, breaker_max_seconds=1_000)
        ended(jobs, webhook=self.of(endpoint))
        fail(outbox, claim_one(outbox))
        assert claim_all(outbox) == []

        webhooks.change(endpoint.id, url="https://new.example/hook")

        assert claim_one(outbox).destination.url == "https://new.example/hook"

    def test_a_success_ends_the_time_of_failures(self, jobs, outbox, webhooks, endpoint):
        ended(jobs, webhook=self.of(endpoint))
        fail(outbox, claim_one(outbox))
        due = claim_one(outbox)

        outbox.record(due, answered(due), retry_seconds=None)

        assert webhooks.endpoint(endpoint.id).failing_since is None

    def test_what_waits_for_a_deleted_one_fails_and_nothing_new_is_written(
        self, jobs, outbox, webhooks, endpoint
    ):
        ended(jobs, 1, webhook=self.of(endpoint))
        webhooks.remove(endpoint.id)
        ended(jobs, 2, webhook=self.of(endpoint))

        assert claim_all(outbox) == []

        [delivery] = webhooks.deliveries("192.0.2.1", limit=10).deliveries
        assert delivery.failed_because == "endpoint_deleted"

    def test_a_test_is_sent_also_where_it_is_disabled(self, outbox, webhooks, endpoint):
        webhooks.change(endpoint.id, enabled=False)

        delivery = webhooks.test(endpoint.id)

        [due] = claim_all(outbox)
        assert (due.id, due.event) == (delivery.id, "webhook.test")
        assert told(due)["data"] == {"endpoint": endpoint.id}

    def test_a_delivery_is_sent_again_under_its_id_whatever_became_of_it(
        self, jobs, outbox, webhooks, endpoint
    ):
        ended(jobs, webhook=self.of(endpoint))
        fail(outbox, claim_one(outbox))
        due = claim_one(outbox)
        outbox.record(due, answered(due), retry_seconds=None)

        assert webhooks.redeliver(due.id).status is DeliveryStatus.PENDING

        again = claim_one(outbox)
        assert (again.id, again.body, again.number, again.tries) == (due.id, due.body, 3, 0)
        assert again.retry_reason == "redelivery"

    def test_one_that_is_being_sent_is_not_sent_beside_that(self, jobs, outbox, webhooks, endpoint):
        ended(jobs, webhook=self.of(endpoint))
        due = claim_one(outbox)

        webhooks.redeliver(due.id)

        assert claim_all(outbox) == []


def _second_failure(outbox, webhooks, endpoint) -> bool:
    for due in claim_all(outbox):
        fail(outbox, due, retry_seconds=0.0)
    return not webhooks.endpoint(endpoint.id).is_enabled
