"""A caller's jobs over HTTP: the list, deletion, ETags, Accept. The test does what a worker would."""

import json
import re
from dataclasses import replace
from urllib.parse import unquote

import pytest

from shared.job import JobId, JobOptions, JobStatus, answer_key
from shared.redis_keys import Keys
from support.api_server import CALLER, WAV, Answer, ApiServer, api_serving, headers_of
from support.jobs import MODEL, UNKNOWN, new_job, success
from support.redis_server import redis_serving

OTHER = "198.51.100.8"
QUICK = {"GENREWIZ_REAP_PERIOD_SECONDS": "600", "GENREWIZ_TRUSTED_PROXIES": "1"}


@pytest.fixture(scope="module")
def api(redis_url, tmp_path_factory):
    with api_serving(tmp_path_factory.mktemp("api"), redis_url, **QUICK) as api:
        yield api


@pytest.fixture(autouse=True)
def empty(api: ApiServer, redis):
    """Each test begins with nothing in the store."""
    for path in api.audio.iterdir():
        path.unlink()


def get(api: ApiServer, path: str, *, caller: str = CALLER, **headers: str):
    return api.http.get(path, headers=headers_of(None, caller) | headers)


def post(api: ApiServer, number: int = 0, **options) -> str:
    return api.post(WAV + bytes([number]), **options).json()["id"]


def finish(jobs, job_id: str, outcome=None) -> None:
    lease = jobs.claim(JobId(job_id), owner="w", lease_seconds=600).lease
    assert lease is not None
    assert jobs.finish(lease, outcome or success())


def delete(api: ApiServer, job_id: str):
    return api.http.delete(f"/jobs/{job_id}")


def assert_problem(answer, status: int, code: str, *, parameters: tuple[str, ...] = ()) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert tuple(error["parameter"] for error in answer.json().get("errors", ())) == parameters


def test_a_caller_sees_its_own_jobs_the_newest_first(api, redis):
    mine = [post(api, number) for number in range(3)]
    post(api, 3, caller=OTHER)

    answer = get(api, "/jobs")

    body = answer.json()
    assert answer.status_code == 200
    assert [job["id"] for job in body["jobs"]] == mine[::-1]
    assert body["jobs"] == [get(api, f"/jobs/{job_id}").json() for job_id in mine[::-1]]
    assert body["next_cursor"] is None
    assert "Link" not in answer.headers
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert get(api, "/jobs", caller="198.51.100.9").json() == {"jobs": [], "next_cursor": None}


def test_pages_are_followed_by_their_link_or_their_cursor_to_the_end(api, redis, jobs):
    ids = [post(api, number) for number in range(5)]
    jobs.cancel(ids[1])

    seen, path = [], "/jobs?limit=2&status=queued"
    while path:
        answer = get(api, path)
        seen.append([job["id"] for job in answer.json()["jobs"]])
        link = re.fullmatch(r'<(.*)>; rel="next"', answer.headers.get("Link", ""))
        cursor = answer.json()["next_cursor"]
        assert (cursor is None) == (link is None)
        path = link[1] if link else None
        assert path is None or (f"cursor={cursor}" in path and "status=queued" in path)

    assert seen == [[ids[4], ids[3]], [ids[2], ids[0]]]


def test_a_page_holds_twenty_jobs_unless_a_limit_up_to_a_hundred_is_asked_for(api, redis, jobs):
    for number in range(101):
        jobs.accept(new_job(number, caller=CALLER))

    assert len(get(api, "/jobs").json()["jobs"]) == 20
    assert len(get(api, "/jobs?limit=1").json()["jobs"]) == 1
    assert len(get(api, "/jobs?limit=100").json()["jobs"]) == 100


def test_a_job_in_a_list_is_whole_but_for_its_timeline(api, redis, jobs):
    job_id = post(api)
    finish(jobs, job_id)

    [listed] = get(api, "/jobs?status=succeeded").json()["jobs"]

    alone = get(api, f"/jobs/{job_id}").json()
    assert alone["result"].pop("timeline") != []
    assert listed == alone


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("limit=0", ["limit"]),
        ("limit=101", ["limit"]),
        ("limit=-1", ["limit"]),
        ("limit=1.0", ["limit"]),
        ("limit=%201", ["limit"]),
        ("limit=%D9%A3", ["limit"]),
        ("limit=", ["limit"]),
        ("limit=1&limit=2", ["limit"]),
        ("status=done", ["status"]),
        ("status=QUEUED", ["status"]),
        ("status=", ["status"]),
        ("status=queued&status=running", ["status"]),
        ("cursor=", ["cursor"]),
        ("cursor=abc", ["cursor"]),
        ("cursor=a", ["cursor"]),
        ("cursor=%00", ["cursor"]),
        ("cursor=" + "A" * 3_500, ["cursor"]),
        ("cursor=KGluZiBqb2JfMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw", ["cursor"]),
        ("page=2", ["page"]),
        ("a~b/c=1", ["a~b/c"]),
        ("limit=0&status=x&cursor=y&page=2", ["page", "status", "limit", "cursor"]),
    ],
)
def test_a_query_that_is_wrong_is_refused_and_names_each_parameter(api, redis, query, parameters):
    assert_problem(get(api, f"/jobs?{query}"), 422, "invalid_request", parameters=tuple(parameters))


