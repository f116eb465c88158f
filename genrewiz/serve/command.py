"""`genrewiz serve` and `genrewiz demo`: the whole service on one machine, from one command."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Annotated, NoReturn

import httpx
import typer

from genrewiz.client import Client, ClientError, Job
from genrewiz.commands.output import bars
from genrewiz.serve.embedded import NoServerBinary, address_in
from genrewiz.serve.ports import free_port
from genrewiz.serve.services import LOOPBACK, Ports, redis_folder, services, taken
from genrewiz.serve.supervisor import Say, StartFailed, Supervisor, signals_interrupt

SAMPLE = "/static/samples/nightdrive.mp3"
FAILED = 1
MAX_PORT = 65_535
SAMPLE_SECONDS = 120.0
PROBE_SECONDS = 10.0

DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Where jobs and audio are kept. [default: genrewiz under XDG_DATA_HOME]"),
]
ConcurrencyOption = Annotated[
    int | None, typer.Option(min=1, help="Songs at once. [default: one a core]", show_default=False)
]


def serve(
    *,
    host: Annotated[str, typer.Option(envvar="GENREWIZ_HOST", help="Where to listen.")] = LOOPBACK,
    port: Annotated[
        int,
        typer.Option(min=0, max=MAX_PORT, envvar="GENREWIZ_PORT", help="The api's port; 0 is any free one."),
    ] = 8000,
    data: DataOption = None,
    concurrency: ConcurrencyOption = None,
    api_metrics_port: Annotated[
        int,
        typer.Option(
            min=0,
            max=MAX_PORT,
            envvar="GENREWIZ_API_METRICS_PORT",
            help="/metrics of the api; 0 is any free one.",
        ),
    ] = 9101,
    worker_metrics_port: Annotated[
        int,
        typer.Option(
            min=0,
            max=MAX_PORT,
            envvar="GENREWIZ_WORKER_METRICS_PORT",
            help="/metrics of the worker; 0 is any free one.",
        ),
    ] = 9102,
    dispatcher_metrics_port: Annotated[
        int,
        typer.Option(
            min=0,
            max=MAX_PORT,
            envvar="GENREWIZ_DISPATCHER_METRICS_PORT",
            help="/metrics of the dispatcher, which sends webhooks; 0 is any free one.",
        ),
    ] = 9103,
    sample: Annotated[bool, typer.Option("--sample", help="Classify a bundled song once all is up.")] = False,
) -> None:
    """Run the whole service here: a Redis-compatible server, api, worker and dispatcher. Ctrl-C stops it."""
    ports = Ports(
        api=port or free_port(),
        api_metrics=api_metrics_port or free_port(),
        worker_metrics=worker_metrics_port or free_port(),
        dispatcher_metrics=dispatcher_metrics_port or free_port(),
    )
    with _running(data or _default_directory(), host, ports, concurrency, say=_relay) as supervisor:
        url = f"http://{host}:{ports.api}"
        needs_key = _needs_key(url)
        if sample and needs_key:
            typer.echo("No sample is classified: this service asks for API keys.", err=True)
        elif sample:
            show_answer(_classify_sample(url))
        typer.echo(_ready(url, data, needs_key=needs_key))
        with suppress(KeyboardInterrupt):
            supervisor.watch()


def demo(*, concurrency: ConcurrencyOption = None) -> None:
    """Start the whole service on free ports, classify one bundled song, stop."""
    ports = Ports(
        api=free_port(),
        api_metrics=free_port(),
        worker_metrics=free_port(),
        dispatcher_metrics=free_port(),
    )
    held_back: list[tuple[str, str]] = []
    typer.echo("Starting a server, the api and a worker …", err=True)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="genrewiz-") as directory,
            _running(Path(directory), LOOPBACK, ports, concurrency, say=lambda *line: held_back.append(line)),
        ):
            job = _classify_sample(f"http://{LOOPBACK}:{ports.api}")
    except typer.Exit:
        for name, line in held_back:
            _relay(name, line)
        raise
    show_answer(job)
    if job.status != "succeeded":
        raise typer.Exit(FAILED)


@contextmanager
def _running(
    directory: Path, host: str, ports: Ports, concurrency: int | None, *, say: Say
) -> Iterator[Supervisor]:
    """The service, up; stopped when the block ends. Exits with a sentence where it cannot start."""
    sentence = taken(
        [
            ("--port", host, ports.api),
            ("--api-metrics-port", LOOPBACK, ports.api_metrics),
            ("--worker-metrics-port", LOOPBACK, ports.worker_metrics),
            ("--dispatcher-metrics-port", LOOPBACK, ports.dispatcher_metrics),
        ]
    )
    if sentence:
        _refuse(sentence)
    with signals_interrupt(), _locked(directory):
        try:
            phases = services(
                directory=directory,
                host=host,
                ports=ports,
                concurrency=concurrency,
                environment=os.environ,
            )
        except NoServerBinary as error:
            _refuse(str(error))
        supervisor = Supervisor(phases, say=say)
        try:
            supervisor.start()
            yield supervisor
        except StartFailed as error:
            _refuse(f"{error} Its own lines say why.")
        finally:
            supervisor.shut_down()


@contextmanager
def _locked(directory: Path) -> Iterator[IO[str]]:
    """Two services on one directory would write over each other's jobs."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / "lock").open("w")
    except OSError as error:
        _refuse(f"{directory} cannot be used: {error.strerror}. Choose another folder with --data.")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _refuse(f"Another genrewiz serves from {directory}: choose another folder with --data.")
        yield lock


