"""The verdict on webhooks, out of the journals alone: what was promised by a job that ended, and what came.

Values in, values out. What the jobs themselves were promised is judged in `oracle.py`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from faults.journal import Record, of_event
from faults.oracle import FINISHED

ENDS = frozenset(f"job.{status}" for status in FINISHED)
BAD = ("lost", "changed", "doubled", "early", "unsigned", "misnumbered", "wrong")


@dataclass(frozen=True, kw_only=True)
class WebhookVerdict:
    """What became of the news of ends."""

    promised: int  # ends of which a receiver was to hear
    arrived: int  # of these, taken with a 2xx by that receiver
    lost: tuple[str, ...]
    requests: int  # of every event, taken or not
    duplicates: int  # of these, under an id that its receiver had taken already
    overtaken: int  # events that first came behind a later one of their job
    unasked: int  # ends of which no api could be asked in time
    changed: tuple[str, ...]  # ids that came with two bodies
    doubled: tuple[str, ...]  # news of one thing under two ids
    early: tuple[str, ...]  # could not be read when they were told
    unsigned: tuple[str, ...]  # with a signature that the public package refuses
    misnumbered: tuple[str, ...]  # whose sequence is not that of the job's events
    wrong: tuple[str, ...]  # untrue, unwanted, unreadable, or sent on to where a redirect led
    lags: dict[str, tuple[float, ...]] = field(repr=False)  # of a receiver: seconds from each end to its news

    @property
    def is_good(self) -> bool:
        return not any(getattr(self, name) for name in BAD)

    def __str__(self) -> str:
        words = ", ".join(f"{len(getattr(self, name))} {name}" for name in BAD)
        details = "".join(f"\n  {name}: {line}" for name in BAD for line in getattr(self, name)[:10])
        return (
            f"{self.promised} promised, {self.arrived} arrived, {self.duplicates} duplicates in "
            f"{self.requests} requests, {words}{details}"
        )


def judge_webhooks(records: Sequence[Record]) -> WebhookVerdict:
    """The verdict on everything that these journals hold."""
    accepted = {record["job"]: record for record in of_event(records, "accepted") if record.get("webhook")}
    ends = {record["job"]: record["status"] for record in reversed(of_event(records, "ended"))}
    promised = {
        (job, f"job.{ends[job]}"): record["webhook"]["receiver"]
        for job, record in accepted.items()
        if ends.get(job) in FINISHED and f"job.{ends[job]}" in record["webhook"]["events"]
    }
    received = of_event(records, "received")
    first_taken = {
        (record["job"], record["type"], record["receiver"]): record
        for record in reversed(received)
        if record["taken"]
    }
    arrived = {key: receiver for key, receiver in promised.items() if (*key, receiver) in first_taken}
    asked = of_event(records, "asked")
    lags: dict[str, list[float]] = defaultdict(list)
    for key, receiver in arrived.items():
        lags[receiver].append(first_taken[*key, receiver]["lag"])
    return WebhookVerdict(
        promised=len(promised),
        arrived=len(arrived),
        lost=tuple(
            f"{job} {event} of {promised[job, event]}" for job, event in promised.keys() - arrived.keys()
        ),
        requests=len(received),
        duplicates=_duplicates(received),
        overtaken=_overtaken(received),
        unasked=len(
            {record["id"] for record in received if record["type"] in ENDS} - {r["id"] for r in asked}
        ),
        changed=tuple(_several(received, "id", "digest")),
        doubled=tuple(_doubled(received)),
        early=tuple(f"{record['id']}: {record['status']}" for record in asked if not record["readable"]),
        unsigned=tuple(f"{r['id']}: {r['signature']}" for r in received if r["signature"] != "good"),
        misnumbered=tuple(_misnumbered(received, accepted)),
        wrong=tuple(_wrong(records, accepted, ends)),
        lags={receiver: tuple(seconds) for receiver, seconds in lags.items()},
    )


def _duplicates(received: Iterable[Record]) -> int:
    taken: set[tuple[str, str]] = set()
    count = 0
    for record in received:
        key = record["receiver"], record["id"]
        count += key in taken
        if record["taken"]:
            taken.add(key)
    return count


def _overtaken(received: Iterable[Record]) -> int:
    newest: dict[str, int] = {}
    seen: set[str] = set()
    count = 0
    for record in received:
        if record["id"] in seen:
            continue
        seen.add(record["id"])
        count += record["sequence"] < newest.get(record["job"], 0)
        newest[record["job"]] = max(record["sequence"], newest.get(record["job"], 0))
    return count


def _several(received: Iterable[Record], name: str, value: str) -> list[str]:
    values: dict[str, set[str]] = defaultdict(set)
    for record in received:
        values[record[name]].add(record[value])
    return sorted(key for key, own in values.items() if len(own) > 1)


def _doubled(received: Iterable[Record]) -> list[str]:
    told = [record for record in received if record["type"] != "job.progress"]
    return _several(
        [
            # An end is an end: two of different kinds are two as well.
            record | {"of": f"{record['job']} {'end' if record['type'] in ENDS else record['type']}"}
            for record in told
        ],
        "of",
        "id",
    )


def _misnumbered(received: Sequence[Record], accepted: dict[str, Record]) -> Iterable[str]:
    highest: dict[str, int] = {}
    for record in received:
        highest[record["job"]] = max(highest.get(record["job"], 0), record["sequence"])
    for record in received:
        job, sequence = record["job"], record["sequence"]
        wanted = set(accepted[job]["webhook"]["events"]) if job in accepted else set()
        is_end = record["type"] in ENDS
        if (
            record["id"] != f"msg_{job.removeprefix('job_')}_{sequence}"
            or (is_end and sequence != highest[job])
            or (is_end and wanted and wanted <= ENDS and sequence != 1)
            or (record["type"] == "job.started" and sequence != 1)
        ):
            yield f"{record['id']}: {record['type']} {sequence} of {highest[job]}"


def _wrong(records: Sequence[Record], accepted: dict[str, Record], ends: dict[str, str]) -> Iterable[str]:
    for record in of_event(records, "strayed", "unreadable"):
        yield f"{record['event']} at {record['receiver']}: {record.get('path') or record.get('why')}"
    for record in of_event(records, "received"):
        job, event = record["job"], record["type"]
        webhook = accepted[job]["webhook"] if job in accepted else None
        if webhook and (event not in webhook["events"] or record["receiver"] != webhook["receiver"]):
            yield f"{record['id']}: {event} at {record['receiver']}, which did not ask for it"
        if event in ENDS and (
            event != f"job.{record['status']}" or ends.get(job) not in (None, record["status"])
        ):
            yield f"{record['id']}: {event} with {record['status']}, and the job {ends.get(job)}"