def test_a_cursor_shows_nobody_the_jobs_of_another(api, redis):
    for number in range(3):
        post(api, number)
    cursor = get(api, "/jobs?limit=1").json()["next_cursor"]
    theirs = post(api, 3, caller=OTHER)

    assert [job["id"] for job in get(api, f"/jobs?cursor={cursor}", caller=OTHER).json()["jobs"]] in (
        [],
        [theirs],
    )


@pytest.mark.parametrize("by_url", [False, True], ids=["an upload", "a URL"])
def test_a_job_that_waits_is_cancelled_and_deleted_with_its_audio(api, redis, by_url):
    job_id = api.post_url().json()["id"] if by_url else post(api)
    counted = api.metric("jobs_finished_total", status="cancelled")

    answer = delete(api, job_id)

    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer.headers
    assert api.files() == []
    assert redis.exists(Keys().waiting, Keys().active, Keys().job(job_id)) == 0
    assert api.metric("jobs_finished_total", status="cancelled") == counted + 1
    assert get(api, "/jobs").json()["jobs"] == []


def test_a_deleted_job_is_gone_from_then_on_and_deleting_it_again_is_no_error(api, redis, jobs):
    job_id = post(api)
    finish(jobs, job_id)
    counted = api.metric("jobs_finished_total")

    assert delete(api, job_id).status_code == 204

    assert_problem(get(api, f"/jobs/{job_id}"), 410, "result_gone")
    assert_problem(api.http.post(f"/jobs/{job_id}/cancel"), 410, "result_gone")
    assert delete(api, job_id).status_code == 204
    assert_problem(get(api, f"/jobs/{job_id}"), 410, "result_gone")
    assert api.metric("jobs_finished_total") == counted


def test_audio_that_a_deletion_before_has_left_goes_with_the_next_one(api, redis):
    job_id = post(api)
    delete(api, job_id)
    (api.audio / job_id).write_bytes(WAV)  # as if the api had died in between

    assert delete(api, job_id).status_code == 204
    assert api.files() == []


def test_a_job_that_runs_is_not_deleted_and_neither_is_its_audio(api, redis, jobs):
    job_id = post(api)
    lease = jobs.claim(JobId(job_id), owner="w", lease_seconds=600).lease

    for _ in range(2):
        assert_problem(delete(api, job_id), 409, "job_running")
        api.http.post(f"/jobs/{job_id}/cancel")  # asked to stop, it still runs
    assert api.files() == [job_id]

    jobs.finish(lease, replace(success(), result=None))
    assert delete(api, job_id).status_code == 204


def test_a_job_that_never_was_cannot_be_deleted(api, redis):
    assert_problem(delete(api, UNKNOWN), 404, "unknown_job")


def test_a_song_whose_job_was_deleted_is_heard_anew(api, redis, jobs):
    job_id = post(api)
    jobs.worker_alive("w", model=MODEL.sha256, seconds=600)
    source = jobs.get(JobId(job_id)).source
    key = answer_key(str(source.sha256), JobOptions())
    finish(jobs, job_id, replace(success(), source=source, answer=key))
    assert api.post(WAV + b"\0", caller=OTHER).json()["cached"] is True
    for job in get(api, "/jobs", caller=OTHER).json()["jobs"]:
        delete(api, job["id"])

    delete(api, job_id)

    assert api.post(WAV + b"\0").status_code == 202


def test_the_request_of_a_deleted_job_makes_another_under_the_same_key(api, redis):
    first = api.post(key="k").json()["id"]
    delete(api, first)

    again = api.post(key="k")

    assert again.status_code == 202
    assert again.json()["id"] != first
    assert_problem(get(api, f"/jobs/{first}"), 410, "result_gone")


