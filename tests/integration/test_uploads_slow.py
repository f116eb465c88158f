"""Clients that are slow, idle, greedy or gone, on a real gunicorn: everybody else is still answered."""

import json
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from support.api_server import (
    END,
    WAV,
    ApiServer,
    Connection,
    api_serving,
    chunk,
    file_part,
    jobs_of,
    upload,
)
from support.waiting import eventually

MANY = 50
RATE = 20_000  # bytes a second: the least


@pytest.fixture(scope="module")
def api(redis_url, tmp_path_factory):
    """One process, so that whoever holds it up holds up everybody."""
    with api_serving(
        tmp_path_factory.mktemp("slow"),
        redis_url,
        GENREWIZ_API_WORKERS="1",
        GENREWIZ_UPLOAD_MIN_BYTES_PER_SECOND=str(RATE),
    ) as api:
        yield api


@contextmanager
def dripping(connections: list[Connection], data: bytes = b"\0") -> Iterator[None]:
    """Each connection sends a little, again and again."""
    stopped = Event()

    def drip() -> None:
        while not stopped.wait(0.1):
            for connection in connections:
                connection.drip(data)

    thread = Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def open_many(api: ApiServer, stack: ExitStack, first: bytes, count: int = MANY) -> list[Connection]:
    connections = [stack.enter_context(api.connect()) for _ in range(count)]
    for connection in connections:
        connection.send(first)
    return connections


def assert_answers(api: ApiServer) -> str:
    """GETs and an upload are answered; the new job's id."""
    response = api.http.post("/jobs", files={"file": ("a.wav", WAV)})
    assert response.status_code == 202
    job_id: str = response.json()["id"]
    assert api.http.get(f"/jobs/{job_id}").json()["status"] == "queued"
    for path in ("/livez", "/readyz", "/"):
        assert api.http.get(path).status_code == 200
    return job_id


def test_dripping_uploads_hold_up_nobody_and_end_as_408_without_a_trace(api: ApiServer, redis):
    drip = upload(length=10**8) + file_part(WAV)[:-2]
    with ExitStack() as stack:
        connections = open_many(api, stack, drip)
        eventually(lambda: len(api.files()) == MANY)
        with dripping(connections), ThreadPoolExecutor() as pool:
            jobs = {assert_answers(api) for _ in range(20)}
            still_dripping = len(api.files()) - len(jobs)
            slow = pool.submit(upload_slowly, api)

            answers = [connection.answer() for connection in connections]
            jobs.add(slow.result())

        assert still_dripping == MANY  # what was answered was answered beside them
        assert {(answer.status, answer.code) for answer in answers} == {(408, "upload_too_slow")}
        assert {answer.headers["connection"] for answer in answers} == {"close"}
        assert {json.loads(answer.body)["retryable"] for answer in answers} == {True}
        assert set(api.files()) == jobs
        assert all(connection.is_closed() for connection in connections)
    eventually(lambda: api.in_flight() == 0)


def upload_slowly(api: ApiServer) -> str:
    """Half as quickly again as the least rate, for longer than a window; the job's id."""
    body = file_part(WAV + bytes(15 * RATE)) + END
    size = RATE // 5
    pause = Event()
    with api.connect() as connection:
        connection.send(upload(length=len(body)))
        for at in range(0, len(body), size):
            connection.send(body[at : at + size])
            pause.wait(size / (1.5 * RATE))
        answer = connection.answer()
    assert answer.status == 202
    job_id: str = json.loads(answer.body)["id"]
    return job_id


