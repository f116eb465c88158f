"""Promise 8: over the limit is 429 (yours) or 503 (ours) with a Retry-After, never accepted and dropped."""

import json
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from shared.job import Source
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from support.api_server import (
    CALLER,
    END,
    WAV,
    ApiServer,
    Connection,
    api_serving,
    file_part,
    headers_of,
    upload,
)
from support.jobs import new_job, success
from support.waiting import eventually

MIB = 2**20
LIMITS = {
    "GENREWIZ_RERING_SECONDS": "600",
    "GENREWIZ_MAX_UPLOAD_BYTES": str(2 * MIB),
    "GENREWIZ_MAX_WAITING_JOBS": "10",
    "GENREWIZ_MAX_WAITING_BYTES": str(5 * MIB),
    "GENREWIZ_MAX_WAITING_JOBS_PER_CALLER": "3",
    "GENREWIZ_MAX_WAITING_BYTES_PER_CALLER": str(3 * MIB),
}


@pytest.fixture(scope="module")
def api(redis_url, tmp_path_factory):
    with api_serving(
        tmp_path_factory.mktemp("api"), redis_url, GENREWIZ_TRUSTED_PROXIES="1", **LIMITS
    ) as api:
        yield api


@pytest.fixture(autouse=True)
def empty(api: ApiServer, redis):
    """Each test begins with nothing in the store."""
    for path in api.audio.iterdir():
        path.unlink()


def let_wait(jobs: RedisJobStore, count: int, *, caller: str = "", size: int = 1_000, first: int = 1) -> None:
    """Jobs of this caller, or each of another one."""
    for number in range(first, first + count):
        source = Source(kind="upload", filename="a.wav", sha256="a" * 64, bytes=size)
        jobs.accept(new_job(number, caller=caller or f"192.0.2.{number}", source=source))


def let_end(jobs: RedisJobStore, count: int, *, first: int = 1_000) -> None:
    """Runs that end now: so quickly drains the queue."""
    for number in range(first, first + count):
        new = new_job(number)
        jobs.accept(new)
        lease = jobs.claim(new.id, owner="w", lease_seconds=60).lease
        assert lease is not None
        jobs.finish(lease, success())


