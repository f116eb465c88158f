"""The oracle of webhooks, on journals made by hand: it must be able to say that something went wrong."""

from typing import Any

import pytest

from faults.journal import Record
from faults.webhook_oracle import judge_webhooks

DIGITS = "0" * 24
JOB = f"job_{DIGITS}"
ID = f"msg_{DIGITS}_1"
ENDS = ["job.succeeded", "job.failed"]


def record(t: float, event: str, **fields: Any) -> Record:
    return {"t": t, "who": "w", "pid": 1, "event": event, **fields}


def accepted(t: float, *, events: Any = tuple(ENDS), receiver: str = "good-1") -> Record:
    return record(t, "accepted", key="k", job=JOB, webhook={"receiver": receiver, "events": list(events)})


def ended(t: float, status: str = "succeeded") -> Record:
    return record(t, "ended", job=JOB, status=status)


def received(t: float, **changes: Any) -> Record:
    fields = {
        "receiver": "good-1",
        "id": ID,
        "type": "job.succeeded",
        "sequence": 1,
        "job": JOB,
        "status": "succeeded",
        "digest": "1",
        "signature": "good",
        "taken": True,
        "lag": 0.5,
    }
    return record(t, "received", **(fields | changes))


def asked(t: float, **changes: Any) -> Record:
    return record(t, "asked", **({"id": ID, "job": JOB, "status": "succeeded", "readable": True} | changes))


GOOD = [accepted(1), ended(2), received(3), asked(3.1)]


def test_news_that_came_as_promised_is_good():
    verdict = judge_webhooks(GOOD)

    assert verdict.is_good, str(verdict)
    assert (verdict.promised, verdict.arrived, verdict.requests, verdict.duplicates) == (1, 1, 1, 0)
    assert (verdict.overtaken, verdict.unasked) == (0, 0)
    assert verdict.lags == {"good-1": (0.5,)}


def test_an_end_that_nobody_was_told_of_is_lost():
    verdict = judge_webhooks([accepted(1), ended(2)])

    assert verdict.lost == (f"{JOB} job.succeeded of good-1",)
    assert not verdict.is_good


def test_an_end_that_its_receiver_never_took_is_lost():
    assert judge_webhooks([accepted(1), ended(2), received(3, taken=False), asked(3)]).lost


def test_an_end_that_only_another_receiver_took_is_lost_and_wrong():
    verdict = judge_webhooks([accepted(1), ended(2), received(3, receiver="good-2"), asked(3)])

    assert verdict.lost
    assert verdict.wrong


def test_an_event_that_was_not_asked_for_is_not_promised():
    assert judge_webhooks([accepted(1, events=["job.failed"]), ended(2)]).promised == 0


def test_a_job_without_a_webhook_and_one_that_goes_on_promise_nothing():
    assert judge_webhooks([record(1, "accepted", key="k", job=JOB, webhook=None), ended(2)]).promised == 0
    assert judge_webhooks([accepted(1)]).promised == 0


def test_what_comes_again_after_it_was_taken_is_a_duplicate_and_no_harm():
    verdict = judge_webhooks([*GOOD, received(4), received(5)])

    assert verdict.is_good
    assert (verdict.arrived, verdict.duplicates, verdict.requests) == (1, 2, 3)


def test_what_comes_again_because_it_was_not_taken_is_no_duplicate():
    verdict = judge_webhooks(
        [accepted(1), ended(2), received(3, taken=False), received(4, lag=2.0), asked(5)]
    )

    assert (verdict.arrived, verdict.duplicates) == (1, 0)
    assert verdict.lags == {"good-1": (2.0,)}, "it has arrived when it was taken"


def test_a_duplicate_with_another_body_is_changed():
    assert judge_webhooks([*GOOD, received(4, digest="2")]).changed == (ID,)


@pytest.mark.parametrize("event", ["job.succeeded", "job.failed"])
def test_a_second_end_under_another_id_is_doubled(event):
    again = received(4, id=f"msg_{DIGITS}_2", sequence=2, type=event)

    assert judge_webhooks([*GOOD, again]).doubled


def test_progress_may_come_under_many_ids():
    wanted = accepted(1, events=["job.started", "job.progress", *ENDS])
    told = [
        received(2, id=f"msg_{DIGITS}_{n}", sequence=n, type=event, status="running")
        for n, event in ((1, "job.started"), (2, "job.progress"), (3, "job.progress"))
    ]

    end = [received(5, id=f"msg_{DIGITS}_4", sequence=4), asked(5, id=f"msg_{DIGITS}_4")]

    assert judge_webhooks([wanted, *told, ended(4), *end]).is_good


def test_news_of_what_cannot_be_read_is_early():
    assert judge_webhooks([accepted(1), received(2), asked(2.1, readable=False, status="running")]).early


def test_an_end_of_which_no_api_could_be_asked_is_counted():
    assert judge_webhooks([accepted(1), ended(2), received(3)]).unasked == 1


def test_a_signature_that_the_public_package_refuses_is_told():
    verdict = judge_webhooks([*GOOD, received(4, signature="No matching signature found")])

    assert verdict.unsigned == (f"{ID}: No matching signature found",)


@pytest.mark.parametrize(
    "changes",
    [
        {"sequence": 2},  # the id says otherwise
        {"id": f"msg_{DIGITS}_2", "sequence": 2},  # only ends were asked for
        {"id": f"msg_{'1' * 24}_1"},  # of another job
    ],
)
def test_a_sequence_that_is_not_the_job_s_is_misnumbered(changes):
    assert judge_webhooks([accepted(1), ended(2), received(3, **changes)]).misnumbered


def test_an_end_before_the_last_of_its_job_s_events_is_misnumbered():
    wanted = accepted(1, events=["job.progress", *ENDS])
    news = received(4, id=f"msg_{DIGITS}_2", sequence=2, type="job.progress", status="running")

    assert judge_webhooks([wanted, ended(2), received(3), news]).misnumbered


def test_an_event_that_first_comes_behind_a_later_one_was_overtaken():
    wanted = accepted(1, events=["job.started", *ENDS])
    end = received(3, id=f"msg_{DIGITS}_2", sequence=2)
    started = received(4, type="job.started", status="running")
    verdict = judge_webhooks([wanted, ended(2), end, started, started | {"t": 5}])

    assert verdict.overtaken == 1
    assert verdict.is_good


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "job.failed", "status": "failed"},  # it has succeeded
        {"type": "job.failed"},  # the body contradicts itself
        {"type": "job.started", "status": "running"},  # not asked for
    ],
)
def test_news_that_is_not_true_or_not_wanted_is_wrong(changes):
    assert judge_webhooks([accepted(1), ended(2), received(3, **changes)]).wrong


@pytest.mark.parametrize(
    "event", [{"event": "strayed", "path": "/strayed"}, {"event": "unreadable", "why": "?"}]
)
def test_a_redirect_that_was_followed_and_a_body_that_is_no_event_are_wrong(event):
    assert judge_webhooks([*GOOD, record(4, receiver="good-1", **event)]).wrong
