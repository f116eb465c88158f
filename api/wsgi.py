"""What gunicorn serves: the api on its port, /metrics on a port of its own, the reaper beside them."""

from collections.abc import Callable, Iterable
from typing import Any

from gevent import Timeout, get_hub
from gunicorn.http.errors import ParseException

from api.app import create_api
from api.hangup import on_hang_up
from api.metrics import metrics_app
from api.pace import PacedBody
from api.resolver import ResolverThreads
from api.turns import Turns
from shared.logs import configure_logs
from shared.settings import Settings, read_settings
from shared.strays import log_strays, uncaught

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def off_loop(call: Callable[[], None]) -> None:
    """In gevent's pool of real threads: an fsync must not stop the loop."""
    get_hub().threadpool.apply(call)


def within(seconds: float, call: Callable[[], bytes]) -> bytes:
    """Let the loop go on while the call waits; TimeoutError where it waits for longer."""
    timer = Timeout(seconds)
    try:
        with timer:
            return call()
    except Timeout as error:
        if error is not timer:
            raise
        raise TimeoutError from None
    except ParseException as error:  # a chunk or a trailer that is none
        raise ValueError from error


def create_wsgi(settings: Settings) -> Wsgi:
    """The application of one gunicorn worker, running."""
    configure_logs(settings.log_format, settings.log_level, process="api")
    log_strays()
    get_hub().print_exception = lambda _context, *error: uncaught(*error)  # of a greenlet
    api = create_api(settings, off_loop=off_loop, resolve=ResolverThreads(), on_hang_up=on_hang_up)
    api.reaper.start()
    metrics = metrics_app(api.metrics, api.jobs)
    bodies = Turns()
    metrics_port = str(settings.api_metrics_port)

    def by_port(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        # The port is that of the socket, whatever a Host header says: metrics never leave by the public one.
        at_metrics = environ["SERVER_PORT"] == metrics_port
        if at_metrics and environ["PATH_INFO"] == "/metrics":
            return metrics(environ, start_response)
        if at_metrics and environ["PATH_INFO"] not in ("/livez", "/readyz"):
            # As a program would ask: no page is at home there.
            environ = {**environ, "PATH_INFO": "/not-on-this-port", "HTTP_ACCEPT": "*/*"}
        body = PacedBody(
            environ["wsgi.input"],
            within=within,
            turn=bodies.wait,
            bytes_per_second=settings.upload_min_bytes_per_second,
            seconds=settings.upload_seconds,
        )
        environ = {**environ, "wsgi.input": body}
        return api.app(environ, start_response)

    by_port.stop_watching = api.hub.stop  # type: ignore[attr-defined]  # gunicorn's worker calls it
    return by_port


app = create_wsgi(read_settings())
