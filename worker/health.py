"""A process' own small HTTP server: /metrics, /livez, /readyz. It never says that Redis is down."""

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import CollectorRegistry, make_wsgi_app

from shared.errors import SetupError

log = structlog.get_logger(__name__)


class HealthServer:
    """Answers as soon as it is started; ready once it is told so."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        registry: CollectorRegistry,
        setting: str = "GENREWIZ_WORKER_METRICS_PORT",
    ) -> None:
        """SetupError where the port is taken. setting: the variable that names it."""
        self._metrics = make_wsgi_app(registry)
        self._ready = threading.Event()
        try:
            self._server = make_server(
                host, port, self._answer, server_class=_ThreadingServer, handler_class=_QuietHandler
            )
        except OSError as error:
            raise SetupError(f"{setting}: nothing can listen on {host}:{port}: {error.strerror}.") from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def ready(self) -> None:
        """The process does its work."""
        self._ready.set()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            return cast("Iterable[bytes]", self._metrics(environ, start_response))
        if path == "/livez":
            return _plain(start_response, "200 OK", b"alive\n")
        if path == "/readyz":
            if self._ready.is_set():
                return _plain(start_response, "200 OK", b"ready\n")
            return _plain(start_response, "503 Service Unavailable", b"starting\n")
        return _plain(start_response, "404 Not Found", b"not found\n")


def _plain(start_response: Callable[..., Any], status: str, body: bytes) -> list[bytes]:
    start_response(
        status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    )
    return [body]


class _ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, _request: Any, _address: Any) -> None:
        """Whoever asked has hung up, or asked for what nobody foresaw."""
        log.debug("metrics not delivered", exc_info=True)


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Probes come every second: they are not news."""
