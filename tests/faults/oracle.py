"""The verdict, out of the journals alone: it never asks Redis, which is on trial.

Values in, values out. Every time is of the journals' clock.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from faults.journal import Record, of_event

FINISHED = frozenset({"succeeded", "failed", "cancelled", "expired"})
LOSES_JOBS = ("worker_kill", "crash", "freeze", "black_hole", "half_open", "refuse")
"""Faults of one worker after which somebody else has to take its jobs."""
UNTIL_READY = ("worker_kill", "api_kill", "dispatcher_kill", "crash", "sigterm")
"""Faults that last until the process says that it is ready again; of others the harness knows the end."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of the promises."""

    sent: int
    accepted: int
    ended: dict[str, int]  # by status
    lost: tuple[str, ...]  # accepted, and without an end
    twice: tuple[str, ...]  # finished by two leases, or with an end that changed
    unexpected: tuple[str, ...]  # ended otherwise than it should, with how
    conflicts: tuple[str, ...]  # idempotency keys that got two jobs
    refused: tuple[str, ...]  # songs that were answered with an error of the client's
    claims: int
    refused_finishes: int  # of zombies
    faults: dict[str, int]  # by kind

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.twice or self.unexpected or self.conflicts or self.refused)

    def __str__(self) -> str:
        bad = {name: getattr(self, name) for name in ("lost", "twice", "unexpected", "conflicts", "refused")}
        words = ", ".join(f"{len(ids)} {name}" for name, ids in bad.items())
        details = "".join(f"\n  {name}: {line}" for name, ids in bad.items() for line in ids[:20])
        return f"{self.accepted} accepted, {words}; ended {self.ended}; faults {self.faults}{details}"


def judge(records: Sequence[Record]) -> Verdict:
    """The verdict on everything that these journals hold."""
    accepted = {record["job"]: record for record in of_event(records, "accepted")}
    ends = {record["job"]: record for record in reversed(of_event(records, "ended"))}
    ids_of: dict[str, set[str]] = defaultdict(set)
    for record in of_event(records, "accepted"):
        ids_of[record["key"]].add(record["job"])
    finishes = of_event(records, "finished")
    return Verdict(
        sent=len(of_event(records, "sent")),
        accepted=len(accepted),
        ended=dict(Counter(end["status"] for end in ends.values())),
        lost=tuple(job for job in accepted if job not in ends or ends[job]["status"] not in FINISHED),
        twice=tuple(sorted(_finished_twice(finishes) | _changed(records))),
        unexpected=tuple(
            f"{job}: {end['status']} {end['code']}, attempt {end['attempt']}"
            for job, end in ends.items()
            if job in accepted and not _is_expected(accepted[job], end)
        ),
        conflicts=tuple(key for key, ids in ids_of.items() if len(ids) > 1),
        refused=tuple(f"{record['status']} {record['body']}" for record in of_event(records, "refused")),
        claims=len(of_event(records, "claimed")),
        refused_finishes=sum(not finish["accepted"] for finish in finishes),
        faults=dict(Counter(record["kind"] for record in of_event(records, "fault"))),
    )


def _finished_twice(finishes: Iterable[Record]) -> set[str]:
    tokens: dict[str, set[int]] = defaultdict(set)
    for finish in finishes:
        if finish["accepted"]:
            tokens[finish["job"]].add(finish["token"])
    return {job for job, own in tokens.items() if len(own) > 1}


def _changed(records: Sequence[Record]) -> set[str]:
    digests: dict[str, set[str]] = defaultdict(set)
    for record in of_event(records, "ended", "looked_again"):
        digests[record["job"]].add(f"{record['status']} {record['digest']}")
    return {job for job, own in digests.items() if len(own) > 1}


def _is_expected(accepted: Record, end: Record) -> bool:
    return [end["status"], end["code"]] in [list(pair) for pair in accepted["expected"]]


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """How long one thing was away after one fault."""

    kind: str
    seconds: float
    is_undisturbed: bool  # no other fault fell into it
    fault: int | float  # when the fault began
    job: str | None = None


@dataclass
class _Fault:
    kind: str
    target: str
    begin: float
    end: float
    process: int | None
    held: list[str] = field(default_factory=list)


