"""Which processes make GenreWiz on one machine, with their commands, settings and readiness."""

import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from genrewiz.serve.embedded import EmbeddedServer, prepare
from genrewiz.serve.supervisor import Service

CHECKOUT = Path(__file__).parents[2]
GUNICORN_CONFIG = CHECKOUT / "deploy" / "gunicorn.conf.py"
PROBE_SECONDS = 2.0
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where the processes answer."""

    api: int
    api_metrics: int
    worker_metrics: int
    dispatcher_metrics: int


def services(
    *, directory: Path, host: str, ports: Ports, concurrency: int | None, environment: Mapping[str, str]
) -> list[list[Service]]:
    """The phases of a start. GENREWIZ_REDIS_URL in the environment takes the place of the embedded server."""
    ours = {
        "GENREWIZ_AUDIO_DIR": str(directory / "audio"),
        "GENREWIZ_HOST": host,
        "GENREWIZ_PORT": str(ports.api),
        "GENREWIZ_API_METRICS_PORT": str(ports.api_metrics),
        "GENREWIZ_WORKER_METRICS_PORT": str(ports.worker_metrics),
        "GENREWIZ_DISPATCHER_METRICS_PORT": str(ports.dispatcher_metrics),
        "GENREWIZ_LOG_FORMAT": environment.get(
            "GENREWIZ_LOG_FORMAT", "console" if sys.stderr.isatty() else "auto"
        ),
        "PYTHONUNBUFFERED": "1",
    }
    if concurrency is not None:
        ours["GENREWIZ_CONCURRENCY"] = str(concurrency)
    phases: list[list[Service]] = []
    if "GENREWIZ_REDIS_URL" not in environment:
        server = prepare(redis_folder(directory))
        ours["GENREWIZ_REDIS_URL"] = server.url
        phases.append([_server(server, environment)])
    everything = {**environment, **ours}
    phases.append([_worker(ports, everything), _dispatcher(ports, everything), _api(host, ports, everything)])
    return phases


def redis_folder(directory: Path) -> Path:
    """Where the embedded server of a service keeps its data."""
    return directory / "redis"


def _server(server: EmbeddedServer, environment: Mapping[str, str]) -> Service:
    return Service(
        name="redis", command=server.command, environment=environment, is_ready=lambda: _pings(server.url)
    )


def _api(host: str, ports: Ports, environment: Mapping[str, str]) -> Service:
    reached_at = LOOPBACK if host in ("0.0.0.0", "::") else host  # noqa: S104  compared, not bound
    return Service(
        name="api",
        command=[sys.executable, "-m", "gunicorn", "--config", str(GUNICORN_CONFIG)],
        environment=environment,
        is_ready=_answers(f"http://{reached_at}:{ports.api}/readyz"),
    )


def _worker(ports: Ports, environment: Mapping[str, str]) -> Service:
    return Service(
        name="worker",
        command=[sys.executable, "-m", "worker"],
        environment=environment,
        is_ready=_answers(f"http://{LOOPBACK}:{ports.worker_metrics}/readyz"),
    )


def _dispatcher(ports: Ports, environment: Mapping[str, str]) -> Service:
    return Service(
        name="webhook",
        command=[sys.executable, "-m", "worker.webhooks"],
        environment=environment,
        is_ready=_answers(f"http://{LOOPBACK}:{ports.dispatcher_metrics}/readyz"),
    )


def _pings(url: str) -> bool:
    from redis import Redis
    from redis.exceptions import RedisError

    try:
        with Redis.from_url(url, socket_timeout=PROBE_SECONDS) as client:
            return bool(client.ping())
    except RedisError:
        return False


def _answers(url: str) -> Callable[[], bool]:
    def is_ready() -> bool:
        try:
            return httpx.get(url, timeout=PROBE_SECONDS, trust_env=False).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    return is_ready


def taken(ports: Sequence[tuple[str, str, int]]) -> str | None:
    """A sentence about the first (option, host, port) that something listens on already."""
    numbers = [port for _, _, port in ports]
    for option, host, port in ports:
        if numbers.count(port) > 1:
            return f"Port {port} is given twice: choose another one with {option}."
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                return f"{host}:{port} cannot be listened on ({error.strerror}): see {option} and --host."
    return None
