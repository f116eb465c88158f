"""A stand-in for AzuraCast, made from its published API (openapi.yml of 0.23) and the source of its PUT.

`GET` and `PUT /api/station/{station_id}/file/{id}` alone: what a PUT does not name stays, the playlists that
it names replace those that are there, and a file's id may be its number or its unique id.
"""

import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

KEY = "1d0d2b1e:0c1f"
ROUTE = re.compile(r"/api/station/([^/]+)/file/([^/]+)")
WRITABLE = {"title", "artist", "album", "genre", "isrc", "lyrics", "custom_fields", "extra_metadata"}
NAMES = {1: "General rotation", 4: "Evening", 5: "Rock", 6: "Rock, too"}


def error(code: int, message: str, kind: str = "Error") -> tuple[int, dict[str, Any]]:
    """Api_Error."""
    return code, {
        "code": code,
        "type": kind,
        "message": message,
        "formatted_message": message,
        "extra_data": [],
        "success": False,
    }


class AzuraCast(http.server.ThreadingHTTPServer):
    """One station, `1` or `radio`, with one file, `123`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.genre: str | None = None
        self.playlists = [1, 4]
        self.puts: list[dict[str, Any]] = []
        self.answers: list[tuple[int, Any]] = []  # in the place of its own, once each
        self.after_put: list[tuple[int, Any]] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def file(self) -> dict[str, Any]:
        """Api_StationMedia."""
        return {
            "id": 123,
            "unique_id": "69b536afc7ebbf16457b8645",
            "song_id": "9f33bbc912c19603e51be8e0987d076b",
            "title": "Song", "artist": "Somebody", "text": "Somebody - Song", "album": "",
            "genre": self.genre,
            "path": "song.mp3",
            "length": 240.0, "length_text": "4:00",
            "custom_fields": {}, "extra_metadata": {},
            "playlists": [
                {"id": each, "name": NAMES[each], "short_name": "x", "folder": None, "count": 1}
                for each in self.playlists
            ],
            "links": {"self": f"{self.url}/api/station/1/file/123"},
        }  # fmt: skip

    def answer(self, method: str, path: str, key: str | None, body: Any) -> tuple[int, Any]:
        """As the published API says."""
        if self.answers:
            return self.answers.pop(0)
        if key != KEY:
            return error(403, "You must be logged in to access this page.", "NotLoggedInException")
        route = ROUTE.fullmatch(path)
        if not route or route[1] not in {"1", "radio"}:
            return error(404, "Record not found")
        if route[2] not in {"123", "69b536afc7ebbf16457b8645"}:
            return error(404, "Record not found")
        return (200, self.file()) if method == "GET" else self.put(body)

    def put(self, body: dict[str, Any]) -> tuple[int, Any]:
        """Api_Status."""
        assert set(body) <= WRITABLE | {"playlists"}, body
        self.puts.append(body)
        if "genre" in body:
            self.genre = body["genre"]
        if self.after_put:
            return self.after_put.pop(0)
        if body.get("playlists") is not None:
            self.playlists = [each["id"] if isinstance(each, dict) else each for each in body["playlists"]]
        return 200, {"success": True, "message": "Record updated", "formatted_message": "Record updated"}


class _Request(http.server.BaseHTTPRequestHandler):
    server: AzuraCast

    def do_GET(self) -> None:
        self._answer(None)

    def do_PUT(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Any) -> None:
        status, said = self.server.answer(self.command, self.path, self.headers["X-API-Key"], body)
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", said)
        written = said.encode() if isinstance(said, str) else json.dumps(said).encode()
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, *_: object) -> None:
        """Nobody listens."""


@contextmanager
def azuracast_serving() -> Iterator[AzuraCast]:
    """A stand-in that is up."""
    with AzuraCast() as azuracast:
        thread = threading.Thread(target=azuracast.serve_forever, daemon=True)
        thread.start()
        try:
            yield azuracast
        finally:
            azuracast.shutdown()
            thread.join()
