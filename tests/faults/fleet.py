"""The whole service as a fleet of real processes, and everything that may befall it.

A real server, real gunicorns, real workers, real dispatchers, each of these behind a way to Redis of its
own. What dies is started again. Each fault goes into the journal when it begins and when it is over; what it
does to jobs is for the oracle.
"""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from redis import Redis
from redis.exceptions import RedisError

from faults.crash import arm
from faults.journal import Counter, Journal, Record, read_journal, read_journals
from faults.keeper import Keeper, Member
from faults.proxy import Proxy
from genrewiz.serve.embedded import EmbeddedServer, prepare
from genrewiz.serve.ports import free_port
from shared.audio_caretaker import AudioCaretaker
from shared.audio_store import DirectoryAudioStore
from shared.picture_store import DirectoryPictureStore
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.settings import Settings
from support.waiting import eventually

CHECKOUT = Path(__file__).parents[2]
GUNICORN_CONFIG = Path(__file__).with_name("gunicorn_faults.conf.py")
PROBE_SECONDS = 2.0
REDIS = "redis"
SHORT_LEASES = {
    "GENREWIZ_LEASE_SECONDS": "3",
    "GENREWIZ_HEARTBEAT_SECONDS": "1",
    "GENREWIZ_RERING_SECONDS": "3",
}
"""For tests that wait for leases to lapse."""
WEBHOOKS = {
    "GENREWIZ_EGRESS_HTTP": "true",
    "GENREWIZ_EGRESS_ALLOW": "127.0.0.0/8",
    # A receiver is away for as long as a test has it so: nothing is given up before.
    "GENREWIZ_WEBHOOK_RETRY_SECONDS": ",".join(["0.5", "1", "2", "4", *["8"] * 60]),
    "GENREWIZ_WEBHOOK_SECONDS": "3",
}
"""For fleets whose receivers are here, and short of patience."""
KILLS = {"redis": "redis_kill", "api": "api_kill", "worker": "worker_kill", "dispatcher": "dispatcher_kill"}