def recoveries(records: Sequence[Record]) -> list[Recovery]:
    """Of every fault that takes something away, how long it was until that was back.

    `<kind>` of a worker: from the fault until each job that it had in hand was claimed by another process.
    `redis_kill` and `redis_up`: from the kill, and from when the server answered again, until a run ended
    that began after the kill.
    `<kind>_healed`: from the end of a break until the process that was cut off claimed a job.
    """
    faults = _faults(records)
    found: list[Recovery] = []
    for fault in faults:
        others = [other for other in faults if other is not fault]
        if fault.kind in LOSES_JOBS and fault.target.startswith("worker"):
            found += _claimed_again(records, fault, others)
        if fault.kind in ("black_hole", "refuse", "half_open") and fault.target.startswith("worker"):
            found += _works_again(records, fault, others)
        if fault.kind == "redis_kill" and math.isfinite(fault.end):
            found += _finishes_again(records, fault, others)
    return found


def _faults(records: Sequence[Record]) -> list[_Fault]:
    ends = {record["number"]: record["t"] for record in of_event(records, "fault_over")}
    ready = of_event(records, "ready")
    faults = []
    for record in of_event(records, "fault"):
        if record["kind"] in UNTIL_READY:
            end = min(
                (r["t"] for r in ready if r["who"] == record["target"] and r["t"] > record["t"]),
                default=math.inf,
            )
        else:
            end = ends.get(record.get("number"), math.inf)
        process = record.get("target_pid", record["pid"])
        faults.append(
            _Fault(kind=record["kind"], target=record["target"], begin=record["t"], end=end, process=process)
        )
    return faults


def _claimed_again(records: Sequence[Record], fault: _Fault, others: Sequence[_Fault]) -> Iterable[Recovery]:
    held: dict[str, int] = {}
    for record in records:
        if record["t"] > fault.begin:
            break
        if record["who"] == fault.target and record["pid"] == fault.process:
            if record["event"] == "claimed":
                held[record["job"]] = record["token"]
            elif record["event"] in ("finished", "released"):
                held.pop(record["job"], None)
    for job in held:
        for record in records:
            if record["t"] <= fault.begin or record.get("job") != job:
                continue
            is_same = record["pid"] == fault.process
            if is_same and record["event"] == "finished" and record["accepted"]:
                break  # it was not away for so long
            if record["event"] == "claimed" and not is_same:
                yield _recovery(fault.kind, fault, record["t"], others, since=fault.begin, job=job)
                break


def _works_again(records: Sequence[Record], fault: _Fault, others: Sequence[_Fault]) -> Iterable[Recovery]:
    for record in records:
        if record["t"] > fault.end and record["who"] == fault.target and record["event"] == "claimed":
            yield _recovery(f"{fault.kind}_healed", fault, record["t"], others, since=fault.end)
            return


def _finishes_again(records: Sequence[Record], fault: _Fault, others: Sequence[_Fault]) -> Iterable[Recovery]:
    begun: set[tuple[str, int]] = set()  # what was in hand before says little of taking work again
    for record in records:
        if record["t"] > fault.begin and record["event"] == "claimed":
            begun.add((record["job"], record["token"]))
        is_end = record["event"] == "finished" and record["accepted"] and record["t"] > fault.end
        if is_end and (record["job"], record["token"]) in begun:
            yield _recovery("redis_kill", fault, record["t"], others, since=fault.begin)
            yield _recovery("redis_up", fault, record["t"], others, since=fault.end)
            return


def _recovery(
    kind: str, fault: _Fault, at: float, others: Sequence[_Fault], *, since: float, job: str | None = None
) -> Recovery:
    return Recovery(
        kind=kind,
        seconds=at - since,
        is_undisturbed=all(other.end < fault.begin or other.begin > at for other in others),
        fault=fault.begin,
        job=job,
    )


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Seconds of one kind of recovery."""

    count: int
    p50: float
    p99: float
    max: float


def spread(seconds: Sequence[float]) -> Spread | None:
    """By nearest rank; None of nothing."""
    if not seconds:
        return None
    ranked = sorted(seconds)

    def rank(share: float) -> float:
        return ranked[max(0, math.ceil(share * len(ranked)) - 1)]

    return Spread(count=len(ranked), p50=rank(0.5), p99=rank(0.99), max=ranked[-1])
