"""Random sequences of transitions, crashes and clock steps, on a real server beside a model of it.

The clock of the scripts stands still unless a sequence moves it: so the model can say what each call answers.
"""

import json
import os
import random
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from genrewiz.serve.embedded import prepare
from shared.admission import UNLIMITED, Limits
from shared.classification import TimelineEntry
from shared.errors import (
    IdempotencyKeyReused,
    JobFinished,
    JobRunning,
    QueueFull,
    QuotaExceeded,
    ResultGone,
    UnknownJob,
)
from shared.job import FINISHED, Idempotency, JobId, JobStatus, Lease, NewJob, Source
from shared.job_events import Windows
from shared.job_webhook import EVENTS, JobWebhook
from shared.names import BROKER_QUEUES, QUEUE_NAMES, SOURCE_KINDS, broker_queue, broker_queues
from shared.redis_client import connect
from shared.redis_jobs import RedisJobStore, read_script
from shared.redis_keys import Keys
from shared.settings import Settings
from shared.transitions import Hold, Verdict
from support.job_model import JobModel, ModelJob
from support.jobs import MODEL, classification, failure, new_job, success
from support.outbox import inline
from support.waiting import eventually

SEQUENCES = int(os.environ.get("GENREWIZ_TEST_SEQUENCES", "1000"))
STEPS = 30
LEASE_SECONDS = 10
RERING_SECONDS = 15
RESULT_TTL_SECONDS, TOMBSTONE_TTL_SECONDS = 3_600, 7_200
FIRST_SECOND = 1_000_000
CLOCK = "clock"
MAX_JOBS = 10
ROUNDS = 3  # of a reaper and a healthy worker, in which all that is left comes to an end
LIMITS = Limits(jobs=4, bytes=9_000, caller_jobs=3, caller_bytes=6_000)
URL = "https://cdn.example/song.mp3?sig=s3cret"
OUTCOMES = {"succeeded": success(), "failed": failure(), "cancelled": replace(success(), result=None)}
ENDS = ("succeeded", "succeeded", "failed", "cancelled")
WORDS = (None, "finish", "finish", "renew", "release")
OTHER_MODEL = "1" * 64

NEXT = {  # by the status a job had before a step; None is no job
    None: {"queued", "succeeded"},
    "queued": {"queued", "running", "cancelled", "expired"},
    "running": {"running", "queued", *FINISHED},
    **{status: {status} for status in FINISHED},
}

LOOK = """
local function zset(key)
  local flat, scores = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'), {}
  for index = 1, #flat, 2 do scores[flat[index]] = tonumber(flat[index + 1]) end
  return scores
end
local function hash(key)
  local flat, fields = redis.call('HGETALL', key), {}
  for index = 1, #flat, 2 do fields[flat[index]] = flat[index + 1] end
  return fields
end
local function stream(key)
  local events = {}
  for index, event in ipairs(redis.call('XRANGE', key, '-', '+')) do
    events[index] = {}
    for value = 2, #event[2], 2 do table.insert(events[index], event[2][value]) end
  end
  return events
end
local seen = { events = {}, event_ttls = {}, lists = {}, list_ttls = {}, records = {}, ttls = {},
  tombstones = {}, webhooks = {}, outbox = redis.call('ZCARD', OUTBOX), rows = {}, keys = {}, key_ttls = {},
  running = zset(RUNNING), active = zset(ACTIVE), rung = zset(RUNG), deadlines = zset(DEADLINES),
  spent = zset(SPENT), waiting = hash(WAITING) }
for kind, queues in pairs(QUEUED) do
  for queue, key in pairs(queues) do seen.rows[kind .. ' ' .. queue] = zset(key) end
end
for _, caller in ipairs({ 'ann', 'bob', 'eve' }) do
  local key = jobs_of_key(caller)
  seen.lists[caller], seen.list_ttls[caller] = zset(key), redis.call('TTL', key)
end
for index, id in ipairs(ARGV) do
  if index <= 2 then
    seen.keys[id] = redis.call('GET', idempotency_key(id))
    seen.key_ttls[id] = redis.call('TTL', idempotency_key(id))
  else
    seen.records[id], seen.ttls[id] = hash(job_key(id)), redis.call('TTL', job_key(id))
    seen.tombstones[id] = redis.call('TTL', gone_key(id))
    seen.webhooks[id] = {}
    local function told()
      return redis.call('HGET', delivery_key('msg_' .. id:sub(5) .. '_' .. #seen.webhooks[id] + 1), 'event')
    end
    while told() do table.insert(seen.webhooks[id], told()) end
    seen.events[id], seen.event_ttls[id] = stream(events_key(id)), redis.call('TTL', events_key(id))
  end
end
return cjson.encode(seen)
"""
"""All that the scripts keep, at one moment. ARGV: the two idempotency keys, then the ids of jobs."""

IDEMPOTENCY_KEYS = ("key-1", "key-2")
CALLERS = ("ann", "bob", "eve")