@pytest.mark.parametrize("ends", [False, True], ids=["waits", "has finished"])
def test_a_job_that_has_not_changed_is_not_sent_again(api, redis, jobs, ends):
    job_id = post(api)
    if ends:
        finish(jobs, job_id)
    first = get(api, f"/jobs/{job_id}")
    etag = first.headers["ETag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', etag)
    assert first.headers["Cache-Control"] == "private, no-cache"

    for said in (etag, f'"other", {etag}', "*", f"W/{etag}"):
        again = get(api, f"/jobs/{job_id}", **{"If-None-Match": said})
        assert (again.status_code, again.content) == (304, b"")
        assert (again.headers["ETag"], again.headers["Cache-Control"]) == (etag, "private, no-cache")
        assert ("Retry-After" in again.headers) is not ends


def test_a_job_that_has_changed_is_sent_again(api, redis, jobs):
    job_id = post(api)
    etag = get(api, f"/jobs/{job_id}").headers["ETag"]

    finish(jobs, job_id)

    again = get(api, f"/jobs/{job_id}", **{"If-None-Match": etag})
    assert (again.status_code, again.json()["status"]) == (200, "succeeded")
    assert again.headers["ETag"] != etag


def test_a_job_that_is_gone_is_no_match_of_any_etag(api, redis):
    job_id = post(api)
    etag = get(api, f"/jobs/{job_id}").headers["ETag"]
    delete(api, job_id)

    assert_problem(get(api, f"/jobs/{job_id}", **{"If-None-Match": etag}), 410, "result_gone")


def test_head_says_what_get_would_and_sends_no_body(api, redis):
    job_id = post(api)

    for path in (f"/jobs/{job_id}", "/jobs", "/livez", f"/jobs/{UNKNOWN}"):
        whole, head = get(api, path), api.http.head(path, headers=headers_of(None))
        assert (head.status_code, head.content) == (whole.status_code, b"")
        for header in ("ETag", "Cache-Control", "Retry-After", "Content-Type", "Content-Length"):
            assert head.headers.get(header) == whole.headers.get(header), (path, header)
    etag = get(api, f"/jobs/{job_id}").headers["ETag"]
    assert api.http.head(f"/jobs/{job_id}", headers={"If-None-Match": etag}).status_code == 304


def test_retry_after_is_there_until_a_job_has_finished(api, redis, jobs):
    job_id = post(api)
    assert get(api, f"/jobs/{job_id}").headers["Retry-After"] == "1"

    finish(jobs, job_id)

    assert "Retry-After" not in get(api, f"/jobs/{job_id}").headers


def test_a_job_says_when_it_will_have_ended_and_zero_once_it_has(api, redis, jobs):
    ids = [post(api, number) for number in range(3)]
    assert get(api, f"/jobs/{ids[0]}").json()["progress"]["eta_seconds"] is None

    finish(jobs, ids[0])
    assert get(api, f"/jobs/{ids[1]}").json()["progress"]["eta_seconds"] is None  # one tells nothing yet
    for number in range(9):
        finish(jobs, post(api, 100 + number, caller=OTHER))

    seconds = [get(api, f"/jobs/{job_id}").json()["progress"]["eta_seconds"] for job_id in ids]
    assert seconds == [0, 6, 12]
    assert [job["progress"]["eta_seconds"] for job in get(api, "/jobs").json()["jobs"]] == seconds[::-1]


ROUTES = [
    ("GET", "/jobs"),
    ("GET", f"/jobs/{UNKNOWN}"),
    ("POST", "/jobs"),
    ("POST", f"/jobs/{UNKNOWN}/cancel"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0, */*", "application/*;q=0, */*", "x"])
def test_a_client_that_takes_no_json_is_told_406(api, redis, method, path, accept):
    assert_problem(api.http.request(method, path, headers={"Accept": accept}), 406, "not_acceptable")
    assert (api.files(), redis.keys()) == ([], [])


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "*/*",
        "application/*",
        "Application/JSON; charset=utf-8",
        "text/html, */*;q=0.1",
        "*/*, x;q=0",
    ],
)
def test_a_client_that_takes_json_or_says_nothing_is_answered(api, redis, method, path, accept):
    with api.http.stream(method, path, headers={"Accept": accept or ""}) as answer:
        assert answer.status_code != 406
    if accept is None:
        with api.connect() as connection:
            connection.send(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
            assert connection.answer().status != 406


def test_an_answer_without_a_body_needs_nobody_who_takes_it(api, redis):
    job_id = post(api)

    assert api.http.delete(f"/jobs/{job_id}", headers={"Accept": "text/html"}).status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/jobs", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("DELETE", "/jobs", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("POST", f"/jobs/{UNKNOWN}", {"DELETE", "GET", "HEAD", "OPTIONS"}),
        ("PATCH", f"/jobs/{UNKNOWN}", {"DELETE", "GET", "HEAD", "OPTIONS"}),
        ("GET", f"/jobs/{UNKNOWN}/cancel", {"OPTIONS", "POST"}),
        ("BREW", "/readyz", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_method_that_a_route_does_not_know_is_405_and_names_those_it_does(
    api, redis, method, path, allowed
):
    answer = api.http.request(method, path)

    assert_problem(answer, 405, "method_not_allowed")
    assert answer.json()["detail"].startswith("This path is not asked by this method")
    assert set(answer.headers["Allow"].split(", ")) >= allowed


@pytest.mark.parametrize(
    "path", ["/nowhere", "/jobs/", f"/jobs/{UNKNOWN}/nowhere", "/jobs/a/b/c", f"/jobs//{UNKNOWN}"]
)
def test_a_path_that_leads_nowhere_is_a_problem(api, redis, path):
    answer = api.http.get(path)

    assert_problem(answer, 404, "not_found")
    assert answer.json()["detail"] == "Nothing is found at this path."


NO_IDS = [
    "job_",
    "job_odd",
    "job_" + "0" * 23,
    "job_" + "0" * 25,
    "job_" + "A" * 24,
    UNKNOWN + "%0a",
    UNKNOWN + "%00",
    "%20" + UNKNOWN,
    "job_" + "%D9%A3" * 24,
    "job_*",
    "..",
    "%2e%2e%2f%2e%2e",
    "job_" + "0" * 3_500,
    "%F0%9F%8E%B5",
    "%FF",
]


def asked_of(api: ApiServer, redis, path: str, method: str) -> tuple[Answer, list[str]]:
    """The answer, and every command that Redis was given meanwhile."""
    request = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    with redis.monitor() as monitor:
        answer = api.ask(request.encode())
        redis.echo("that was all")
        commands = []
        while "that was all" not in (command := monitor.next_command()["command"]):
            commands.append(command)
    return answer, commands


@pytest.mark.parametrize("job_id", NO_IDS, ids=range(len(NO_IDS)))
@pytest.mark.parametrize(("method", "behind"), [("GET", ""), ("DELETE", ""), ("POST", "/cancel")])
def test_what_can_be_no_id_is_unknown_and_becomes_no_key_of_the_store(api, redis, job_id, method, behind):
    answer, commands = asked_of(api, redis, f"/jobs/{job_id}{behind}", method)

    assert (answer.status, answer.code) in ((404, "unknown_job"), (404, "not_found"))
    assert b"0000000000000" not in answer.body
    asked_by_id = (Keys().job(""), Keys().gone(""), unquote(job_id))
    assert not [command for command in commands for text in asked_by_id if text in command]


def test_what_can_be_an_id_is_asked_of_the_store(api, redis):
    _, commands = asked_of(api, redis, f"/jobs/{UNKNOWN}", "GET")

    assert any(Keys().job(UNKNOWN) in command for command in commands)


@pytest.mark.parametrize("job_id", ["job_odd", "job_" + "A" * 24])
def test_where_redis_is_away_an_id_that_can_be_none_is_503_as_any(nobody, job_id):
    answer = nobody.ask(f"GET /jobs/{job_id} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    assert (answer.status, answer.code) == (503, "store_unavailable")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/jobs"),
        ("GET", f"/jobs/{UNKNOWN}"),
        ("POST", f"/jobs/{UNKNOWN}/cancel"),
        ("DELETE", f"/jobs/{UNKNOWN}"),
        ("GET", "/readyz"),
    ],
)
def test_where_redis_is_away_every_route_says_503_and_when_to_come_again(nobody, method, path):
    answer = nobody.ask(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())

    assert (answer.status, answer.code) == (503, "store_unavailable")
    assert answer.headers["retry-after"] == str(json.loads(answer.body)["retry_after_seconds"])


@pytest.fixture(scope="module")
def nobody(redis_server_of_our_own, tmp_path_factory):
    """An api whose Redis has gone away: whatever asks it is answered 503."""
    server = redis_server_of_our_own
    with api_serving(tmp_path_factory.mktemp("nobody"), server.url) as api:
        server.kill()
        yield api


@pytest.fixture(scope="module")
def redis_server_of_our_own(tmp_path_factory):
    with redis_serving(tmp_path_factory.mktemp("own")) as server:
        yield server


def test_every_status_that_a_list_can_be_of_is_one_that_a_job_can_have(api, redis):
    for status in JobStatus:
        assert get(api, f"/jobs?status={status.value}").json() == {"jobs": [], "next_cursor": None}
