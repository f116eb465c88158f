"""What the client asks for, and what it makes of the answers; nothing is sent and no time passes."""

import io
import json
import os
from collections.abc import Iterable
from typing import Any

import pytest

from genrewiz.client import Problem, TimedOut, UnexpectedAnswer, Unreachable
from genrewiz.client.conversation import Wanted
from genrewiz.client.effects import Answer, Broken, Frame, Sleep
from genrewiz.client.upload import Upload
from support.client_jobs import body
from support.paper_talk import BROKEN, Played, World, problem, said

END = None
"""Of a stream."""
STREAM = Answer(status=200, headers={"content-type": "text/event-stream; charset=utf-8"})


def frame(name: str, data: Any, event_id: str = "", retry: int | None = None) -> Frame:
    text = data if isinstance(data, str) else json.dumps(data)
    return Frame(name=name, data=text, id=event_id, retry_milliseconds=retry)


def upload(file: Any = None) -> Upload:
    return Upload(file or io.BytesIO(b"song"), filename="a.mp3", on_bytes=None)


def names(played: Played) -> list[str]:
    return [event.name for event in played.items]


def lasts(played: Played) -> list[str | None]:
    return [request.headers.get("last-event-id") for request in played.requests]


def test_a_song_is_sent_with_what_is_wanted_of_it():
    world = World(said(body("queued"), 202))
    wanted = Wanted(options={"top": 3}, metadata={"a": 1}, queue="high", deadline_seconds=9, wait_seconds=30)

    played = world.play(world.talk.submit(upload(), wanted))

    (request,) = played.requests
    assert (request.method, request.path, request.held_seconds) == ("POST", "/jobs", 30)
    assert request.headers["prefer"] == "wait=30"
    assert json.loads(request.fields["job"]) == {
        "options": {"top": 3}, "metadata": {"a": 1}, "queue": "high", "deadline_seconds": 9
    }  # fmt: skip
    assert played.value.status == "queued"


def test_who_wants_nothing_says_nothing():
    world = World(said(body("queued"), 202))

    (request,) = world.play(world.talk.submit(upload(), Wanted())).requests

    assert (request.fields, set(request.headers)) == ({}, {"idempotency-key"})


def test_a_url_is_sent_as_json():
    world = World(said(body("queued"), 202))

    (request,) = world.play(
        world.talk.submit_url("https://x/a.mp3", Wanted(metadata={"url": "not this"}, idempotency_key="k"))
    ).requests

    assert json.loads(request.json) == {"url": "https://x/a.mp3", "metadata": {"url": "not this"}}
    assert request.headers == {"idempotency-key": "k", "content-type": "application/json"}


def test_a_song_that_is_sent_again_is_the_same_job_and_another_song_is_not():
    world = World(BROKEN, problem(503, "queue_full"), said(body(), 202), said(body(), 202))

    one, other = world.talk.submit(upload(), Wanted()), world.talk.submit(upload(), Wanted())
    keys = _keys(world, one), _keys(world, other)

    assert len(keys[0]) == 3
    assert len(set(keys[0])) == 1
    assert keys[0][0] != keys[1][0]


def _keys(world: World, steps: Any) -> list[str]:
    outcome, keys = None, []
    while True:
        try:
            effect = steps.send(outcome)
        except StopIteration:
            return keys
        outcome = None
        if not isinstance(effect, Sleep):
            keys.append(effect.request.headers["idempotency-key"])
            outcome = next(world.script)


def test_a_file_that_cannot_be_rewound_is_not_sent_twice():
    reading, writing = os.pipe()
    os.write(writing, b"song")
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        world = World(problem(503, "queue_full", retry_after="1"))

        played = world.play(
            world.talk.submit(upload(pipe), Wanted()),
            before_answer=lambda request: request.upload.begin().read(10),
        )

    assert (len(played.requests), played.error.code) == (1, "queue_full")