FULL: dict[str, tuple[Callable[[RedisJobStore], None], int, str]] = {
    "jobs of the caller": (lambda jobs: let_wait(jobs, 3, caller=CALLER), 429, "quota_exceeded"),
    "bytes of the caller": (
        lambda jobs: let_wait(jobs, 1, caller=CALLER, size=3 * MIB - 100), 429, "quota_exceeded",
    ),
    "jobs in all": (lambda jobs: let_wait(jobs, 10), 503, "queue_full"),
    "bytes in all": (lambda jobs: let_wait(jobs, 2, size=5 * MIB // 2 - 100), 503, "queue_full"),
}  # fmt: skip


def head_of_upload(length: int, headers: str = "") -> bytes:
    forwarded = "".join(f"{name}: {value}\r\n" for name, value in headers_of(None).items())
    return upload(length=length, headers=forwarded + headers)


@pytest.mark.parametrize("limit", FULL)
def test_over_a_limit_a_song_is_refused_with_a_time_to_come_again_and_leaves_nothing(api, redis, jobs, limit):
    fill, status, code = FULL[limit]
    fill(jobs)
    before, counted = sorted(redis.keys()), api.metric("jobs_rejected_total", reason=code)

    answer = api.post()

    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["retryable"]) == (status, code, True)
    assert answer.headers["Retry-After"] == str(problem["retry_after_seconds"])
    assert problem["retry_after_seconds"] >= 1
    assert (api.files(), sorted(redis.keys())) == ([], before)
    assert redis.llen("gw.standard") == 0
    assert api.metric("jobs_rejected_total", reason=code) == counted + 1


@pytest.mark.parametrize("limit", FULL)
@pytest.mark.parametrize("expects", [False, True], ids=["at once", "Expect: 100-continue"])
def test_an_upload_that_there_is_no_room_for_is_not_even_read(api, redis, jobs, limit, expects):
    fill, status, code = FULL[limit]
    fill(jobs)

    with api.connect() as connection:
        connection.send(head_of_upload(2 * MIB, "Expect: 100-continue\r\n" if expects else ""))
        answer = connection.any_answer()  # nothing of the body was sent

    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["connection"] == "close"
    assert api.files() == []


def test_what_waits_of_others_is_no_quota_of_mine(api, redis, jobs):
    let_wait(jobs, 3, caller=CALLER)

    assert api.post(caller="198.51.100.8").status_code == 202


def test_a_url_needs_room_for_a_job_and_none_for_bytes(api, redis, jobs):
    let_wait(jobs, 1, caller=CALLER, size=3 * MIB)
    assert api.post_url().status_code == 202

    let_wait(jobs, 1, caller=CALLER, first=2, size=0)
    assert (api.post_url().status_code, api.post_url(caller="198.51.100.8").status_code) == (429, 202)


def test_a_file_as_large_as_all_the_room_that_is_left_is_taken(api, redis, jobs):
    let_wait(jobs, 1, caller=CALLER, size=MIB)

    assert api.post(WAV + bytes(2 * MIB - len(WAV))).status_code == 202
    assert redis.hget(Keys().waiting, f"bytes:{CALLER}") == str(3 * MIB)


def test_a_file_too_large_for_ever_is_refused_for_good_however_full_it_is(api, redis, jobs):
    let_wait(jobs, 3, caller=CALLER)

    answer = api.ask(head_of_upload(4 * MIB))

    assert (answer.status, answer.code) == (413, "upload_too_large")


def test_a_job_that_was_accepted_is_found_by_its_key_though_there_is_no_room(api, redis, jobs):
    mine = api.post(key="k")
    let_wait(jobs, 9)

    again = api.post(key="k")

    assert (again.status_code, again.json()["id"]) == (202, mine.json()["id"])
    assert api.post(key="another").status_code == 503


def retry_after(api: ApiServer, **of: str) -> int:
    return int(api.post(**of).headers["Retry-After"])


def test_the_quicker_jobs_end_the_sooner_may_a_refused_one_come_again(api, redis, jobs):
    let_wait(jobs, 10)
    unknown = retry_after(api)
    let_end(jobs, 5)  # beside them
    slow = retry_after(api)
    let_end(jobs, 25, first=2_000)
    quick = retry_after(api)

    # A tenth of ten jobs, at 5 and then 25 more a minute.
    assert (unknown, slow, quick) == (60, 12, 2)


def test_whose_jobs_stand_in_a_long_queue_is_told_to_wait_for_the_queue(api, redis, jobs):
    let_wait(jobs, 3, caller=CALLER)
    let_wait(jobs, 7, first=10)
    let_end(jobs, 5)

    assert retry_after(api) == retry_after(api, caller="198.51.100.8") == 12


def post_at_once(api: ApiServer, count: int, caller: Callable[[int], str]) -> list[Connection]:
    """Uploads that have all been let in before any of them is whole; their answers."""
    body = file_part(WAV) + END
    with ExitStack() as stack:
        connections = [stack.enter_context(api.connect()) for _ in range(count)]
        for number, connection in enumerate(connections):
            headers = f"X-Forwarded-For: {caller(number)}\r\n"
            connection.send(upload(length=len(body), headers=headers) + body[:-1])
        eventually(lambda: len(api.files()) == count)
        for connection in connections:
            connection.send(body[-1:])
        return [connection.answer() for connection in connections]


@pytest.mark.parametrize(
    ("caller", "room", "refusal"),
    [
        (lambda number: f"198.51.100.{number}", 10, (503, "queue_full")),
        (lambda _: CALLER, 3, (429, "quota_exceeded")),
    ],
    ids=["in all", "of one caller"],
)
def test_of_a_hundred_uploads_at_once_as_many_are_accepted_as_there_is_room_for(
    api, redis, caller, room, refusal
):
    answers = post_at_once(api, 100, caller)

    accepted = [json.loads(answer.body)["id"] for answer in answers if answer.status == 202]
    refused = [(answer.status, answer.code) for answer in answers if answer.status != 202]
    assert len(accepted) == room
    assert refused == [refusal] * (100 - room)
    assert {answer.headers["retry-after"] for answer in answers if answer.status != 202} == {"60"}
    assert api.files() == sorted(accepted)
    assert sorted(redis.zrange(Keys().active, 0, -1)) == sorted(accepted)
    assert all(api.http.get(f"/jobs/{job_id}").json()["status"] == "queued" for job_id in accepted)
    assert redis.llen("gw.standard") == room


@pytest.mark.parametrize("how", ["claimed", "cancelled"])
def test_room_comes_back_when_a_job_waits_no_more(api, redis, jobs, how):
    ids = [api.post().json()["id"] for _ in range(3)]
    assert api.post().status_code == 429

    if how == "claimed":
        jobs.claim(ids[0], owner="w", lease_seconds=60)
    else:
        assert api.http.post(f"/jobs/{ids[0]}/cancel").status_code == 200

    assert api.post().status_code == 202
    assert api.post().status_code == 429


def caller_of(redis, answer) -> str:
    return redis.hget(Keys().job(answer.json()["id"]), "caller")


def test_behind_a_proxy_of_ours_a_caller_is_whom_it_names_and_not_whom_he_names(api, redis):
    said = {"X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "evil.example", "X-Real-IP": "192.0.2.7"}

    plain = api.http.post("/jobs", files={"file": ("a.wav", WAV)}, headers=headers_of(None) | said)
    quoted = api.http.post(
        "/jobs", files={"file": ("a.wav", WAV)}, headers={"X-Forwarded-For": f'192.0.2.7, ", {CALLER}'}
    )
    lines = ("X-Forwarded-For: 192.0.2.7", "X_Forwarded_For: 192.0.2.8", f"X-Forwarded-For: {CALLER}")
    body = file_part(WAV) + END
    several = api.ask(upload(length=len(body), headers="".join(f"{line}\r\n" for line in lines)) + body)

    assert (caller_of(redis, plain), caller_of(redis, quoted)) == (CALLER, CALLER)
    assert redis.hget(Keys().job(json.loads(several.body)["id"]), "caller") == CALLER
    assert plain.headers["Location"] == f"/jobs/{plain.json()['id']}"
    assert redis.hget(Keys().waiting, f"jobs:{CALLER}") == "3"


def test_without_a_proxy_of_ours_a_caller_is_the_one_who_is_connected(redis_url, redis, tmp_path):
    with api_serving(tmp_path, redis_url) as api:
        assert caller_of(redis, api.post()) == "127.0.0.1"
        assert caller_of(redis, api.post(caller='"')) == "127.0.0.1"
