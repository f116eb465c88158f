"""A server that says what a test has told it to, over HTTP, and keeps what it was asked."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

POLL_SECONDS = 0.01
"""After which it sees that it is to end."""


class PaperApi:
    """What it says by method and path, and what it was asked: triples of method, target and body."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.url = ""

    def says(self, route: str, body: Any, status: int = 200) -> None:
        """route: as `GET /jobs`. A list of bodies is said one after another, and the last one for good."""
        self.answers[route] = status, body

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        self.asked.append((method, target, body))
        no = 404, {"code": "unknown", "title": "No", "detail": "Nothing is here."}
        status, said = self.answers.get(f"{method} {urlsplit(target).path}", no)
        if isinstance(said, list):
            said = said.pop(0) if len(said) > 1 else said[0]
        return status, said


@contextmanager
def paper_api() -> Iterator[PaperApi]:
    """One on a free port, until the end."""
    paper = PaperApi()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            is_json = self.headers.get("Content-Type") == "application/json"
            status, said = paper.answer(
                self.command, self.path, json.loads(content) if is_json else content or None
            )
            text = b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            if status != http.HTTPStatus.NO_CONTENT:
                self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815  the library's names

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True).start()
        paper.url = f"http://127.0.0.1:{server.server_port}"
        yield paper
        server.shutdown()
