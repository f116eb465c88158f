"""The oracle, on journals made by hand: it must be able to say that something went wrong."""

from typing import Any

import pytest

from faults.journal import Journal, Record, read_journals
from faults.oracle import judge, recoveries, spread


def record(t: float, event: str, who: str = "client", pid: int = 1, **fields: Any) -> Record:
    return {"t": t, "who": who, "pid": pid, "event": event, **fields}


def accepted(t: float, job: str = "a", *, key: str = "k", expected: Any = (("succeeded", None),)) -> Record:
    return record(t, "accepted", key=key, job=job, expected=expected)


def ended(
    t: float,
    job: str = "a",
    *,
    status: str = "succeeded",
    code: str | None = None,
    digest: str = "1",
    event: str = "ended",
) -> Record:
    return record(t, event, job=job, status=status, code=code, attempt=1, digest=digest)


def claimed(t: float, who: str, pid: int, job: str = "a", token: int = 1) -> Record:
    return record(t, "claimed", who, pid, job=job, attempt=token, token=token)


def finished(
    t: float, who: str, pid: int, job: str = "a", *, token: int = 1, is_taken: bool = True
) -> Record:
    return record(
        t, "finished", who, pid, job=job, token=token, status="succeeded", code=None, accepted=is_taken
    )


def fault(t: float, kind: str, target: str, pid: int | None, number: int = 1) -> Record:
    return record(t, "fault", "harness", 9, number=number, kind=kind, target=target, target_pid=pid)


def over(t: float, number: int = 1) -> Record:
    return record(t, "fault_over", "harness", 9, number=number, kind="?", target="?")


def ready(t: float, who: str, pid: int = 2) -> Record:
    return record(t, "ready", who, pid)


def test_a_job_that_ended_as_it_should_is_good():
    verdict = judge(
        [record(0, "sent", key="k"), accepted(1), claimed(2, "w", 5), finished(3, "w", 5), ended(4)]
    )

    assert verdict.is_good
    assert (verdict.sent, verdict.accepted, verdict.ended) == (1, 1, {"succeeded": 1})


def test_an_accepted_job_without_an_end_is_lost():
    assert judge([accepted(1)]).lost == ("a",)
    assert not judge([accepted(1)]).is_good


def test_an_accepted_job_that_nobody_knows_any_more_is_lost():
    assert judge([accepted(1), ended(2, status="http_404")]).lost == ("a",)


def test_a_song_that_nobody_promised_anything_for_is_not_lost():
    assert judge([record(1, "sent", key="k"), record(2, "gave_up", key="k")]).is_good


def test_two_leases_that_both_finished_a_job_are_twice():
    verdict = judge([accepted(1), finished(2, "w", 5, token=1), finished(3, "v", 6, token=2), ended(4)])

    assert verdict.twice == ("a",)


def test_the_same_finish_again_is_not_twice():
    assert judge([accepted(1), finished(2, "w", 5), finished(3, "w", 5), ended(4)]).is_good


def test_a_zombie_that_was_refused_is_not_twice():
    verdict = judge(
        [accepted(1), finished(2, "v", 6, token=2), finished(3, "w", 5, token=1, is_taken=False), ended(4)]
    )

    assert verdict.is_good
    assert verdict.refused_finishes == 1


@pytest.mark.parametrize(
    "later", [{"status": "failed", "code": "corrupt_audio"}, {"digest": "2"}, {"status": "http_404"}]
)
def test_an_end_that_changes_is_twice(later):
    verdict = judge([accepted(1), ended(2), ended(9, event="looked_again", **later)])

    assert verdict.twice == ("a",)


def test_an_innocent_that_failed_is_unexpected():
    verdict = judge([accepted(1), ended(2, status="failed", code="too_many_attempts")])

    assert verdict.unexpected == ("a: failed too_many_attempts, attempt 1",)


def test_a_poison_may_end_in_any_of_the_ways_it_was_sent_for():
    ways = (("failed", "too_many_attempts"), ("failed", "deadline_exceeded"))

    assert judge([accepted(1, expected=ways), ended(2, status="failed", code="deadline_exceeded")]).is_good
    assert judge([accepted(1, expected=ways), ended(2)]).unexpected


def test_one_key_with_two_jobs_is_a_conflict():
    assert judge([accepted(1), ended(2), accepted(3, "b"), ended(4, "b")]).conflicts == ("k",)