IDLE = {
    "silent": (b"", b""),
    "a slow request line": (b"", b"G"),
    "a slow header": (b"GET /livez HTTP/1.1\r\nX: ", b"y"),
    "headers without end": (b"POST /jobs HTTP/1.1\r\nHost: x\r\n", b"X: y\r\n"),
    "idle after an answer": (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", b""),
}


def test_hundreds_of_connections_without_a_request_are_closed_and_hold_up_nobody(api: ApiServer, redis):
    with ExitStack() as stack:
        opened = {kind: open_many(api, stack, first) for kind, (first, _) in IDLE.items()}
        for connection in opened["idle after an answer"]:
            assert connection.answer().status == 200
        for kind, (_, drip) in IDLE.items():
            stack.enter_context(dripping(opened[kind], drip))
        for _ in range(10):
            assert_answers(api)

        for connections in opened.values():
            for connection in connections:
                eventually(connection.is_gone)


@pytest.fixture
def hurried(redis_url, tmp_path):
    """An api where an upload may take no more than two seconds."""
    with api_serving(
        tmp_path, redis_url, GENREWIZ_API_WORKERS="1", GENREWIZ_UPLOAD_SECONDS="2"
    ) as api:  # fmt: skip
        yield api


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_that_takes_too_long_ends_as_408_at_any_rate(hurried: ApiServer, redis, chunked):
    with hurried.connect() as connection:
        connection.send(upload(chunked=True) if chunked else upload(length=10**8))
        first = file_part(WAV)[:-2]
        connection.send(chunk(first) if chunked else first)
        data = bytes(10_000)  # every tenth of a second: five times the least rate
        with dripping([connection], chunk(data) if chunked else data):
            answer = connection.answer()

    assert (answer.status, answer.code) == (408, "upload_too_slow")
    assert hurried.files() == []
    assert jobs_of(redis) == []


def test_an_upload_that_falls_silent_ends_like_one_that_drips(hurried: ApiServer, redis):
    with hurried.connect() as drips, hurried.connect() as silent:
        began_at = time.monotonic()
        for connection in (drips, silent):
            connection.send(upload(length=10**8) + file_part(WAV)[:-2])
        with dripping([drips]):
            assert drips.answer().status == 408
        lasted = time.monotonic() - began_at

        answer = silent.answer()

        assert (answer.status, answer.code) == (408, "upload_too_slow")
        assert time.monotonic() - began_at < 3 * lasted
    assert hurried.files() == []


def test_a_json_body_that_drips_ends_as_408(hurried: ApiServer, redis):
    head = (
        b"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{"
    )
    with hurried.connect() as connection:
        connection.send(head + b"{")
        with dripping([connection], b" "):
            answer = connection.answer()

    assert (answer.status, answer.code) == (408, "upload_too_slow")


def test_the_memory_of_the_api_does_not_grow_with_an_upload(api: ApiServer, redis):
    (worker,) = api.workers()
    assert_answers(api)
    before = resident_bytes(worker)
    peak = before

    with api.connect() as connection:
        connection.send(upload(chunked=True) + chunk(file_part(WAV)[:-2]))
        for _ in range(100):
            connection.send(chunk(bytes(2**20)))
            peak = max(peak, resident_bytes(worker))
        connection.send(chunk(b"\r\n" + END) + b"0\r\n\r\n")
        answer = connection.answer()

    assert answer.status == 202
    assert json.loads(answer.body)["source"]["bytes"] == len(WAV) + 100 * 2**20
    assert peak - before < 20 * 2**20


FLOODS = {
    "a large upload": (chunk(bytes(2**20)), 100),
    "small chunks": (chunk(bytes(6)) * 10_000, 20),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_of_bytes_leaves_others_their_turn(api: ApiServer, redis, kind):
    data, times = FLOODS[kind]
    waited: list[float] = []

    def send() -> int:
        with api.connect() as connection:
            connection.send(upload(chunked=True) + chunk(file_part(WAV)[:-2]))
            for _ in range(times):
                connection.send(data)
            connection.send(chunk(b"\r\n" + END) + b"0\r\n\r\n")
            return connection.answer().status

    began_at = time.perf_counter()
    with ThreadPoolExecutor() as pool:
        flood = pool.submit(send)
        eventually(api.files)
        while not flood.done():
            asked_at = time.perf_counter()
            assert api.http.get("/livez").status_code == 200
            waited.append(time.perf_counter() - asked_at)
    lasted = time.perf_counter() - began_at

    assert flood.result() == 202
    # A machine may hiccup; a loop that is held up spends nearly all of the time in long waits.
    assert sum(wait for wait in waited if wait > lasted / 20) < lasted / 2


def wait_beside_uploads(api: ApiServer, drip: bytes, *, count: int = 100) -> float:
    """How long a GET waits, in seconds, while so many uploads drip."""
    waited: list[float] = []
    with ExitStack() as stack:
        head = upload(chunked=True) + chunk(file_part(WAV)[:-2])
        connections = open_many(api, stack, head, count)
        eventually(lambda: len(api.files()) >= count)
        for _ in range(20):
            for connection in connections:
                connection.drip(drip)
            asked_at = time.perf_counter()
            assert api.http.get("/livez").status_code == 200
            waited.append(time.perf_counter() - asked_at)
    eventually(lambda: api.in_flight() == 0)
    return statistics.median(waited)


def test_uploads_in_chunks_of_a_byte_hold_up_nobody(api: ApiServer, redis):
    plain = wait_beside_uploads(api, chunk(bytes(300)))

    tiny = wait_beside_uploads(api, chunk(b"\0") * 300)

    assert tiny < 10 * plain


def test_pipelined_requests_leave_others_their_turn(api: ApiServer):
    """Between a stranger's request and its answer, few of theirs are answered."""
    get = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    answered = [0]

    def count(connection: Connection) -> None:
        with suppress(OSError):
            while data := connection.socket.recv(65_536):
                answered[0] += data.count(b"HTTP/1.1 200")

    with ThreadPoolExecutor() as pool, ExitStack() as stack:
        for _ in range(4):
            connection = stack.enter_context(api.connect())
            stack.callback(connection.reset)
            pool.submit(count, connection)
            pool.submit(connection.drip, get * 10_000)
        eventually(lambda: answered[0] > 100)
        before = answered[0]
        for _ in range(10):
            assert api.ask(get).status == 200

        assert answered[0] - before < 1_000


def test_a_refused_body_is_not_read_to_its_end(api: ApiServer, redis):
    """Whoever goes on sending after the refusal is cut off, and nobody waits for that."""
    with api.connect() as connection:
        connection.send(upload(length=10**8) + file_part(b"Dear diary, " * 6)[:-2])
        assert connection.answer().status == 415
        sent = 0
        while connection.drip(bytes(2**20)):
            sent += 1

    assert sent < 50


def test_clients_that_take_no_answer_hold_up_nobody(api: ApiServer, redis):
    song = b"GET /static/samples/nightdrive.mp3 HTTP/1.1\r\nHost: x\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(MANY):
            connection = stack.enter_context(api.connect(receive_bytes=4_096))
            connection.send(song * 20)
            assert connection.socket.recv(12) == b"HTTP/1.1 200"

        for _ in range(5):
            assert_answers(api)


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4_096


def test_where_the_disk_takes_no_more_the_answer_is_503_and_nothing_is_left(redis_url, redis, tmp_path):
    with api_serving(tmp_path, redis_url, file_bytes=2 * 2**20, GENREWIZ_API_WORKERS="1") as api:
        (worker,) = api.workers()
        before = open_files(worker)

        for chunked in (False, True):
            body = file_part(WAV + bytes(5 * 2**20)) + END
            head = upload(chunked=True) if chunked else upload(length=len(body))
            answer = api.ask(head + (chunk(body) + b"0\r\n\r\n" if chunked else body))

            assert (answer.status, answer.code) == (503, "store_unavailable")
            assert answer.headers["retry-after"] == "5"
            assert api.files() == []
            assert jobs_of(redis) == []
        assert api.http.post("/jobs", files={"file": ("a.wav", WAV)}).status_code == 202
        eventually(lambda: open_files(worker) <= before + 3)  # Redis, the test's own connection


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
