"""One song, its answer, and what is remembered of it: with a server that exists on paper alone."""

import os
from pathlib import Path

import pytest

from genrewiz.client import Job, Problem, Unreachable
from genrewiz.commands.batch_state import FINISHED, batch_state
from genrewiz.commands.inputs import File, Missing, Url
from genrewiz.commands.submission import Submission, Wanted

WANTED = Wanted(options={"top": 2}, metadata={"station": "fm4"}, queue="batch")


class PaperServer:
    """Has one job an idempotency key; what it says first are the refusals it was given."""

    def __init__(self, *refusals: Exception) -> None:
        self.refusals = list(refusals)
        self.jobs: dict[str, dict] = {}
        self.sent: list[dict] = []
        self.end: dict = {"status": "succeeded"}

    def submit(self, file, *, filename, on_bytes, idempotency_key=None, **wanted) -> Job:
        on_bytes(1, 2)
        return self._job({"filename": filename, "audio": file.read(), **wanted}, idempotency_key)

    def submit_url(self, url, *, idempotency_key=None, **wanted) -> Job:
        return self._job({"url": url, **wanted}, idempotency_key)

    def get(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise problem("unknown_job", 404)
        return Job.of(self.jobs[job_id])

    def wait(self, job_id: str) -> Job:
        self.jobs[job_id] |= self.end
        return self.get(job_id)

    def _job(self, sent: dict, key: str | None) -> Job:
        self.sent.append(sent)
        if self.refusals:
            raise self.refusals.pop(0)
        job_id = f"job_{key or len(self.sent)}"
        self.jobs.setdefault(job_id, {"id": job_id, "status": "queued"})
        return Job.of(dict(self.jobs[job_id]))


def problem(code: str, status: int, *pointers: str, retry_after_seconds: float | None = None) -> Problem:
    errors = tuple((pointer, "wrong") for pointer in pointers)
    return Problem(
        status=status,
        code=code,
        title="No",
        detail="No.",
        errors=errors,
        retry_after_seconds=retry_after_seconds,
    )


def submission(server: PaperServer, *, wanted: Wanted = WANTED, **options) -> Submission:
    defaults = {"wait": True, "on_job": lambda name, job: None}
    return Submission(server, wanted, **defaults | options)


def answer(server: PaperServer, song, **options):
    return submission(server, **options).answer(song, lambda sent, total: None)


@pytest.fixture
def song(tmp_path: Path) -> File:
    (tmp_path / "a.wav").write_bytes(b"audio")
    return File(str(tmp_path / "a.wav"))


@pytest.fixture
def state(tmp_path: Path):
    with batch_state(tmp_path / "state", server="http://server") as state:
        yield state


def test_a_song_is_sent_with_what_is_asked_for_and_nothing_else(song):
    server = PaperServer()

    answer(server, song, wanted=Wanted())
    answer(server, song)

    assert server.sent == [
        {"filename": "a.wav", "audio": b"audio"},
        {
            "filename": "a.wav", "audio": b"audio",
            "options": {"top": 2}, "metadata": {"station": "fm4"}, "queue": "batch",
        },
    ]  # fmt: skip


def test_whoever_is_interrupted_knows_the_job_before_its_end(song):
    heard = []

    answer(PaperServer(), song, on_job=lambda name, job: heard.append((name, job.status)))

    assert heard == [(song.name, "queued"), (song.name, "succeeded")]


@pytest.mark.parametrize("code", ["queue_full", "quota_exceeded", "rate_limited"])
def test_a_batch_waits_until_a_full_server_has_room_and_sends_the_whole_song_again(song, code):
    server = PaperServer(*[problem(code, 429, retry_after_seconds=0.001)] * 9)
    heard = []

    assert answer(
        server, song, is_batch=True, on_pause=lambda error, seconds: heard.append((error.code, seconds))
    ).is_good
    assert heard == [(code, 0.001)] * 9
    assert [sent["audio"] for sent in server.sent] == [b"audio"] * 10


def test_a_single_song_is_told_that_the_server_is_full(song):
    found = answer(PaperServer(problem("queue_full", 503)), song)

    assert (found.is_good, found.error["code"]) == (False, "queue_full")


@pytest.mark.parametrize(
    "refusal",
    [
        problem("unauthorized", 401),
        problem("missing_right", 403),
        problem("invalid_request", 422, "/options/top"),
        problem("store_unavailable", 503),
        problem("http_502", 502),
        Unreachable("away"),
    ],
)
def test_what_every_song_would_meet_ends_the_batch(song, refusal):
    with pytest.raises(type(refusal)):
        answer(PaperServer(refusal), song, is_batch=True)


@pytest.mark.parametrize(
    "refusal",
    [
        problem("invalid_request", 422, "/file"),
        problem("unsupported_format", 415),
        problem("upload_too_large", 413),
        problem("internal_error", 500),
        problem("idempotency_key_reused", 422),
    ],
)
def test_what_one_song_meets_is_its_own_answer(song, refusal):
    found = answer(PaperServer(refusal), song, is_batch=True)

    assert found.error["code"] == refusal.code
    assert all(pointer in found.error["detail"] for pointer, _ in refusal.errors)


def test_what_is_wrong_with_a_song_is_said_once(song):
    refusal = Problem(
        status=422,
        code="invalid_request",
        title="No",
        detail="The file is empty.",
        errors=(("/file", "The file is empty."),),
    )

    assert answer(PaperServer(refusal), song).error["detail"] == "The file is empty."


def test_a_song_that_is_not_there_is_no_job(tmp_path):
    server = PaperServer()

    for missing in (File(str(tmp_path / "none")), File(str(tmp_path)), Missing("x*", "Nothing is there.")):
        assert answer(server, missing).error["code"] == "unreadable_file"
    assert server.sent == []


def test_a_song_that_has_ended_is_not_asked_for_again(song, state):
    server = PaperServer()
    first = answer(server, song, state=state)

    again = answer(PaperServer(Unreachable("away")), song, state=state)

    assert again == first
    assert again.job["status"] == "succeeded"


def failed(code: str, *, retryable: bool) -> dict:
    return {"status": "failed", "error": {"code": code, "detail": "No.", "retryable": retryable}}


@pytest.mark.parametrize(
    "end",
    [
        failed("fetch_failed", retryable=True),
        {"status": "expired"},
        {"status": "cancelled"},
    ],
)
def test_an_end_that_another_attempt_may_better_is_no_end_for_the_next_run(song, state, end):
    server = PaperServer()
    server.end = end
    first = answer(server, song, state=state)
    second = answer(server, song, state=state)
    server.end = {"status": "succeeded"}

    third = answer(server, song, state=state)
    again = answer(PaperServer(Unreachable("away")), song, state=state)

    assert (first.is_good, second.is_good, third.is_good) == (False, False, True)
    assert len({first.job["id"], second.job["id"], third.job["id"]}) == len(server.sent) == 3
    assert again == third


@pytest.mark.parametrize("end", [failed("fetch_failed", retryable=True), {"status": "cancelled"}])
def test_who_waits_is_not_told_an_end_that_came_meanwhile_and_may_be_bettered(song, state, end):
    server = PaperServer()
    promised = answer(server, song, state=state, wait=False)
    server.jobs[promised.job["id"]] |= end

    waited = answer(server, song, state=state)

    assert waited.is_good
    assert len(server.sent) == len({promised.job["id"], waited.job["id"]}) == 2
    assert answer(PaperServer(Unreachable("away")), song, state=state) == waited


def test_an_attempt_anew_that_was_killed_is_gone_on_with_under_its_own_key(song, state):
    server = PaperServer()
    server.end = {"status": "expired"}
    answer(server, song, state=state)
    server.refusals = [Unreachable("away")]
    with pytest.raises(Unreachable):
        answer(server, song, state=state)
    server.end = {"status": "succeeded"}

    assert answer(server, song, state=state).is_good
    assert len(server.jobs) == 2


def test_a_song_that_would_fail_again_is_not_sent_again(song, state):
    server = PaperServer()
    server.end = failed("corrupt_audio", retryable=False)
    first = answer(server, song, state=state)

    assert answer(server, song, state=state) == first
    assert len(server.sent) == 1


def test_a_song_whose_end_nobody_saw_is_waited_for_and_not_sent_again(song, state):
    server = PaperServer()
    assert answer(server, song, state=state, wait=False).job["status"] == "queued"

    found = answer(server, song, state=state)

    assert found.job["status"] == "succeeded"
    assert len(server.sent) == 1
    key = found.job["id"].removeprefix("job_")
    assert state.known(key) == (FINISHED, found.job)


def test_a_song_whose_promise_nobody_heard_is_sent_under_the_same_key(song, state):
    server = PaperServer(Unreachable("away"))
    with pytest.raises(Unreachable):
        answer(server, song, state=state)

    answer(server, song, state=state)

    assert len(server.sent) == 2
    assert len(server.jobs) == 1


def test_a_song_whose_job_nobody_knows_any_more_is_sent_anew(song, state):
    answer(PaperServer(), song, state=state, wait=False)
    server = PaperServer()

    assert answer(server, song, state=state).is_good
    assert len(server.sent) == 1


@pytest.mark.parametrize("change", ["size", "time", "wanted"])
def test_a_song_that_has_changed_or_is_asked_of_otherwise_has_another_key(song, state, change):
    server = PaperServer()
    first = answer(server, song, state=state)
    wanted = WANTED
    if change == "size":
        was = Path(song.path).stat()
        Path(song.path).write_bytes(b"audio!")
        os.utime(song.path, ns=(was.st_atime_ns, was.st_mtime_ns))
    elif change == "time":
        os.utime(song.path, ns=(0, 1))
    else:
        wanted = Wanted()

    assert answer(server, song, state=state, wanted=wanted).job["id"] != first.job["id"]


def test_the_same_song_by_another_way_there_has_the_same_key(song, state, monkeypatch):
    server = PaperServer()
    first = answer(server, song, state=state)
    monkeypatch.chdir(Path(song.path).parent)

    assert answer(server, File("a.wav"), state=state).job["id"] == first.job["id"]


def test_a_url_is_remembered_by_itself(state):
    server = PaperServer()

    urls = [answer(server, Url(f"https://x/{name}.mp3"), state=state).job for name in "aab"]

    assert urls[0] == urls[1] != urls[2]
    assert len(server.sent) == 2