SEEN_IN_THOUSANDS = {
    *("accepted", "known", "reused", "cached", "over_quota", "queue_full"),
    *(f"claim: {verdict}" for verdict in Verdict),
    *(f"{call}: {hold}" for call in ("renew", "progress") for hold in Hold),
    *("finish: True", "finish: False", "released", "release refused", "record gone", "expire"),
    *(f"cancel: {verdict}" for verdict in ("cancelled", "requested", "again", "finished", "gone")),
    *("reap: lapsed", "reap: failed", "reap: cancelled", "listed over pages"),
    *(f"delete: {verdict}" for verdict in ("cancelled", "deleted", "running", "gone")),
    "window told",
    *(f"rung: {queue}" for queue in BROKER_QUEUES),
}

Sources = Callable[[str], str]


def on_a_clock_of_the_test(source: Sources) -> Sources:
    """The scripts, on a time that stands in a key."""

    def read(name: str) -> str:
        text = source(name)
        if name != "clock":
            return text
        text, found = re.subn(
            r"local function now\(\).*?\nend\n",
            f"local function now() return redis.call('GET', '{CLOCK}') .. '.000000' end\n",
            text,
            flags=re.DOTALL,
        )
        assert found == 1
        return text

    return read


@dataclass
class Bench:
    """A server with the scripts under test, and what was seen in all sequences."""

    redis: Redis
    jobs: RedisJobStore
    look: Callable[..., str]
    settled: int = 0
    events: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, redis: Redis, source: Sources = read_script) -> "Bench":
        look = redis.register_script(f"{Keys().lua()}\n{LOOK}")
        jobs = RedisJobStore(redis, Keys(), read_script=on_a_clock_of_the_test(source))
        return cls(redis=redis, jobs=jobs, look=lambda *args: look(args=args))


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a client asks for."""

    kind: str
    queue: str
    caller: str
    size: int
    deadline_seconds: int | None
    key: str | None
    fingerprint: str
    answer: str | None
    max_attempts: int
    limits: Limits
    webhook: JobWebhook | None

    def job(self, job_id: str) -> NewJob:
        is_url = self.kind == "url"
        return new_job(
            id=JobId(job_id),
            queue=self.queue,
            source=Source(kind=self.kind, filename="song", bytes=None if is_url else self.size),
            caller=self.caller,
            deadline_seconds=self.deadline_seconds,
            idempotency=Idempotency(key=self.key, fingerprint=self.fingerprint) if self.key else None,
            answer=None if is_url else self.answer,
            max_attempts=self.max_attempts,
            result_ttl_seconds=RESULT_TTL_SECONDS,
            tombstone_ttl_seconds=TOMBSTONE_TTL_SECONDS,
            url=URL if is_url else None,
            webhook=self.webhook,
        )


WISHES = st.builds(
    Wish,
    kind=st.sampled_from(SOURCE_KINDS),
    queue=st.sampled_from(QUEUE_NAMES),
    caller=st.sampled_from(CALLERS),
    size=st.sampled_from([500, 1_000, 4_000]),
    deadline_seconds=st.sampled_from([None, None, None, 5, 20]),
    key=st.sampled_from([None, None, *IDEMPOTENCY_KEYS]),
    fingerprint=st.sampled_from(["one", "other"]),
    answer=st.sampled_from(["all", "all", "first", None]),
    max_attempts=st.integers(1, 3),
    limits=st.sampled_from([UNLIMITED, LIMITS]),
    webhook=st.sampled_from([None, inline(events=EVENTS), inline(events=("job.failed", "job.cancelled"))]),
)
PICKS = st.integers(0, 59)  # which of those there are, modulo how many; 60 has many divisors
COPIES = st.integers(0, 2)  # of a doorbell: lost, rung, rung twice


class JobSequences(RuleBasedStateMachine):
    """Many clients, workers and reapers, all of which may stop in mid-sentence or say a thing twice."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.bench, self.jobs = bench, bench.jobs
        self.model = JobModel(FIRST_SECOND)
        self.wishes: dict[str, Wish] = {}  # of all that was accepted
        self.calls: list[tuple[str, str]] = []  # id and owner of every claim
        self.leases: list[Lease] = []  # of workers that may still speak
        self.finished_by: dict[str, set[int]] = defaultdict(set)
        self.doorbells: dict[str, list[str]] = {queue: [] for queue in BROKER_QUEUES}
        self.seen: dict[str, dict[str, str]] = {}
        self.seconds_back = 0
        self.has_failed = False
        bench.redis.flushall()
        bench.redis.set(CLOCK, FIRST_SECOND)

    # What clients do.

    @initialize(
        wishes=st.lists(WISHES, min_size=2, max_size=4),
        model=st.sampled_from([MODEL.sha256, OTHER_MODEL]),
        doorbells=st.integers(0, 4),
    )
    def begin(self, wishes: list[Wish], model: str, doorbells: int) -> None:
        """Most of what can be drawn needs a job, a run, and a model that answered."""
        self.hold_a_model(model)
        for wish in wishes:
            self._checked(lambda wish=wish: self.accept(wish, copies=1))
        for job_id in list(self.wishes)[:doorbells]:
            self._claim_anew(job_id)

    @precondition(lambda self: len(self.wishes) < MAX_JOBS)
    @rule(wish=WISHES, copies=COPIES)
    def accept(self, wish: Wish, copies: int) -> None:
        job_id = f"job_{len(self.wishes):02}"
        if self._accept(job_id, wish) == "accepted":
            self.wishes[job_id] = wish
            if self.model.jobs[job_id].is_cached:
                self.bench.events["cached"] += 1
            else:
                self._ring(job_id, broker_queue(wish.queue, wish.kind), copies)  # type: ignore[arg-type]

    @precondition(lambda self: len(self.wishes) < MAX_JOBS and self.model.answers)
    @rule(wish=WISHES, pick=PICKS, copies=COPIES)
    def accept_what_was_answered(self, wish: Wish, pick: int, copies: int) -> None:
        _, answer = self._any(pick, list(self.model.answers))
        self.accept(replace(wish, kind="upload", answer=answer, key=None), copies)

    @precondition(lambda self: self.model.jobs)
    @rule(pick=PICKS)
    def accept_whose_reply_was_lost(self, pick: int) -> None:
        job_id = self._any(pick, sorted(self.model.jobs))
        self._same(self._accept(job_id, self.wishes[job_id]), "accepted")

    @rule(wish=WISHES)
    def ask_for_room(self, wish: Wish) -> None:
        size, limits = wish.size if wish.kind == "upload" else 0, wish.limits
        has_key = wish.key is not None and wish.key in self.model.keys
        refusal = None if has_key else self.model.no_room(wish.caller, size, limits)

        try:
            self.jobs.check_room(caller=wish.caller, size=size, idempotency_key=wish.key, limits=limits)
        except (QuotaExceeded, QueueFull) as error:
            self._same(_refusal(error), refusal)
        else:
            self._same(None, refusal)

    @precondition(lambda self: self.wishes)
    @rule(pick=PICKS)
    def cancel(self, pick: int) -> None:
        self._cancel(self._any(pick, list(self.wishes)))

    @precondition(lambda self: self.leases)
    @rule(pick=PICKS)
    def cancel_what_was_claimed(self, pick: int) -> None:
        self._cancel(self._any(pick, self.leases[::-1]).job_id)

    @precondition(lambda self: self.wishes)
    @rule(pick=PICKS)
    def delete(self, pick: int) -> None:
        job_id = self._any(pick, list(self.wishes))
        expected = self.model.delete(job_id)

        try:
            deleted = self.jobs.delete(JobId(job_id))
            verdict = ("cancelled" if deleted.was_waiting else "deleted") if deleted else "gone"
        except JobRunning:
            verdict = "running"
        self._same(verdict, expected, "delete")
        self.model.answers = {
            answer: of for answer, of in self.model.answers.items() if of in self.model.jobs
        }

    @rule(
        caller=st.sampled_from(CALLERS),
        status=st.sampled_from([None, None, *JobStatus]),
        limit=st.integers(1, 4),
    )
    def list_jobs(self, caller: str, status: JobStatus | None, limit: int) -> None:
        found: list[str] = []
        page = self.jobs.list_jobs(caller, status=status, limit=limit, after=None)
        while page.end:
            found += [job.id for job in page.jobs]
            page = self.jobs.list_jobs(caller, status=status, limit=limit, after=page.end)
            self.bench.events["listed over pages"] += 1
            self._same(len(set(found)), len(found))
        self._same(found + [job.id for job in page.jobs], self.model.list_jobs(caller, status))

    @rule(pick=PICKS)
    def look_up(self, pick: int) -> None:
        job_id = self._any(pick, [*self.wishes, "job_none"])
        expected = self.model.jobs.get(job_id)

        try:
            job = self.jobs.get(job_id)
        except (ResultGone, UnknownJob) as error:
            self._same(expected, None)
            self._same(type(error), ResultGone if job_id in self.model.gone else UnknownJob)
        else:
            self._same(job.progress.queue_position, self.model.place(job_id))
            self._same(job.cached, expected is not None and expected.is_cached)
            self._same(job.result is not None, job.status == "succeeded")

    # What workers do, those that lost their lease included.

    @precondition(lambda self: self.wishes)
    @rule(pick=PICKS, alone=st.booleans())
    def claim(self, pick: int, alone: bool) -> None:
        """At a doorbell that was rung once too often, or by a worker that is quick."""
        self._claim_anew(self._any(pick, list(self.wishes)), alone=alone)

    @precondition(lambda self: any(self.doorbells.values()))
    @rule(kind=st.sampled_from(SOURCE_KINDS))
    def serve(self, kind: Any) -> None:
        """As a worker does: the first doorbell of the first list."""
        for queue in broker_queues(kind):
            if self.doorbells[queue]:
                self.bench.redis.rpop(queue)
                self._claim_anew(self.doorbells[queue].pop(0))
                return

    @precondition(lambda self: self.calls)
    @rule(pick=PICKS)
    def claim_whose_reply_was_lost(self, pick: int) -> None:
        self._claim(*self._any(pick, self.calls[::-1]))

    @precondition(lambda self: self.leases)
    @rule(pick=PICKS)
    def renew(self, pick: int) -> None:
        self._renew(self._any(pick, self.leases[::-1]))

    @precondition(lambda self: self.leases)
    @rule(pick=PICKS, fraction=st.sampled_from([0.25, 0.5]), count=st.integers(0, 2), again=st.booleans())
    def progress(self, pick: int, fraction: float, count: int, again: bool) -> None:
        """again: one window, too, that was told already."""
        self._progress(self._any(pick, self.leases[::-1]), fraction, count, again=again)

    def _progress(self, lease: Lease, fraction: float, count: int, *, again: bool = False) -> None:
        told = self.model.windows_of(lease)
        first = max(0, told - again)
        entries = tuple(_window(number) for number in range(first, told + count))
        news = {"stage": "decode", "fraction": fraction, "windows": Windows(first=first, entries=entries)}
        expected = self.model.progress(lease, **news)
        self._same(self.jobs.progress(lease, **news), expected, "progress")
        self.bench.events["window told"] += bool(entries)

    @precondition(lambda self: self.leases)
    @rule(pick=PICKS, end=st.sampled_from(ENDS), is_of_an_old_fleet=st.booleans())
    def finish(self, pick: int, end: str, is_of_an_old_fleet: bool) -> None:
        self._finish(
            self._any(pick, self.leases[::-1]), end, OTHER_MODEL if is_of_an_old_fleet else self.model.model
        )

    @precondition(lambda self: self.leases)
    @rule(pick=PICKS, copies=COPIES)
    def release(self, pick: int, copies: int) -> None:
        self._release(self._any(pick, self.leases[::-1]), copies)

    @precondition(lambda self: self.leases)
    @rule(pick=PICKS)
    def crash(self, pick: int) -> None:
        """A worker that is never heard of again."""
        self.leases.remove(self._any(pick, self.leases[::-1]))

    @rule(model=st.sampled_from([MODEL.sha256, OTHER_MODEL]))
    def hold_a_model(self, model: str) -> None:
        self.model.model = model
        self.jobs.worker_alive("worker", model=model, seconds=60)

    # What reapers and time do.

    @rule(copies=COPIES)
    def reap(self, copies: int) -> None:
        lengths = {queue: len(waiting) for queue, waiting in self.doorbells.items()}
        found, rings = self.model.reap(RERING_SECONDS, lengths)

        sweep = self.jobs.reap(rering_seconds=RERING_SECONDS)

        self._same([(ring.job_id, ring.broker_queue) for ring in sweep.rings], rings)
        counts = {"lapsed": sweep.lapsed, "failed": sweep.failed, "cancelled": sweep.cancelled}
        self._same(Counter({name: count for name, count in counts.items() if count}), found)
        self.bench.events.update(f"reap: {name}" for name in found)
        self.bench.events.update(f"rung: {queue}" for _, queue in rings)
        for ring in sweep.rings:
            self._ring(ring.job_id, ring.broker_queue, copies)

    @rule()
    def expire(self) -> None:
        expected = self.model.expire()
        self._same(len(self.jobs.expire()), expected)
        self.bench.events["expire"] += expected

    @rule(older_seconds=st.sampled_from([0, 10]), share=st.sampled_from([0, 1, 2]))
    def remove_audio(self, older_seconds: int, share: int) -> None:
        """A reaper, which may die before it has removed all."""
        until = self.model.time - older_seconds
        expected = sorted((at, job_id) for job_id, at in self.model.spent.items() if at <= until)
        spent = self.jobs.spent(older_seconds=older_seconds)
        self._same(list(spent), [job_id for _, job_id in expected])
        if gone := spent[: len(spent) * share // 2]:
            self.jobs.forget_audio(gone)
            for job_id in gone:
                del self.model.spent[job_id]

    @rule(seconds=st.sampled_from([1, 4, 10, 11, 16, 30, -3, -40]))
    def step_clock(self, seconds: int) -> None:
        self.seconds_back -= min(seconds, 0)
        self.model.time += seconds
        self.bench.redis.incrby(CLOCK, seconds)

    @precondition(lambda self: self.leases)
    @rule(pick=PICKS, copies=COPIES, is_reaped=st.booleans(), word=st.sampled_from(WORDS))
    def hang(self, pick: int, copies: int, is_reaped: bool, word: str | None) -> None:
        """All workers, for longer than their leases; one speaks after a reaper or another worker came."""
        lease = self._any(pick, self.leases[::-1])
        self._progress(lease, 0.25, 1)
        self.step_clock(LEASE_SECONDS)
        if is_reaped:
            self.reap(copies)
        else:
            self._claim_anew(lease.job_id)
            self._progress(self.leases[-1], 0.25, 1)
        if word == "finish":
            self._finish(lease, "failed", OTHER_MODEL)
        elif word == "renew":
            self._renew(lease)
        elif word == "release":
            self._release(lease, copies)

    @precondition(lambda self: any(job.is_finished for job in self.model.jobs.values()))
    @rule(pick=PICKS, goes_first=st.booleans())
    def lose_record(self, pick: int, goes_first: bool) -> None:
        """As its time to live would; the keys that name it go at the same time, or a moment later."""
        keys = Keys()
        job_id = self._any(pick, sorted(name for name, job in self.model.jobs.items() if job.is_finished))
        names = [keys.job(job_id)]
        if not goes_first:
            for key in [key for key, of in self.model.keys.items() if of == job_id]:
                names.append(keys.idempotency(key))
                del self.model.keys[key]
            for answer in [answer for answer, of in self.model.answers.items() if of == job_id]:
                names.append(keys.answer(str(answer[0]), str(answer[1])))
                del self.model.answers[answer]
        self.bench.redis.delete(*names)
        self.model.lose_record(job_id)
        self.bench.events["record gone"] += 1

    @precondition(lambda self: any(self.doorbells.values()))
    @rule()
    def lose_doorbells(self) -> None:
        self.bench.redis.delete(*BROKER_QUEUES)
        self.doorbells = {queue: [] for queue in BROKER_QUEUES}

    # What holds after every step.

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        ids = list(self.wishes)
        seen = json.loads(self.bench.look(*IDEMPOTENCY_KEYS, *ids))
        records = {job_id: record for job_id, record in seen["records"].items() if record}
        self._same(set(records), set(self.model.jobs))
        for job_id, record in records.items():
            self._check_record(record, self.model.jobs[job_id])
            self._check_step(self.seen.get(job_id), record)
            self._check_lives(record, seen["ttls"][job_id], seen["tombstones"][job_id])
        self._check_sets(seen)
        self._check_events(seen)
        self._check_webhooks(seen)
        self._check_lists(seen)
        self._check_keys(seen)
        self.seen = records

    def _check_record(self, record: Mapping[str, str], job: ModelJob) -> None:
        self._same(
            {
                "status": record["status"],
                "attempt": int(record["attempt"]),
                "token": int(record["token"]),
                "owner": record.get("owner", ""),
                "accepted_at": float(record["accepted_at"]),
                "started_at": _seconds(record.get("started_at")),
                "finished_at": _seconds(record.get("finished_at")),
                "deadline_at": _seconds(record.get("deadline_at")),
                "cancel_requested": "cancel_requested" in record,
                "cached": "heard" in record,
                "error": json.loads(record["error"])["code"] if "error" in record else None,
                "url": record.get("url"),
            },
            {
                "status": job.status,
                "attempt": job.attempt,
                "token": job.token,
                "owner": job.owner,
                "accepted_at": job.accepted_at,
                "started_at": job.started_at,
                "finished_at": job.finished_at,
                "deadline_at": job.deadline_at,
                "cancel_requested": job.cancel_requested,
                "cached": job.is_cached,
                "error": job.error,
                "url": None if job.is_finished else job.new.url,
            },
        )
        self._same(job.attempt <= job.new.max_attempts, True)

    def _check_step(self, before: Mapping[str, str] | None, after: Mapping[str, str]) -> None:
        status = before["status"] if before else None
        self._same(after["status"] in NEXT[status], True)
        if before and status in FINISHED:
            self._same(after, before)

    def _check_lives(self, record: Mapping[str, str], ttl: int, tombstone_ttl: int) -> None:
        if record["status"] not in FINISHED:
            self._same((ttl, tombstone_ttl), (-1, -2))
            return
        self._same(0 < ttl <= RESULT_TTL_SECONDS, True)
        self._same(abs(tombstone_ttl - ttl - TOMBSTONE_TTL_SECONDS) <= 1, True)
        self._same(float(record["expires_at"]), float(record["finished_at"]) + RESULT_TTL_SECONDS)

    def _check_sets(self, seen: Mapping[str, Any]) -> None:
        jobs = self.model.jobs
        queued = {job_id: job for job_id, job in jobs.items() if job.status == "queued"}
        running = {job_id: job for job_id, job in jobs.items() if job.status == "running"}
        rows: dict[str, dict[str, float]] = {
            f"{kind} {queue}": {} for kind in SOURCE_KINDS for queue in QUEUE_NAMES
        }
        waiting: Counter[str] = Counter()
        for job_id, job in queued.items():
            rows[f"{job.new.source.kind} {job.new.queue}"][job_id] = job.accepted_at
            for whose in ("", f":{job.new.caller}"):
                waiting.update({f"jobs{whose}": 1, f"bytes{whose}": job.size})
        self._same(seen["rows"], rows)
        self._same(seen["running"], {job_id: job.lease_until for job_id, job in running.items()})
        self._same(seen["active"], {job_id: job.accepted_at for job_id, job in (queued | running).items()})
        self._same(seen["rung"], {job_id: job.rung_at for job_id, job in queued.items()})
        deadlines = {job_id: job.expires_at for job_id, job in queued.items() if job.expires_at is not None}
        self._same(seen["deadlines"], deadlines)
        self._same(seen["spent"], self.model.spent)
        self._same(seen["waiting"], {name: str(count) for name, count in waiting.items() if count})

    def _check_events(self, seen: Mapping[str, Any]) -> None:
        """Every change of a job that a worker had has told of itself, once."""
        for job_id, job in self.model.jobs.items():
            self._same([_told(event) for event in seen["events"][job_id]], job.events)
            ttl = seen["event_ttls"][job_id]
            self._same(0 < ttl <= RESULT_TTL_SECONDS if job.is_finished else ttl == -1, bool(job.events))
        for job_id in self.model.deleted:
            self._same(list(seen["events"][job_id]), [])

    def _check_webhooks(self, seen: Mapping[str, Any]) -> None:
        """Whatever became of a job, each event that was asked for is in the outbox, once, in its order."""
        for job_id in self.wishes:
            self._same(list(seen["webhooks"][job_id]), self.model.webhooks[job_id])
        self._same(seen["outbox"], sum(map(len, self.model.webhooks.values())))

    def _check_lists(self, seen: Mapping[str, Any]) -> None:
        """Of each caller: all jobs that are there, and of those that were some."""
        for caller in CALLERS:
            of_caller = {
                name: job.accepted_at for name, job in self.model.jobs.items() if job.new.caller == caller
            }
            listed = seen["lists"][caller]
            self._same({name: at for name, at in listed.items() if name in self.model.jobs}, of_caller)
            waits = any(self.model.jobs[name].status == "queued" for name in of_caller)
            if waits:
                self._same(seen["list_ttls"][caller], -1)
            elif all(self.model.jobs[name].is_finished for name in of_caller) and listed:
                self._same(seen["list_ttls"][caller] > RESULT_TTL_SECONDS, True)

    def _check_keys(self, seen: Mapping[str, Any]) -> None:
        """An idempotency key lives as long as the record that it names."""
        for key in IDEMPOTENCY_KEYS:
            self._same(seen["keys"][key] or None, self.model.keys.get(key))
            job = self.model.jobs.get(seen["keys"][key] or "")
            if job:
                self._same(seen["key_ttls"][key] > 0, job.is_finished)

    # What holds at last: every job has a way on.

    def teardown(self) -> None:
        if self.has_failed:
            return
        self.leases = []  # whoever held one is silent from here on
        self.step_clock(self.seconds_back + LEASE_SECONDS)  # a step back delays by as much as it was
        for _ in range(ROUNDS):
            self.step_clock(RERING_SECONDS)
            self._checked(self.expire)
            self._checked(lambda: self.reap(copies=1))
            while any(self.doorbells.values()):
                for kind in SOURCE_KINDS:
                    self._checked(lambda kind=kind: self.serve(kind))
                while self.leases:
                    self._checked(lambda: self._finish(self.leases.pop(), "succeeded", OTHER_MODEL))
        self._same([job_id for job_id, record in self.seen.items() if record["status"] not in FINISHED], [])
        self.bench.settled += 1

    def _checked(self, step: Callable[[], None]) -> None:
        step()
        self.everything_is_as_the_model_says()

    def _accept(self, job_id: str, wish: Wish) -> str:
        new = wish.job(job_id)
        verdict, rest = self.model.accept(new, wish.limits)

        try:
            change = self.jobs.accept(new, wish.limits)
        except (QuotaExceeded, QueueFull) as error:
            self._same(_refusal(error), (verdict, rest))
        except IdempotencyKeyReused:
            self._same("reused", verdict)
        else:
            self._same(("accepted" if change.is_new else "known", change.job.id), (verdict, rest))
            self._same(change.job.progress.queue_position, self.model.place(change.job.id))
        self.bench.events[verdict] += 1
        return verdict

    def _cancel(self, job_id: JobId) -> None:
        expected = self.model.cancel(job_id)

        try:
            change = self.jobs.cancel(job_id)
        except (JobFinished, ResultGone) as error:
            verdict = {JobFinished: "finished", ResultGone: "gone"}[type(error)]
        else:
            verdict = change.job.status.value if change.is_new else "again"
            verdict = "requested" if verdict == "running" else verdict
            self._same(change.job.cancel_requested or change.job.is_finished, True)
        self._same(verdict, expected, "cancel")

    def _claim_anew(self, job_id: str, *, alone: bool = True) -> None:
        self._claim(job_id, f"call-{len(self.calls)}", alone=alone)

    def _claim(self, job_id: str, owner: str, *, alone: bool = True) -> None:
        self.calls.append((job_id, owner))
        expected = self.model.claim(job_id, owner, LEASE_SECONDS, alone=alone)
        claim = self.jobs.claim(JobId(job_id), owner=owner, lease_seconds=LEASE_SECONDS, alone=alone)
        self._same(claim.verdict, expected, "claim")
        if claim.lease is not None:
            job = self.model.jobs[job_id]
            self._same((claim.lease.token, claim.url), (job.token, job.new.url))
            if claim.lease not in self.leases:
                self.leases.append(claim.lease)

    def _renew(self, lease: Lease) -> None:
        expected = self.model.renew(lease, LEASE_SECONDS)
        self._same(self.jobs.renew(lease, lease_seconds=LEASE_SECONDS), expected, "renew")

    def _release(self, lease: Lease, copies: int) -> None:
        expected = self.model.release(lease)
        ring = self.jobs.release(lease)
        self._same(ring.broker_queue if ring else None, expected)
        self.bench.events["released" if ring else "release refused"] += 1
        if ring:
            self._ring(ring.job_id, ring.broker_queue, copies)

    def _finish(self, lease: Lease, end: str, model: str | None) -> None:
        wish = self.wishes[lease.job_id]
        outcome = replace(
            OUTCOMES[end],
            source=Source(kind=wish.kind, filename="song", bytes=wish.size, codec="mp3"),  # type: ignore[arg-type]
            model=replace(MODEL, sha256=model),
            answer=wish.answer,
        )
        expected = self.model.finish(lease, outcome)
        is_finished = self.jobs.finish(lease, outcome)
        if is_finished:
            self.finished_by[lease.job_id].add(lease.token)
        self._same(len(self.finished_by[lease.job_id]) <= 1, True)
        self._same(is_finished, expected)
        self.bench.events[f"finish: {is_finished}"] += 1

    def _ring(self, job_id: str, queue: str, copies: int) -> None:
        for _ in range(copies):
            self.bench.redis.lpush(queue, job_id)
            self.doorbells[queue].append(job_id)

    def _same(self, real: object, expected: object, what: str = "") -> None:
        if real != expected:
            self.has_failed = True
            raise AssertionError(f"{what}: the server says {real}, the model {expected}")
        if what:
            self.bench.events[f"{what}: {expected}"] += 1

    @staticmethod
    def _any(pick: int, things: list[Any]) -> Any:
        return things[pick % len(things)]


def _refusal(error: QuotaExceeded | QueueFull) -> tuple[str, int]:
    return {QuotaExceeded: "over_quota", QueueFull: "queue_full"}[type(error)], error.retry_after_seconds


def _window(number: int) -> TimelineEntry:
    """One that tells its number."""
    return replace(classification().timeline[0], start_seconds=float(number))


def _told(event: list[str]) -> tuple[str, ...]:
    """As the model says it."""
    if event[0] == "window":
        return "window", event[1], f"{json.loads(event[2])['start_seconds']:g}"
    return tuple(event)


def _seconds(text: str | None) -> float | None:
    return None if text is None else float(text)


@pytest.fixture(scope="module")
def quick_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A real Valkey server of this module's own, which writes nothing to disk."""
    server = prepare(tmp_path_factory.mktemp("quick"))
    process = subprocess.Popen([*server.command, "--appendonly", "no"], stdout=subprocess.DEVNULL)
    client = connect(Settings(redis_url=server.url))
    eventually(client.ping)
    yield client
    client.close()
    process.terminate()
    process.wait()


def run(bench: Bench, *, sequences: int, **changes: Any) -> None:
    """AssertionError where scripts and model differ. GENREWIZ_TEST_SEED repeats a run."""
    number = int(os.environ.get("GENREWIZ_TEST_SEED") or random.randrange(2**32))
    print(f"GENREWIZ_TEST_SEED={number}")

    @seed(number)
    def sequence() -> JobSequences:
        return JobSequences(bench)

    run_state_machine_as_test(
        sequence,  # type: ignore[arg-type]
        settings=settings(
            max_examples=sequences,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            print_blob=True,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            **changes,
        ),
    )


def test_whatever_happens_to_jobs_each_ends_once_and_as_the_model_says(quick_redis):
    bench = Bench.of(quick_redis)

    run(bench, sequences=SEQUENCES)
    for _ in range(3):  # the rarest come a few times in a thousand sequences: chance may leave one out
        if set(bench.events) >= SEEN_IN_THOUSANDS or SEQUENCES < 1_000:
            break
        run(bench, sequences=SEQUENCES)

    print(*sorted(bench.events.items()), sep="\n")
    assert bench.settled >= SEQUENCES
    assert set(bench.events) >= SEEN_IN_THOUSANDS or SEQUENCES < 1_000


Change = tuple[str, str, str]  # script, what stands in it, what stands there instead

TELL_END = "tell_webhook(id, 'job.' .. status, time)"
BROKEN: dict[str, list[Change]] = {
    "finish takes any token": [
        ("finish", "if not status or current ~= token then", "if not status then"),
        ("finish", "and ended_by == token and", "and"),
    ],
    "finish takes what the reaper ended for its own": [("finish", "and ended_by == token and", "and")],
    "finish ends what has ended": [
        ("finish", "if is_finished(status) then", "if false then"),
        ("finish", "if status ~= 'running' then return 0 end", ""),
    ],
    "finish of a job that waits again": [("finish", "if status ~= 'running' then return 0 end", "")],
    "claim looks at no lease": [("claim", "tonumber(lease_until) > tonumber(time)", "false")],
    "claim gives the same token again": [("claim", "redis.call('HINCRBY', key, 'token', 1)", "")],
    "what has begun expires": [("common", "if deadline and not started_at then", "if deadline then")],
    "claim knows no lost reply": [("claim", "if holder == owner then", "if false then")],
    "claim counts no attempts": [("claim", "tonumber(attempt) >= tonumber(max_attempts)", "false")],
    "claim keeps the job in its row": [("claim", "leave_queue(id)", "")],
    "claim forgets what was cancelled": [("claim", "if cancel_requested then", "if false then")],
    "renew listens to zombies": [("renew", "or current ~= token", "")],
    "a job that waits again seems to run": [
        ("common", "redis.call('ZREM', RUNNING, id)\n  enter_queue", "enter_queue")
    ],
    "reap ends what has attempts left": [("reap", "tonumber(attempt) >= tonumber(max_attempts)", "true")],
    "reap rings no lost doorbell": [("reap", "if missing[broker_queue] > 0 then", "if false then")],
    "nobody notes when a doorbell rang": [("common", "redis.call('ZADD', RUNG, rung_at, id)", "")],
    "release counts the attempt": [("release", "redis.call('HINCRBY', key, 'attempt', -1)", "")],
    "release takes back what another runs": [("release", "if current ~= token then return '' end", "")],
    "who leaves the queue is still counted": [("common", "count_waiting(caller, -1, -tonumber(bytes))", "")],
    "accept makes a job anew": [("accept", "if redis.call('EXISTS', key) == 1 then", "if false then")],
    "accept looks at no fingerprint": [("accept", "if of_first == fingerprint then", "if of_first then")],
    "accept refuses nobody": [("accept", "if refused then return refused end", "")],
    "cancel ends what runs": [("cancel", "if status == 'queued' then", "if not is_finished(status) then")],
    "expire ends what runs": [
        ("common", "redis.call('ZREM', DEADLINES, id)", ""),
        ("expire", "if redis.call('HGET', job_key(id), 'status') == 'queued' then", "if true then"),
    ],
    "the end keeps the whole url": [("common", "redis.call('HDEL', key, 'url')", "")],
    "the end keeps the record for ever": [("common", "redis.call('EXPIRE', key, ttl)", "")],
    "what runs is deleted": [("delete", "if status == 'running' then", "if false then")],
    "what waits is deleted and nothing else": [("delete", "if status == 'queued' then", "if false then")],
    "a deleted job keeps its key": [("delete", "if idempotency then", "if false then")],
    "a list leaves out the last of a page": [("list", "id >= after_id", "true")],
    "a list shows the last of a page again": [("list", "and id >= after_id", "and id > after_id")],
    "a list leaves jobs out while others end": [("common", "redis.call('PERSIST', jobs_of_key(caller))", "")],
    "a run tells nothing of its beginning": [
        ("claim", "redis.call('HSET', key, 'events_from', tell_progress(id))", "")
    ],
    "what waits again tells nothing of it": [
        ("common", "enter_queue(id, now())\n  tell_progress(id)", "enter_queue(id, now())")
    ],
    "progress tells nothing": [("progress", "  tell_progress(id)\n", "")],
    "the wish to cancel is told each time": [
        (
            "cancel",
            "if redis.call('HSET', key, 'cancel_requested', 1) == 1 then tell_progress(id) end",
            "redis.call('HSET', key, 'cancel_requested', 1) tell_progress(id)",
        )
    ],
    "the end tells nothing of itself": [
        ("common", "local event = redis.call('XADD',", "local event = (function() end)('XADD',")
    ],
    "windows are told twice": [("common", "math.max(0, known - first)", "0")],
    "windows of a lost run count for the next": [("claim", "redis.call('HDEL', key, 'windows')", "")],
    "what never ran gets a stream": [("common", "'NOMKSTREAM', ", "")],
    "a stream outlives its result": [
        ("common", "redis.call('EXPIRE', events_key(id), math.min(tonumber(ttl), EVENTS_SECONDS))", "")
    ],
    "a deleted job keeps its events": [("delete", "redis.call('DEL', events_key(id))", "")],
    "an end tells no webhook": [("common", TELL_END, "")],
    "an end is told twice": [
        ("common", f"  {TELL_END}\n", f"  {TELL_END}\n  {TELL_END}\n"),
    ],
    "each run is told of as the first": [
        (
            "claim",
            "if redis.call('HSETNX', key, 'started_at', time) == 1 then",
            "redis.call('HSETNX', key, 'started_at', time); do",
        )
    ],
    "progress is told with each step": [
        ("progress", "tell_webhook_progress(id, time)", "tell_webhook(id, 'job.progress', time)")
    ],
    "the end leaves no tombstone": [("common", "'EX', tonumber(ttl) +", "'EX', 1 +")],
}


@pytest.mark.parametrize("changes", BROKEN.values(), ids=BROKEN)
def test_a_broken_script_is_found(quick_redis, changes):
    def source(name: str) -> str:
        text = read_script(name)
        for script, old, new in changes:
            if script == name:
                assert old in text
                text = text.replace(old, new)
        return text

    bench = Bench.of(quick_redis, source)

    with pytest.raises(AssertionError, match="the server says"):
        run(bench, sequences=1_000, phases=[Phase.generate])