def test_a_file_of_which_nothing_was_read_is_sent_though_it_could_not_be_rewound():
    reading, writing = os.pipe()
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        world = World(BROKEN, said(body(), 202))

        played = world.play(
            world.talk.submit(upload(pipe), Wanted()), before_answer=lambda request: request.upload.begin()
        )

    assert (len(played.requests), played.error) == (2, None)


CALLS = {
    "get": lambda talk: talk.get("job_1", wait_seconds=None),
    "get and wait": lambda talk: talk.get("job_1", wait_seconds=5),
    "wait": lambda talk: talk.wait("job_1", timeout_seconds=None),
    "cancel": lambda talk: talk.cancel("job_1"),
    "delete": lambda talk: talk.delete("job_1"),
    "spectrogram": lambda talk: talk.spectrogram("job_1"),
    "submit": lambda talk: talk.submit(upload(), Wanted()),
    "submit_url": lambda talk: talk.submit_url("https://x/", Wanted()),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_call_is_repeated_when_the_server_was_away_or_too_busy(call):
    world = World(
        BROKEN,
        problem(429, "rate_limited", retry_after="7"),
        problem(503, "queue_full", retry_after="20"),
        Answer(status=502, body=b"<html>"),
        said(body("succeeded")),
    )

    played = world.play(call(world.talk))

    assert played.error is None
    assert played.sleeps == pytest.approx([0.5, 7.7, 22, 4])
    assert len({(request.method, request.path) for request in played.requests}) == 1


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_call_ends_where_the_server_says_no(call):
    world = World(problem(404, "unknown_job"))

    played = world.play(call(world.talk))

    assert (played.error.status, played.error.code, played.sleeps) == (404, "unknown_job", [])


def test_patience_has_an_end_and_it_says_what_came_last():
    refused = World(*[BROKEN] * 3, max_attempts=3)
    busy = World(*[problem(503, "queue_full", retry_after="9")] * 3, max_attempts=3)
    long = World(problem(503, "queue_full", retry_after="9"), pauses_seconds=8)

    unreachable = refused.play(refused.talk.cancel("job_1")).error
    assert isinstance(unreachable, Unreachable)
    assert unreachable.__cause__ is BROKEN.cause
    assert str(unreachable) == "http://server cannot be reached: refused"
    assert busy.play(busy.talk.cancel("job_1")).error.retry_after_seconds == 9
    assert long.play(long.talk.cancel("job_1")).error.code == "queue_full"


def test_what_will_be_no_better_is_not_tried_again():
    world = World(Broken(reason="bad certificate", is_final=True))

    assert isinstance(world.play(world.talk.delete("job_1")).error, Unreachable)


def test_ids_are_no_paths():
    world = World(said(body()))

    (request,) = world.play(world.talk.get("../models?x", wait_seconds=None)).requests

    assert request.path == "/jobs/..%2Fmodels%3Fx"


def test_who_waits_asks_until_the_job_has_finished_and_comes_when_it_was_told_to():
    world = World(
        said(body("queued"), retry_after="3"), said(body("running")), BROKEN, said(body("succeeded"))
    )

    played = world.play(world.talk.wait("job_1", timeout_seconds=None))

    assert played.value.result.genre == "rock"
    assert {request.headers["prefer"] for request in played.requests} == {"wait=25"}
    assert played.sleeps == [3, 1, 0.5]


def test_an_interruption_in_the_middle_of_a_wait_spends_nothing_of_the_next_ones_patience():
    script = [BROKEN, said(body("running"), retry_after="0")] * 5
    world = World(*script, said(body("succeeded")), max_attempts=2)

    assert world.play(world.talk.wait("job_1", timeout_seconds=None)).value.is_finished


def test_a_wait_ends_with_its_time():
    world = World(said(body("running"), retry_after="2"), said(body("running")), said(body("running")))

    played = world.play(world.talk.wait("job_1", timeout_seconds=2.5))

    assert isinstance(played.error, TimedOut)
    assert played.error.job.status == "running"
    assert str(played.error) == "job_1 has not finished, it is running (predict), after 2.5 s."
    assert played.sleeps == [2, 0.5]
    assert [request.headers.get("prefer") for request in played.requests] == ["wait=2", None, None]
    assert [request.left_seconds for request in played.requests] == [2.5, 0.5, 0]


def test_who_has_no_time_at_all_still_hears_of_a_job_that_has_finished():
    world = World(said(body("succeeded")))

    assert world.play(world.talk.wait("job_1", timeout_seconds=0)).value.is_finished


def test_a_wait_whose_time_is_up_while_the_server_is_away_has_timed_out_and_says_why():
    world = World(said(body("running"), retry_after="1"), *[BROKEN] * 3)

    played = world.play(world.talk.wait("job_1", timeout_seconds=2))

    assert isinstance(played.error, TimedOut)
    assert isinstance(played.error.__cause__, Unreachable)
    assert "refused" in str(played.error)
    assert sum(played.sleeps) == 2


def test_a_wait_for_a_job_that_is_gone_is_no_matter_of_time():
    world = World(problem(410, "result_gone"))

    assert world.play(world.talk.wait("job_1", timeout_seconds=0)).error.code == "result_gone"


def test_events_are_given_until_the_job_has_finished():
    world = World(
        STREAM,
        frame("", "", retry=3000),
        frame("snapshot", body("running"), "1-0"),
        frame("progress", {"fraction": 0.5}, "2-0"),
        frame("window", {"genre": "rock"}, "3-0"),
        frame("finished", body("succeeded"), "3-0"),
    )

    played = world.play(world.talk.events("job_1", last_event_id=None))

    assert names(played) == ["snapshot", "progress", "window", "finished"]
    assert [event.id for event in played.items] == ["1-0", "2-0", "3-0", "3-0"]
    assert played.items[-1].job.status == "succeeded"
    assert played.requests[0].headers["accept"] == "text/event-stream"
    assert played.requests[0].silence_seconds > 2 * 15  # the server's heart may miss a beat


@pytest.mark.parametrize("break_", [END, BROKEN], ids=["ended", "broken"])
def test_a_stream_that_breaks_goes_on_behind_the_last_event(break_):
    world = World(
        STREAM,
        frame("snapshot", body("running"), "1-0", retry=2_000),
        frame("progress", {}, "2-0"),
        break_,
        BROKEN,
        STREAM,
        frame("", "", "2-0"),
        frame("finished", body("succeeded"), "3-0"),
    )

    played = world.play(world.talk.events("job_1", last_event_id=None))

    assert names(played) == ["snapshot", "progress", "finished"]
    assert lasts(played) == [None, "2-0", "2-0"]
    assert played.sleeps == [2, 0.5]


def test_who_has_seen_some_events_is_given_those_behind():
    world = World(STREAM, frame("finished", body("succeeded"), "5-0"))

    assert lasts(world.play(world.talk.events("job_1", last_event_id="4-0"))) == ["4-0"]


def test_behind_the_last_event_there_is_none():
    world = World(Answer(status=204))

    played = world.play(world.talk.events("job_1", last_event_id="9-0"))

    assert (played.items, played.error, len(played.requests)) == ([], None, 1)


def test_where_the_history_is_lost_the_whole_job_is_told_anew():
    world = World(
        STREAM,
        frame("progress", {}, "2-0"),
        frame("reset", {}, "2-0"),
        STREAM,
        frame("snapshot", body("running"), "7-0"),
        frame("finished", body("succeeded"), "8-0"),
    )

    played = world.play(world.talk.events("job_1", last_event_id="1-0"))

    assert names(played) == ["progress", "snapshot", "finished"]
    assert lasts(played) == ["1-0", None]
    assert played.sleeps == [3]


def test_a_stream_that_always_ends_at_once_is_given_up():
    world = World(*[STREAM, END] * 3, max_attempts=3)

    played = world.play(world.talk.events("job_1", last_event_id=None))

    assert isinstance(played.error, Unreachable)
    assert played.sleeps == [3, 3]


def test_a_stream_that_is_cut_each_minute_while_a_job_waits_is_not_given_up():
    world = World(max_attempts=2)

    def script() -> Iterable[Any]:
        for _ in range(10):
            yield STREAM
            world.time += 60
            yield END
        yield from (STREAM, frame("finished", body("succeeded")))

    world.script = iter(script())

    assert names(world.play(world.talk.events("job_1", last_event_id=None))) == ["finished"]


@pytest.mark.parametrize("retry", [-5, 10**12, None], ids=["negative", "years", "not said"])
def test_the_pause_before_a_stream_is_opened_again_is_within_reason(retry):
    world = World(
        STREAM, frame("snapshot", body(), retry=retry), END, STREAM, frame("finished", body("succeeded"))
    )

    assert 3 <= world.play(world.talk.events("job_1", last_event_id=None)).sleeps[0] <= 60


def test_events_of_a_name_that_is_not_known_here_are_given_as_they_are():
    world = World(STREAM, frame("mood", {"sad": True}), frame("finished", body("succeeded")))

    first = world.play(world.talk.events("job_1", last_event_id=None)).items[0]

    assert (first.name, first.data, first.job) == ("mood", {"sad": True}, None)


@pytest.mark.parametrize(
    "answer",
    [
        said(body()),
        Answer(status=200, headers={"content-type": "text/html"}, body=b"<html>"),
        Answer(status=202, headers=STREAM.headers),
    ],
)
def test_what_is_no_stream_is_said_so(answer):
    world = World(answer)

    assert isinstance(world.play(world.talk.events("job_1", last_event_id=None)).error, UnexpectedAnswer)


@pytest.mark.parametrize("data", ["{", "[]", "null", '{"id": 7}'])
def test_an_event_that_cannot_be_read_is_said_so(data):
    world = World(STREAM, frame("snapshot", data))

    assert isinstance(world.play(world.talk.events("job_1", last_event_id=None)).error, UnexpectedAnswer)


@pytest.mark.parametrize("text", [b"", b"<html>login</html>", b"{}", b"[]", b"\xff", b"null"])
def test_an_answer_that_no_server_of_ours_gives_is_said_so(text):
    world = World(Answer(status=200, body=text))

    played = world.play(world.talk.get("job_1", wait_seconds=None))

    assert isinstance(played.error, UnexpectedAnswer)
    assert "http://server" in str(played.error)


def page(first: int, count: int, cursor: str | None) -> Answer:
    jobs = [body("queued", id=f"job_{number}") for number in range(first, first + count)]
    return said({"jobs": jobs, "next_cursor": cursor})


def test_all_pages_of_a_list_are_gone_through():
    world = World(page(0, 100, "a"), page(100, 100, "b"), page(200, 1, None))

    played = world.play(world.talk.jobs(status="queued", limit=None))

    assert [job.id for job in played.items] == [f"job_{number}" for number in range(201)]
    assert [request.query for request in played.requests] == [
        {"status": "queued", "limit": "100"},
        {"status": "queued", "limit": "100", "cursor": "a"},
        {"status": "queued", "limit": "100", "cursor": "b"},
    ]


def test_no_more_jobs_are_asked_for_than_are_wanted():
    world = World(page(0, 100, "a"), page(100, 30, "b"))

    played = world.play(world.talk.jobs(status=None, limit=130))

    assert len(played.items) == 130
    assert [request.query["limit"] for request in played.requests] == ["100", "30"]


def test_who_takes_one_job_of_a_list_asks_for_no_second_page():
    world = World(page(0, 100, "a"))
    steps = world.talk.jobs(status=None, limit=None)

    steps.send(None)
    first = steps.send(next(world.script))

    assert first.item.id == "job_0"
    steps.close()


@pytest.mark.parametrize("listed", [[{"name": "pcrnn"}], {"models": [{"name": "pcrnn"}], "later": 1}])
def test_models_are_given_as_the_server_describes_them(listed):
    world = World(said(listed))
    assert world.play(world.talk.models()).value == [{"name": "pcrnn"}]

    for wrong in (7, {"models": 7}, [7]):
        world = World(said(wrong))
        assert isinstance(world.play(world.talk.models()).error, UnexpectedAnswer)


def test_one_model_is_asked_for_by_its_name():
    world = World(said({"name": "a/b"}))

    played = world.play(world.talk.model("a/b"))

    assert played.requests[0].path == "/models/a%2Fb"
    assert played.value == {"name": "a/b"}


def test_a_problem_says_everything_that_the_server_said():
    world = World(
        said(
            {
                "type": "/problems/invalid-request",
                "title": "Invalid request",
                "status": 422,
                "detail": "The job part asks for what cannot be done.",
                "code": "invalid_request",
                "retryable": False,
                "request_id": "req_1",
                "errors": [{"pointer": "/options/top", "detail": "at most 10"}, "later"],
                "later": 1,
            },
            422,
        )
    )

    error = world.play(world.talk.delete("job_1")).error

    assert isinstance(error, Problem)
    assert (error.status, error.code, error.retryable, error.request_id) == (
        422,
        "invalid_request",
        False,
        "req_1",
    )
    assert error.errors == (("/options/top", "at most 10"),)
    assert str(error) == (
        "Invalid request: The job part asks for what cannot be done. /options/top: at most 10. "
        "(422 invalid_request, request req_1)"
    )


def test_a_problem_says_where_something_is_wrong_wherever_that_is():
    errors = [
        {"pointer": "", "detail": "neither"},
        {"parameter": "limit", "detail": "too many"},
        {"header": "Prefer", "detail": "not like this"},
        {"pointer": "/url", "detail": "That is so."},
        {"detail": "somewhere"},
        {"pointer": None, "parameter": 7},
    ]
    world = World(
        said({"code": "invalid_request", "title": "No", "detail": "That is so.", "errors": errors}, 422)
    )

    error = world.play(world.talk.delete("job_1")).error

    assert error.errors == (
        ("", "neither"), ("?limit", "too many"), ("Prefer", "not like this"), ("/url", "That is so."),
        ("", "somewhere"), ("?7", ""),
    )  # fmt: skip
    # What was said already is not said twice, and the whole body needs no name.
    assert str(error) == (
        "No: That is so. neither. ?limit: too many. Prefer: not like this. somewhere. (422 invalid_request)"
    )


@pytest.mark.parametrize(
    "text", [b"", b"<html>", b"[]", b"null", b'{"errors": 7, "retry_after_seconds": "x"}', b"\xff"]
)
def test_what_somebody_between_says_is_a_problem_too(text):
    world = World(Answer(status=413, headers={"x-request-id": "req_9"}, body=text))

    error = world.play(world.talk.delete("job_1")).error

    assert (error.code, error.retryable, error.errors, error.request_id) == ("http_413", False, (), "req_9")
    assert "413" in str(error)


def test_a_server_that_has_moved_is_not_followed_but_named():
    world = World(Answer(status=301, headers={"location": "https://server/jobs"}))

    assert "https://server/jobs" in str(world.play(world.talk.delete("job_1")).error)


def test_a_status_that_has_no_name_is_a_problem_like_any_other():
    world = World(Answer(status=599))

    assert world.play(world.talk.delete("job_1")).error.title == "Status 599"


def test_an_open_is_repeated_as_any_other_request():
    world = World(
        problem(429, "too_many_streams", retry_after="2"), STREAM, frame("finished", body("failed"))
    )

    played = world.play(world.talk.events("job_1", last_event_id=None))

    assert (names(played), played.sleeps) == (["finished"], pytest.approx([2.2]))