def test_a_killed_worker_s_job_is_back_when_somebody_else_has_claimed_it():
    [back] = recoveries(
        [
            claimed(1, "worker-1", 5),
            fault(2, "worker_kill", "worker-1", 5),
            claimed(19, "worker-2", 6, token=2),
        ]
    )

    assert (back.kind, back.seconds, back.is_undisturbed, back.job) == ("worker_kill", 17, True, "a")


def test_the_same_worker_started_again_is_somebody_else():
    [back] = recoveries(
        [
            claimed(1, "worker-1", 5),
            fault(2, "worker_kill", "worker-1", 5),
            claimed(9, "worker-1", 6, token=2),
        ]
    )

    assert back.seconds == 7


def test_a_job_that_was_finished_before_the_kill_was_not_in_hand():
    records = [
        claimed(1, "worker-1", 5), finished(2, "worker-1", 5), fault(3, "worker_kill", "worker-1", 5),
        claimed(4, "worker-2", 6, "b"),
    ]  # fmt: skip

    assert recoveries(records) == []


def test_a_crash_point_counts_as_a_kill_of_its_process():
    crash = record(2, "fault", "worker-1", 5, kind="crash", target="worker-1", point="after_claim")

    [back] = recoveries([claimed(1, "worker-1", 5), crash, claimed(12, "worker-2", 6, token=2)])

    assert (back.kind, back.seconds) == ("crash", 10)


@pytest.mark.parametrize(
    ("another", "is_undisturbed"),
    [
        ([fault(1.5, "redis_kill", "redis", 8, 2), over(1.7, 2)], True),  # it was over before
        ([fault(1.5, "redis_kill", "redis", 8, 2), over(2.5, 2)], False),
        ([fault(5, "worker_kill", "worker-3", 7, 2)], False),
        ([fault(20, "worker_kill", "worker-3", 7, 2)], True),
        ([fault(1.2, "worker_kill", "worker-3", 7, 2), ready(1.9, "worker-3")], True),
        ([fault(1.2, "worker_kill", "worker-3", 7, 2), ready(2.9, "worker-3")], False),
    ],
)
def test_a_recovery_is_undisturbed_when_no_other_fault_fell_into_it(another, is_undisturbed):
    records = [
        claimed(1, "worker-1", 5),
        fault(2, "worker_kill", "worker-1", 5),
        claimed(19, "worker-2", 6, token=2),
        *another,
    ]

    [back] = [r for r in recoveries(sorted(records, key=lambda r: r["t"])) if r.seconds == 17]

    assert back.is_undisturbed == is_undisturbed


def test_a_server_is_back_when_a_run_has_ended_that_began_after_it_was_killed():
    both = recoveries(
        [
            claimed(0.5, "w", 5, "b"),
            fault(1, "redis_kill", "redis", 8),
            over(3),
            finished(3.5, "w", 5, "b"),
            claimed(6, "w", 5),
            finished(7, "w", 5),
        ]
    )

    assert {back.kind: back.seconds for back in both} == {"redis_kill": 6, "redis_up": 4}


def test_a_worker_that_was_cut_off_is_back_with_its_first_claim():
    both = recoveries(
        [
            claimed(1, "worker-1", 5),
            fault(2, "black_hole", "worker-1", 5),
            claimed(20, "worker-2", 6, token=2),
            over(30),
            claimed(31.5, "worker-1", 5, "b"),
        ]
    )

    assert {back.kind: back.seconds for back in both} == {"black_hole": 18, "black_hole_healed": 1.5}


def test_a_worker_that_finishes_its_job_after_a_short_stop_has_lost_nothing():
    records = [
        claimed(1, "worker-1", 5), fault(2, "freeze", "worker-1", 5), over(3), finished(4, "worker-1", 5)
    ]  # fmt: skip

    assert recoveries(records) == []


def test_a_spread_is_by_nearest_rank():
    figures = spread([float(number) for number in range(1, 101)])

    assert figures is not None
    assert (figures.p50, figures.p99, figures.max, figures.count) == (50, 99, 100, 100)
    assert spread([]) is None


def test_a_journal_is_whole_but_for_the_line_that_its_writer_died_in(tmp_path):
    journal = Journal(tmp_path, "client")
    journal.write("sent", key="k")
    [file] = tmp_path.iterdir()
    with file.open("a") as broken_off:
        broken_off.write('{"t": 1, "ev')

    assert [entry["key"] for entry in read_journals(tmp_path)] == ["k"]
