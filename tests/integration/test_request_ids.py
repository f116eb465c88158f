"""The ids of a request: where they come from, and that each line of its own has them, on a real gunicorn."""

import httpx
import pytest

from shared.job import JobId
from support.api_server import END, WAV, Connection, chunk, file_part, upload
from support.lines import Line, Speaking, about, speaking
from support.waiting import eventually

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture(scope="module")
def both(redis_url, tmp_path_factory):
    """One process, so that requests meet in it."""
    directory = tmp_path_factory.mktemp("ids")
    with speaking(directory, redis_url, GENREWIZ_API_WORKERS="1", GENREWIZ_LOG_LEVEL="debug") as both:
        yield both


def answered(both: Speaking, request_id: str) -> Line:
    """The line that says how a request was answered."""
    return eventually(lambda: about(both.lines(), request_id=request_id, event="request answered")[0])


def test_a_clients_request_id_comes_back_and_stands_in_the_lines_of_its_request(both):
    response = both.api.http.post(
        "/jobs",
        files={"file": ("a.wav", WAV)},
        headers={"X-Request-Id": "mine:1", "traceparent": TRACEPARENT},
    )

    job_id = response.json()["id"]
    assert response.headers["X-Request-Id"] == "mine:1"
    end = answered(both, "mine:1")
    (accepted,) = about(both.lines(), event="job accepted", job_id=job_id)
    assert (accepted["request_id"], accepted["trace_id"]) == ("mine:1", TRACE)
    assert accepted["span_id"] == end["span_id"] != PARENT
    assert (end["method"], end["route"], end["status"]) == ("POST", "/jobs", 202)
    assert end["bytes"] == len(response.content)
    assert end["seconds"] > 0
    assert (end["level"], end["process"]) == ("info", "api")


def test_the_record_keeps_request_and_trace_and_no_answer_shows_them(both, jobs):
    sent = {"X-Request-Id": "mine:2", "traceparent": TRACEPARENT}
    response = both.api.http.post("/jobs", files={"file": ("a.wav", WAV)}, headers=sent)

    job = jobs.get(JobId(response.json()["id"]))

    assert job.origin is not None
    assert job.origin.request_id == "mine:2"
    assert (job.origin.span.trace_id, job.origin.span.sampled) == (TRACE, True)
    for text in (response.text, both.api.http.get(f"/jobs/{job.id}").text):
        assert "mine:2" not in text
        assert TRACE not in text


@pytest.mark.parametrize("header", ["", "a b", "x" * 129, "a,b", "a\tb", "é"])
def test_a_request_id_that_could_not_stand_in_a_line_is_replaced(both, header):
    response = both.api.http.get("/livez", headers={"X-Request-Id": header.encode("latin-1")})

    assert response.headers["X-Request-Id"].startswith("req_")


def test_an_invalid_traceparent_is_ignored(both):
    sent = {"traceparent": f"00-{TRACE.upper()}-{PARENT}-01", "X-Request-Id": "upper"}
    response = both.api.http.get("/jobs/job_00", headers=sent)

    assert response.status_code == 404
    line = answered(both, "upper")
    assert TRACE not in line["trace_id"].lower()
    assert line["job_id"] == "job_00"


@pytest.mark.parametrize(
    ("method", "path", "status", "route"),
    [
        ("GET", "/nowhere?sig=s3cret", 404, "unknown"),
        ("PUT", "/jobs", 405, "unknown"),
        ("GET", "/jobs/job_ab", 404, "/jobs/<job_id>"),
        ("POST", "/jobs", 415, "/jobs"),
        ("BREW", "/jobs", 405, "unknown"),
    ],
)
def test_an_error_has_the_id_in_header_problem_and_line(both, method, path, status, route):
    response = both.api.http.request(method, path)

    request_id = response.headers["X-Request-Id"]
    assert response.status_code == status
    assert response.json()["request_id"] == request_id
    line = answered(both, request_id)
    assert (line["status"], line["route"]) == (status, route)
    assert line["method"] == ("other" if method == "BREW" else method)


def test_what_is_no_http_gets_an_id_too_and_not_the_one_of_the_request_before_it(both):
    with both.api.connect() as connection:
        connection.send(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-Id: before\r\n\r\n")
        connection.answer()
        connection.send(b"GET / HTTP/1.1\r\nno header\r\n\r\n")
        answer = connection.answer()

    request_id = answer.headers["x-request-id"]
    assert answer.status == 400
    assert request_id.encode() in answer.body
    (line,) = eventually(lambda: about(both.lines(), request_id=request_id))
    assert line["event"].startswith("A request could not be read")
    assert "trace_id" not in line


def test_two_requests_at_once_in_one_process_keep_their_ids_apart(both):
    def begun(request_id: str) -> Connection:
        connection = both.api.connect()
        connection.send(upload(chunked=True, headers=f"X-Request-Id: {request_id}\r\n"))
        connection.send(chunk(file_part(WAV[:500])[:-2]))
        return connection

    with begun("first") as first, begun("second") as second:
        eventually(lambda: both.api.in_flight() == 2)
        both.api.http.get("/livez", headers={"X-Request-Id": "between"}).raise_for_status()
        for connection in (
            first,
            second,
        ):  # in the order in which they came: the last to begin is the last to end
            connection.send(chunk(WAV[500:] + b"\r\n" + END) + b"0\r\n\r\n")
            assert connection.answer().status == 202
    for request_id in ("first", "second"):
        end = answered(both, request_id)
        (accepted,) = about(both.lines(), event="job accepted", request_id=request_id)
        assert accepted["span_id"] == end["span_id"]
    assert len({answered(both, name)["trace_id"] for name in ("first", "second", "between")}) == 3


def test_one_connection_gives_each_of_its_requests_ids_of_its_own(both):
    with httpx.Client(base_url=both.api.http.base_url, trust_env=False) as http:
        answers = [http.get("/jobs/job_0c") for _ in range(3)]

    ids = {answer.headers["X-Request-Id"] for answer in answers}
    lines = [answered(both, request_id) for request_id in ids]
    assert len(ids) == 3
    assert len({line["trace_id"] for line in lines}) == 3


def test_probes_are_lines_for_whoever_asks_for_all(both):
    response = both.api.http.get("/readyz")

    assert answered(both, response.headers["X-Request-Id"])["level"] == "debug"


def test_a_file_of_the_page_is_a_line(both):
    response = both.api.http.get("/")

    assert answered(both, response.headers["X-Request-Id"])["route"] == "/"


def test_a_job_that_another_request_speaks_of_has_the_ids_of_its_own(both):
    job_id = both.api.http.post(
        "/jobs", files={"file": ("a.wav", WAV)}, headers={"X-Request-Id": "makes", "Idempotency-Key": "k"}
    ).json()["id"]
    again = {"X-Request-Id": "makes-again", "Idempotency-Key": "k"}
    both.api.http.post("/jobs", files={"file": ("a.wav", WAV)}, headers=again)
    both.api.http.post(f"/jobs/{job_id}/cancel", headers={"X-Request-Id": "cancels"}).raise_for_status()

    answered(both, "cancels")
    trace_id = answered(both, "makes")["trace_id"]
    (known,) = about(both.lines(), event="job known by its idempotency key", job_id=job_id)
    (ended,) = about(both.lines(), event="job finished", job_id=job_id)
    assert (known["request_id"], known["by_request_id"]) == ("makes", "makes-again")
    assert (ended["request_id"], ended["by_request_id"]) == ("makes", "cancels")
    assert ended["status"] == "cancelled"
    assert {known["trace_id"], ended["trace_id"]} == {trace_id}
