"""Both clients: what goes out, what comes back, and that they are the same."""

import email
import email.policy
import inspect
import json
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest

from genrewiz.client import AsyncClient, Client, Problem, Unreachable
from support.client_jobs import body
from support.clients import KINDS, Making, Recorder, clients

EVENTS = (
    b"retry: 0\n\n"
    b"id: 1-0\nevent: snapshot\ndata: " + json.dumps(body("running")).encode() + b"\n\n"
    b":\n\n"
    b'id: 2-0\nevent: window\ndata: {"genre": "r\xc3\xb6ck"}\n\n'
    b"id: 3-0\nevent: finished\ndata: " + json.dumps(body("succeeded")).encode() + b"\n\n"
)


@pytest.fixture(params=KINDS)
def make(request) -> Iterator[Making]:
    with clients(request.param) as make:
        yield make


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of an answer in pieces of so many bytes; at the end it may break."""

    def __init__(self, content: bytes = EVENTS, size: int = 65_536, error: Exception | None = None) -> None:
        self._content, self._size, self._error = content, size, error
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield from (self._content[at : at + self._size] for at in range(0, len(self._content), self._size))
        if self._error:
            raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True


def stream(pieces: Pieces | None = None) -> httpx.Response:
    headers = {"Content-Type": "text/event-stream; charset=utf-8"}
    return httpx.Response(200, headers=headers, stream=pieces or Pieces())


def parts_of(request: httpx.Request, content: bytes) -> dict[str, email.message.EmailMessage]:
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + content, policy=email.policy.HTTP)
    return {part.get_param("name", header="content-disposition"): part for part in message.iter_parts()}


def test_both_clients_can_do_the_same_in_the_same_words():
    def surface(kind: type) -> dict[str, list[tuple[str, object, object]]]:
        methods = inspect.getmembers(kind, inspect.isfunction)
        return {
            name: [
                (each.name, each.default, each.kind) for each in inspect.signature(method).parameters.values()
            ]
            for name, method in methods
            if not name.startswith("_") or name == "__init__"
        }

    ours, theirs = surface(Client), surface(AsyncClient)

    assert ours.pop("close") == theirs.pop("aclose")
    assert ours == theirs


def test_a_song_goes_out_as_a_form_with_its_length_and_the_progress_is_told(make, tmp_path):
    song = tmp_path / "sóng.mp3"
    song.write_bytes(b"x" * 100_000)
    server = Recorder(httpx.Response(202, json=body("queued")))
    seen: list[tuple[int, int | None]] = []

    job = make(handler=server).submit(
        song, options={"top": 1}, metadata={"a": "ü"}, on_bytes=lambda *told: seen.append(told)
    )

    (request,) = server.requests
    parts = parts_of(request, server.bodies[0])
    assert job.id == "job_1"
    assert int(request.headers["Content-Length"]) == len(server.bodies[0])
    assert parts["file"].get_content() == b"x" * 100_000
    assert parts["file"].get_filename() == "sóng.mp3"
    assert json.loads(parts["job"].get_payload()) == {"options": {"top": 1}, "metadata": {"a": "ü"}}
    assert (seen[0], seen[-1]) == ((0, 100_000), (100_000, 100_000))
    assert seen == sorted(seen)


def test_who_we_are_is_said_with_each_request_and_shown_nowhere(make):
    key = "gw_1_secret"
    server = Recorder(
        httpx.Response(200, json=body()),
        httpx.Response(200, json={"jobs": [], "next_cursor": None}),
        stream(),
        httpx.Response(401, json={"code": "unauthorized"}),
    )
    client = make("https://server/prefix/", handler=server, api_key=key)
    client.get("job_1")
    list(client.jobs())
    list(client.events("job_1"))
    with pytest.raises(Problem) as refused:
        client.cancel("job_1")

    assert {request.headers["Authorization"] for request in server.requests} == {f"Bearer {key}"}
    assert {request.headers["User-Agent"].partition("/")[0] for request in server.requests} == {"genrewiz"}
    assert [request.url.path for request in server.requests] == [
        "/prefix/jobs/job_1", "/prefix/jobs", "/prefix/jobs/job_1/events", "/prefix/jobs/job_1/cancel"
    ]  # fmt: skip
    assert key not in f"{refused.value!s}{refused.value!r}{client!r}"


def test_a_server_that_sends_elsewhere_is_not_followed_with_our_key(make):
    server = Recorder(httpx.Response(307, headers={"Location": "https://evil.example/"}))

    with pytest.raises(Problem, match=r"evil\.example"):
        make(handler=server, api_key="gw_1_x").get("job_1")


@pytest.mark.parametrize("size", [1, 2, 7, 65_536])
def test_events_are_the_same_however_they_are_cut(make, size):
    events = list(make(handler=Recorder(stream(Pieces(size=size)))).events("job_1"))

    assert [(event.id, event.name) for event in events] == [
        ("1-0", "snapshot"), ("2-0", "window"), ("3-0", "finished")
    ]  # fmt: skip
    assert events[1].data == {"genre": "röck"}
    assert events[2].job.status == "succeeded"


@pytest.mark.parametrize("size", [1, 3, 65_536])
@pytest.mark.parametrize("line_end", [b"\r\n", b"\r", b"\n"])
def test_events_may_be_written_in_any_way_that_the_standard_allows(make, line_end, size):
    content = line_end.join(
        [
            b"event:snapshot", b"id:1-0", b"data:{", b'data: "id": "job_1",', b'data: "status": "x"}', b"",
            b": a comment", b"unknown: field", b"retry: soon", b"data", b"",
            b"id: 2-0", b"",
            b"event: window", b"id: a\0b", b'data: {"text": "\xe2\x80\xa8\xc2\x85"}', b"", b"",
            b"event: finished", b"data: " + json.dumps(body("failed")).encode(), b"", b"",
        ]
    )  # fmt: skip

    events = list(make(handler=Recorder(stream(Pieces(content, size)))).events("job_1"))

    assert [(event.id, event.name) for event in events] == [
        ("1-0", "snapshot"), ("2-0", "window"), ("2-0", "finished")
    ]  # fmt: skip
    assert events[0].job.status == "x"


def test_an_event_that_is_torn_is_none_and_comes_again(make):
    torn = EVENTS[: EVENTS.index(b"event: finished") + 30]
    last = EVENTS[EVENTS.index(b"id: 3-0") :]
    server = Recorder(
        stream(Pieces(torn)), stream(Pieces(torn, error=httpx.ReadError("reset"))), stream(Pieces(last))
    )

    events = list(make(handler=server).events("job_1"))

    # Also a line break is no end of an event: an empty line is.
    assert [event.name for event in events] == ["snapshot", "window", "snapshot", "window", "finished"]
    assert [request.headers.get("Last-Event-ID") for request in server.requests] == [None, "2-0", "2-0"]


def test_who_leaves_a_stream_early_hangs_up(make):
    pieces = Pieces(EVENTS, 1)
    events = make(handler=Recorder(stream(pieces))).events("job_1")

    next(events)
    assert not pieces.is_closed
    events.close()

    assert pieces.is_closed


def test_a_stream_is_hung_up_on_when_the_job_has_finished(make):
    pieces = Pieces(EVENTS + b"event: window\ndata: {}\n\n", 1)

    list(make(handler=Recorder(stream(pieces))).events("job_1"))

    assert pieces.is_closed


def test_a_server_that_cannot_be_reached_is_said_so(make):
    server = Recorder(*[httpx.ConnectError("refused")] * 2)

    with pytest.raises(Unreachable, match="server cannot be reached: refused") as caught:
        make("http://u:word@server", handler=server, max_attempts=2).get("job_1")

    assert isinstance(caught.value.__cause__, httpx.ConnectError)
    assert "word" not in str(caught.value)


def test_a_certificate_that_is_not_believed_is_no_better_the_second_time(make):
    error = httpx.ConnectError("certificate verify failed")
    error.__cause__ = ssl.SSLCertVerificationError("certificate verify failed")

    with pytest.raises(Unreachable, match="certificate"):
        make(handler=Recorder(error)).get("job_1")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "server:8000",
        "ftp://server",
        "http://",
        "http://h:x",
        "http://h:99999",
        "http://h?a",
        "http://h#a",
    ],
)
def test_a_url_that_is_no_servers_is_refused_at_once(make, url):
    with pytest.raises(ValueError):  # noqa: PT011  some are the standard library's
        make(url)


def test_a_key_that_cannot_be_one_is_refused_at_once_and_not_shown(make):
    with pytest.raises(ValueError, match="api_key") as caught:
        make(api_key="gw_1_x\n")

    assert "gw_1" not in str(caught.value)


def test_metadata_that_is_no_json_is_refused_before_anything_is_sent(make):
    server = Recorder()

    with pytest.raises(ValueError, match="JSON"):
        make(handler=server).submit(b"x", metadata={"a": float("nan")})

    assert server.requests == []


def test_proxies_of_the_environment_are_not_asked_for_servers_on_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")

    def proxies(url: str) -> bool:
        with Client(url) as client:
            return bool(client._http._mounts)

    assert not proxies("http://127.0.0.1:8000")
    assert not proxies("http://localhost")
    assert proxies("http://genrewiz.example")


def test_an_http_client_that_was_handed_over_is_left_open():
    with httpx.Client() as http:
        with Client(http=http):
            pass
        assert not http.is_closed


def test_a_password_in_the_url_would_take_the_keys_place(make):
    with pytest.raises(ValueError, match="api_key"):
        make("https://user:word@server", api_key="gw_1_x")


@pytest.mark.parametrize("held", [None, 30])
def test_an_answer_that_the_server_holds_is_waited_for_longer(make, held):
    server = Recorder(httpx.Response(200, json=body()))

    make(handler=server, timeout_seconds=5).submit(b"x", wait_seconds=held)

    (request,) = server.requests
    assert request.extensions["timeout"]["read"] == (35 if held else 5)
    assert request.extensions["timeout"]["connect"] == 5
    assert request.headers.get("Prefer") == ("wait=30" if held else None)


def test_a_server_that_says_nothing_keeps_who_waits_hardly_longer_than_he_wants_to(make):
    server = Recorder(httpx.Response(200, json=body("succeeded")))

    make(handler=server).wait("job_1", timeout_seconds=3)

    assert 3 < server.requests[0].extensions["timeout"]["read"] <= 5


NO_JOBS = [(None, TypeError), (7, TypeError), (b"job_1", TypeError), ("", ValueError)]


@pytest.mark.parametrize(("job", "error"), NO_JOBS)
@pytest.mark.parametrize("method", ["get", "wait", "events", "cancel", "delete", "spectrogram", "model"])
def test_what_is_no_job_is_refused_before_anything_is_sent(make, method, job, error):
    server = Recorder()

    with pytest.raises(error, match=r"\.$"):
        list(getattr(make(handler=server), method)(job) or ())

    assert server.requests == []


@pytest.mark.parametrize(("url", "error"), [(None, TypeError), (b"https://x", TypeError), ("", ValueError)])
def test_what_is_no_url_is_refused_before_anything_is_sent(make, url, error):
    server = Recorder()

    with pytest.raises(error, match="url"):
        make(handler=server).submit_url(url)

    assert server.requests == []


@pytest.mark.parametrize("job", [".", ".."])
def test_a_way_to_another_path_is_no_job(make, job):
    server = Recorder()

    with pytest.raises(ValueError, match="path"):
        make(handler=server).get(job)

    assert server.requests == []


@pytest.mark.parametrize("text", ["", "a\nb", "ü", "\x7f"])
def test_what_no_header_can_hold_is_refused_before_anything_is_sent(make, text):
    server = Recorder()
    client = make(handler=server)

    with pytest.raises(ValueError, match="idempotency_key"):
        client.submit(b"x", idempotency_key=text)
    with pytest.raises(ValueError, match="last_event_id"):
        client.events("job_1", last_event_id=text)

    assert server.requests == []


@pytest.mark.parametrize(
    ("name", "value"), [("api_key", ""), ("timeout_seconds", 0), ("timeout_seconds", float("nan"))]
)
def test_a_client_that_could_never_ask_is_not_made(make, name, value):
    with pytest.raises(ValueError, match=name):
        make(**{name: value})


@pytest.mark.parametrize("song", [None, 7, ["a.mp3"]])
def test_what_is_no_song_is_refused_before_anything_is_sent(make, song):
    server = Recorder()

    with pytest.raises(TypeError, match="path"):
        make(handler=server).submit(song)

    assert server.requests == []


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.submit(b"x", wait_seconds=-1),
        lambda client: client.submit_url("https://x/a.mp3", wait_seconds=-1),
        lambda client: client.get("job_1", wait_seconds=-1),
        lambda client: client.wait("job_1", timeout_seconds=-1),
        lambda client: list(client.jobs(limit=0)),
        lambda client: list(client.jobs(limit=-1)),
        lambda client: client.jobs_page(limit=0),
    ],
)
def test_numbers_that_mean_nothing_are_refused_before_anything_is_sent(make, call):
    server = Recorder()

    with pytest.raises(ValueError, match="or more"):
        call(make(handler=server))

    assert server.requests == []


def test_iterators_refuse_at_the_call_and_not_when_they_are_read():
    with Client() as client:
        pass
    others = AsyncClient(), Client()

    for each in others:
        with pytest.raises(TypeError):
            each.events(None)
        with pytest.raises(ValueError, match="limit"):
            each.jobs(limit=0)
    for call in (client.jobs, lambda: client.events("job_1")):
        with pytest.raises(ValueError, match="closed"):
            call()


def test_a_client_that_was_closed_says_so(make):
    for client in (make(), make(handler=Recorder())):
        client.close()
        for call in (
            lambda each: each.get("job_1"),
            lambda each: each.submit(b"x"),
            lambda each: list(each.jobs()),
            lambda each: list(each.events("job_1")),
        ):
            with pytest.raises(ValueError, match="closed"):
                call(client)


def test_who_wants_to_hears_of_each_pause_before_a_request_is_repeated(make):
    refused = httpx.ConnectError("refused")
    later = httpx.Response(503, json={"code": "queue_full"}, headers={"Retry-After": "0"})
    heard = []

    make(
        handler=Recorder(refused, later, httpx.Response(200, json=body())),
        on_pause=lambda error, seconds: heard.append((type(error), seconds >= 0)),
    ).get("job_1")

    assert heard == [(Unreachable, True), (Problem, True)]


@pytest.mark.parametrize("ask", [lambda each: each.get("job_1"), lambda each: list(each.events("job_1"))])
def test_what_a_client_was_doing_when_it_was_closed_ends_and_is_not_repeated(make, ask):
    heard = []
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        ThreadPoolExecutor() as others,
        closing(
            make(
                f"http://127.0.0.1:{server.getsockname()[1]}",
                timeout_seconds=60,
                on_pause=lambda *told: heard.append(told),
            )
        ) as client,
    ):
        asked = others.submit(ask, client)
        connection, _ = server.accept()
        with connection:
            connection.recv(65_536)
            client.close()
        with pytest.raises(ValueError, match="closed"):
            asked.result()

    assert heard == []


def test_a_client_that_is_closed_in_a_pause_does_not_go_on(make):
    begun, seconds = threading.Event(), "1"
    later = httpx.Response(503, json={"code": "queue_full"}, headers={"Retry-After": seconds})
    server = Recorder(later)
    client = make(handler=server, on_pause=lambda *_: begun.set())

    with ThreadPoolExecutor() as others:
        asked = others.submit(client.get, "job_1")
        begun.wait()
        client.close()
        with pytest.raises(ValueError, match="closed"):
            asked.result()

    assert len(server.requests) == 1