def address_of(directory: Path | None) -> tuple[Path, str | None]:
    """The folder of a service (by default: the default one), and the URL of its own Redis, if it had one."""
    directory = directory or _default_directory()
    return directory, address_in(redis_folder(directory))


def _needs_key(url: str) -> bool:
    """Whether the api asks strangers for a key."""
    try:
        answer = httpx.get(f"{url}/jobs?limit=1", timeout=PROBE_SECONDS, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.UNAUTHORIZED


def _ready(url: str, data: Path | None, *, needs_key: bool) -> str:
    folder = f" --data {data}" if data and "GENREWIZ_REDIS_URL" not in os.environ else ""
    add = f"`genrewiz keys add NAME{folder}`"
    header, said = (
        (' -H "Authorization: Bearer gw_…"', f"It asks for API keys: {add} makes one.")
        if needs_key
        else ("", f"It is open to all who reach it, until {add} makes a key.")
    )
    return (
        f"\nGenreWiz is ready: {url}\n  curl{header} -F file=@song.mp3 {url}/jobs\n{said}\nCtrl-C stops it."
    )


def _relay(name: str, line: str) -> None:
    typer.echo(f"{name:<7}| {line}", err=True)


def _classify_sample(url: str) -> Job:
    try:
        with httpx.Client(timeout=PROBE_SECONDS, trust_env=False) as http, Client(url, http=http) as client:
            song = http.get(f"{url}{SAMPLE}").raise_for_status().content
            job = client.submit(song, filename=Path(SAMPLE).name)
            return client.wait(job, timeout_seconds=SAMPLE_SECONDS)
    except (httpx.HTTPError, ClientError) as error:
        _refuse(f"The sample song could not be classified: {error}")


def show_answer(job: Job) -> None:
    """A job's answer, for people."""
    typer.echo(f"\n{job.source.filename}: {_headline(job)}")
    for line in bars(job.raw["result"]) if job.result else ():
        typer.echo(line)


def _headline(job: Job) -> str:
    if job.error:
        return job.error.detail
    return (job.result and job.result.genre) or "not sure"


def _default_directory() -> Path:
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "genrewiz"


def _refuse(sentence: str) -> NoReturn:
    typer.echo(f"genrewiz: {sentence}", err=True)
    raise typer.Exit(FAILED)