class Fleet:
    """Processes that are up, or will be again."""

    def __init__(
        self,
        directory: Path,
        *,
        apis: int,
        workers: int,
        dispatchers: int = 0,
        environment: dict[str, str] | None = None,
    ) -> None:
        """environment: further settings of every process."""
        self.directory = directory
        self.audio = directory / "audio"
        self.logs = directory / "logs"
        self.journals = directory / "journals"
        self.journal = Journal(self.journals, "harness")
        self._armed = directory / "armed"
        self._armed.mkdir(parents=True)
        self._environment = environment or {}
        self._faults = Counter()
        self._proxies: dict[str, Proxy] = {}
        self._metrics_ports: list[int] = []
        self._server = _on_low_port(prepare(directory / "redis"), directory / "redis" / "server.conf")
        self.redis = Redis.from_url(
            self._server.url, decode_responses=True, socket_timeout=PROBE_SECONDS, protocol=2
        )
        self._keeper = Keeper(self.journal, self.logs)
        self._keeper.add(
            Member(name=REDIS, command=self._server.command, environment={**os.environ}, is_ready=self._pings)
        )
        self.api_urls = [self._add_api(f"api-{number}") for number in range(1, apis + 1)]
        for number in range(1, workers + 1):
            self._add_worker(f"worker-{number}")
        for number in range(1, dispatchers + 1):
            self._add_dispatcher(f"dispatcher-{number}")

    @property
    def workers(self) -> list[str]:
        """The names of those that are wanted."""
        return [member.name for member in self._keeper.members("worker")]

    @property
    def apis(self) -> list[str]:
        return [member.name for member in self._keeper.members("api")]

    @property
    def dispatchers(self) -> list[str]:
        return [member.name for member in self._keeper.members("dispatcher")]

    @property
    def redis_url(self) -> str:
        """The server itself, behind no proxy."""
        return self._server.url

    @property
    def faults(self) -> int:
        """How many have begun; those at crash points are not counted here."""
        return self._faults.count

    def records(self) -> list[Record]:
        """All journals so far, by time."""
        return read_journals(self.journals)

    def await_ready(self, prefix: str = "") -> None:
        """Until everything (or everything whose name begins so) answers."""
        eventually(lambda: self._keeper.are_ready(prefix))

    def is_ready(self, name: str) -> bool:
        """Whether it answers now."""
        member = self._keeper[name]
        return member.pid is not None and not member.is_frozen and member.is_ready()

    def pid(self, name: str) -> int | None:
        return self._keeper[name].pid

    def in_hand(self, name: str, *, pid: int | None = None) -> list[str]:
        """The jobs that a worker has claimed and not finished, by its journal; pid: of one before it."""
        held: dict[str, None] = {}
        for record in read_journal(self.journals, name, pid or self.pid(name)):
            if record["event"] == "claimed":
                held[record["job"]] = None
            elif record["event"] in ("finished", "released"):
                held.pop(record["job"], None)
        return list(held)

    def kill(self, name: str, *, down_seconds: float = 0.0) -> None:
        """kill -9; it starts again."""
        kind = KILLS[name.partition("-")[0]]
        number = self._begin(kind, name, pid=self.pid(name))
        self._keeper.kill(name, down_seconds=down_seconds)
        self._journal_up(number, kind, name)

    def terminate(self, name: str, *, grace_seconds: float = 40.0) -> None:
        """SIGTERM; SIGKILL once the grace is over; it starts again."""
        number = self._begin("sigterm", name, pid=self.pid(name))
        self._keeper.terminate(name, grace_seconds=grace_seconds)
        self._journal_up(number, "sigterm", name)

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """SIGSTOP, and SIGCONT at the end: for longer than a lease, a zombie."""
        pid = self.pid(name)
        number = self._begin("freeze", name, pid=pid)
        self._keeper.signal(name, signal.SIGSTOP)
        try:
            yield
        finally:
            if self.pid(name) == pid:
                self._keeper.signal(name, signal.SIGCONT)
            self._end(number, "freeze", name)

    def thaw(self, name: str) -> None:
        """SIGCONT, to one that has frozen itself at a point."""
        self._keeper.signal(name, signal.SIGCONT)

    @contextmanager
    def cut_off(self, name: str) -> Iterator[None]:
        """A black hole between this process and Redis."""
        yield from self._broken(name, "black_hole", self._proxies[name].black_hole)

    @contextmanager
    def refused(self, name: str) -> Iterator[None]:
        """Nobody answers this process at Redis' port."""
        yield from self._broken(name, "refuse", self._proxies[name].refuse)

    @contextmanager
    def slowed(self, name: str, seconds: float) -> Iterator[None]:
        """So much longer, either way, between this process and Redis."""
        yield from self._broken(name, "latency", lambda: self._proxies[name].slow(seconds))

    def reset(self, name: str) -> None:
        """A RST to all its connections."""
        number = self._begin("reset", name, pid=self.pid(name))
        self._proxies[name].reset()
        self._end(number, "reset", name)

    def strand(self, name: str) -> None:
        """Its connections of now are dead and do not know; new ones pass."""
        number = self._begin("half_open", name, pid=self.pid(name))
        self._proxies[name].strand()
        self._end(number, "half_open", name)

    def arm(self, point: str, number: signal.Signals = signal.SIGKILL) -> Path:
        """Let the first process send itself this that comes to this point; the file is gone then."""
        return arm(self._armed, point, number)

    def disarm(self) -> None:
        """Nobody dies any more at any point."""
        for file in self._armed.iterdir():
            file.unlink(missing_ok=True)

    @contextmanager
    def doorbells(self, kind: str) -> Iterator[int]:
        """A fault of the broker's lists, by its name; what it does is the caller's."""
        number = self._begin(kind, "broker", pid=None)
        try:
            yield number
        finally:
            self._end(number, kind, "broker")

    def scale_workers(self, count: int, *, grace_seconds: float = 40.0) -> None:
        """So many workers from now on. Those that are too many get SIGTERM and are not started again."""
        names = self.workers
        for name in names[count:]:
            number = self._begin("sigterm", name, pid=self.pid(name))
            self._keeper.forget(name)
            self._keeper.terminate(name, grace_seconds=grace_seconds)
            self._end(number, "sigterm", name)
        taken = {name.rpartition("-")[2] for name in self._proxies}
        fresh = (str(number) for number in range(1, 1_000) if str(number) not in taken)
        for _ in range(count - len(names)):
            self._add_worker(f"worker-{next(fresh)}")

    def are_as_many_as_wanted(self) -> bool:
        """Whether all that are wanted answer, and all that are not have gone."""
        return self._keeper.are_ready() and not self._keeper.unwanted()

    def heal(self) -> None:
        """Mend every way."""
        for proxy in self._proxies.values():
            proxy.heal()

    def audio_left(self) -> list[str]:
        """What is in the audio directory after the product's own sweeps, less the wait for them."""
        settings = Settings(redis_url=self._server.url, audio_dir=self.audio, orphan_seconds=1e-6)
        jobs = RedisJobStore(self.redis, Keys())
        pictures = DirectoryPictureStore(self.audio)
        caretaker = AudioCaretaker(jobs, DirectoryAudioStore(self.audio), settings, pictures=pictures)
        caretaker.sweep_spent(older_seconds=0)
        caretaker.sweep_orphans()
        caretaker.sweep_pictures()
        return sorted(path.name for path in self.audio.iterdir())

    def leftovers(self) -> dict[str, int]:
        """How many ids the indices of unfinished jobs hold: none, once all have ended."""
        keys = Keys()
        return {key: self.redis.zcard(key) for key in (keys.active, keys.running, keys.rung)}

    def stop(self) -> None:
        """Kill everything."""
        self._keeper.stop()
        for proxy in self._proxies.values():
            proxy.close()
        self.redis.close()
        for port in self._metrics_ports:
            shutil.rmtree(f"/dev/shm/genrewiz-{os.getuid()}-127.0.0.1-{port}", ignore_errors=True)

    def _broken(self, name: str, kind: str, breaks: "object") -> Iterator[None]:
        number = self._begin(kind, name, pid=self.pid(name))
        breaks()  # type: ignore[operator]
        try:
            yield
        finally:
            self._proxies[name].heal()
            self._end(number, kind, name)

    def _begin(self, kind: str, name: str, *, pid: int | None) -> int:
        number = self._faults.next()
        self.journal.write("fault", number=number, kind=kind, target=name, target_pid=pid)
        return number

    def _end(self, number: int, kind: str, name: str) -> None:
        self.journal.write("fault_over", number=number, kind=kind, target=name)

    def _journal_up(self, number: int, kind: str, name: str) -> None:
        """Who was killed is back when it says so itself; of Redis only we can."""
        if name != REDIS:
            return
        eventually(self._pings)
        self._end(number, kind, name)

    def _add_api(self, name: str) -> str:
        port, metrics_port = free_port(), free_port()
        self._metrics_ports.append(metrics_port)
        environment = self._of(name) | {
            "GENREWIZ_PORT": str(port),
            "GENREWIZ_API_METRICS_PORT": str(metrics_port),
            "GENREWIZ_API_WORKERS": "1",
        }
        command = [sys.executable, "-m", "gunicorn", "--config", str(GUNICORN_CONFIG)]
        url = f"http://127.0.0.1:{port}"
        self._keeper.add(
            Member(name=name, command=command, environment=environment, is_ready=_answers(f"{url}/readyz"))
        )
        return url

    def _add_worker(self, name: str) -> None:
        metrics_port = free_port()
        environment = self._of(name) | {
            "GENREWIZ_WORKER_METRICS_PORT": str(metrics_port),
            "GENREWIZ_CONCURRENCY": "1",
            "GENREWIZ_FETCH_CONCURRENCY": "1",
            "GENREWIZ_DEVICE": "cpu",
        }
        environment |= {key: value for key, value in self._environment.items() if key in environment}
        self._keeper.add(
            Member(
                name=name,
                command=[sys.executable, "-m", "faults.worker_process"],
                environment=environment,
                is_ready=_answers(f"http://127.0.0.1:{metrics_port}/readyz"),
            )
        )

    def _add_dispatcher(self, name: str) -> None:
        metrics_port = free_port()
        self._keeper.add(
            Member(
                name=name,
                command=[sys.executable, "-m", "faults.dispatcher_process"],
                environment=self._of(name) | {"GENREWIZ_DISPATCHER_METRICS_PORT": str(metrics_port)},
                is_ready=_answers(f"http://127.0.0.1:{metrics_port}/readyz"),
            )
        )

    def _of(self, name: str) -> dict[str, str]:
        proxy = Proxy(free_port(), self._server.port)
        self._proxies[name] = proxy
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "tests")]),
            "PYTHONUNBUFFERED": "1",
            "PYTHONFAULTHANDLER": "1",
            "GENREWIZ_REDIS_URL": self._server.url.replace(f":{self._server.port}/", f":{proxy.port}/"),
            "GENREWIZ_AUDIO_DIR": str(self.audio),
            "GENREWIZ_RESULT_CACHE": "false",  # a result that was there already tells nothing of recovery
            "GENREWIZ_LOG_FORMAT": "console",
            "GENREWIZ_RATE_LIMIT": "",
            "FAULTS_JOURNAL": str(self.journals),
            "FAULTS_NAME": name,
            "FAULTS_ARMED": str(self._armed),
            **self._environment,
        }

    def _pings(self) -> bool:
        try:
            return bool(self.redis.ping())
        except RedisError:
            return False


@contextmanager
def fleet_running(
    directory: Path | None = None,
    *,
    apis: int = 1,
    workers: int = 2,
    dispatchers: int = 0,
    environment: dict[str, str] | None = None,
) -> Iterator[Fleet]:
    """A fleet that is up; killed at the end. Its folder goes too, where none was given."""
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as own:
        fleet = Fleet(
            directory or Path(own),
            apis=apis,
            workers=workers,
            dispatchers=dispatchers,
            environment=environment,
        )
        try:
            fleet.await_ready()
            yield fleet
        except BaseException:
            for log in sorted(fleet.logs.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-6_000:]}")
            raise
        finally:
            fleet.stop()


def _on_low_port(server: EmbeddedServer, config: Path) -> EmbeddedServer:
    """The same server on a port that no outgoing connection takes while it is dead."""
    port = free_port()
    config.write_text(config.read_text().replace(f"port {server.port}\n", f"port {port}\n"))
    return EmbeddedServer(
        command=server.command, url=server.url.replace(f":{server.port}/", f":{port}/"), port=port
    )


def _answers(url: str):
    def is_ready() -> bool:
        try:
            return httpx.get(url, timeout=PROBE_SECONDS, trust_env=False).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    return is_ready
