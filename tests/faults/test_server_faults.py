"""What becomes of jobs when their server loses its power, its clock, its memory or its disk."""

import random
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

from shared.errors import StoreUnavailable, UnknownJob
from shared.job import JobId, JobStatus
from shared.names import RECOVERED_QUEUE
from shared.reaper import Reaper
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.settings import Settings
from shared.transitions import Hold, Verdict
from support.fake_clock import FakeClock
from support.jobs import failure, new_job, success
from support.power_cut import Written, cut_power, need_strace, traced, written
from support.redis_server import RedisServer, redis_serving
from support.service import serving
from support.waiting import eventually

LEASE_SECONDS = 15
HOUR_SECONDS = 3_600
CLIENTS = 6
SEEDS = (1, 2, 3)
SONG = Path(__file__).parents[2] / "api" / "static" / "samples" / "nightdrive.mp3"


class Journal:
    """What the server has acknowledged: kept outside of it."""

    def __init__(self) -> None:
        self.accepted: list[JobId] = []
        self.finished: list[JobId] = []
        self._numbers = count(1)
        self._lock = threading.Lock()

    def next_number(self) -> int:
        with self._lock:
            return next(self._numbers)

    def missing(self, jobs: RedisJobStore) -> tuple[set[JobId], set[JobId]]:
        """Jobs that the server does not have, and ends that it does not remember."""
        known = {job_id: status(jobs, job_id) for job_id in self.accepted}
        lost = {job_id for job_id, found in known.items() if found is None}
        undone = {job_id for job_id in self.finished if known.get(job_id) != JobStatus.SUCCEEDED}
        return lost, undone - lost


def status(jobs: RedisJobStore, job_id: JobId) -> JobStatus | None:
    try:
        return jobs.get(job_id).status
    except UnknownJob:
        return None


@contextmanager
def under_load(server: RedisServer, journal: Journal) -> Iterator[None]:
    """Clients that accept jobs, and finish every third one, until the server is gone."""

    def client() -> None:
        with server.client() as redis, suppress(StoreUnavailable):
            jobs = RedisJobStore(redis, Keys())
            while True:
                new = new_job(journal.next_number(), result_ttl_seconds=7 * 24 * HOUR_SECONDS)
                jobs.accept(new)
                journal.accepted.append(new.id)
                if int(new.id[-1], 16) % 3 == 0:
                    lease = jobs.claim(new.id, owner=new.id, lease_seconds=LEASE_SECONDS).lease
                    assert jobs.finish(lease, success())
                    journal.finished.append(new.id)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


def lost_at_a_power_cut(directory: Path, seed: int, *lines: str) -> tuple[set[JobId], set[JobId]]:
    """Load, a power cut at a random moment, a start: what was acknowledged and is not there any more."""
    chance, journal, trace = random.Random(seed), Journal(), directory / "trace"
    with RedisServer(directory / "redis", *lines) as server:
        server.start(before=traced(trace))
        with under_load(server, journal):
            eventually(lambda: written(trace.read_text()).synced)
            wanted = len(journal.accepted) + chance.randint(50, 250)
            eventually(lambda: len(journal.accepted) >= wanted)
            cut_power(server, trace, chance)

        server.start()

        with server.client() as redis:
            return journal.missing(RedisJobStore(redis, Keys()))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_power_cut_takes_back_nothing_that_was_acknowledged(tmp_path, seed):
    need_strace()

    assert lost_at_a_power_cut(tmp_path, seed) == (set(), set())


def test_the_same_power_cut_is_seen_to_take_jobs_back_where_the_server_syncs_once_a_second(tmp_path):
    need_strace()

    lost = [lost_at_a_power_cut(tmp_path / str(seed), seed, "appendfsync everysec")[0] for seed in SEEDS]

    assert any(lost)


def test_a_write_counts_as_kept_only_when_a_sync_that_began_behind_it_has_returned():
    aof = "7</d/appendonly.aof.1.incr.aof>"
    lines = [
        f'1 write({aof}, ""..., 10) = 10',
        f"2 fdatasync({aof} <unfinished ...>",
        f'1 write({aof}, ""..., 5 <unfinished ...>',
        "1 <... write resumed>) = 5",
        "2 <... fdatasync resumed>) = 0",
        f"2 fdatasync({aof}) = -1 EIO (Input/output error)",
        f"2 fdatasync({aof} <unfinished ...>",
        '3 write(9<socket:[1]>, ""..., 99) = 99',
        "2 +++ killed by SIGKILL +++",
    ]

    assert written("\n".join(lines)) == Written(in_all=15, synced=10)


def test_a_record_that_was_cut_in_its_middle_costs_none_before_it(tmp_path):
    with redis_serving(tmp_path) as server:
        with server.client() as redis:
            jobs = RedisJobStore(redis, Keys())
            for number in range(1, 4):
                jobs.accept(new_job(number))
        server.kill()
        file = server.append_only_file()
        whole = file.read_bytes()
        last = whole[whole.rindex(b"*1\r\n$5\r\nMULTI") :]
        file.write_bytes(whole + last[: len(last) // 2])

        server.start()

        with server.client() as redis:
            jobs = RedisJobStore(redis, Keys())
            assert jobs.depths().queued == 3
            jobs.accept(new_job(4))


class Doorbells:
    """Remembers who rang."""

    def __init__(self) -> None:
        self.rung: list[tuple[str, str]] = []

    def ring(self, job_id, broker_queue) -> None:
        self.rung.append((job_id, broker_queue))


def make_reaper(
    jobs: RedisJobStore, directory: Path, doorbells: Doorbells, on_sweep=lambda _: None
) -> Reaper:
    settings = Settings(audio_dir=directory / "audio")
    return Reaper(jobs=jobs, doorbell=doorbells, settings=settings, on_sweep=on_sweep)


@pytest.fixture
def clock(tmp_path) -> FakeClock:
    return FakeClock(tmp_path / "clock")


@pytest.fixture
def faked(tmp_path, clock) -> Iterator[RedisServer]:
    """A server whose clock the test sets."""
    with redis_serving(tmp_path / "redis", environment=clock.environment()) as server:
        yield server


def accepted(jobs: RedisJobStore, number: int) -> JobId:
    return jobs.accept(new_job(number, result_ttl_seconds=7 * 24 * HOUR_SECONDS)).job.id


def claimed(jobs: RedisJobStore, job_id: JobId, owner: str):
    return jobs.claim(job_id, owner=owner, lease_seconds=LEASE_SECONDS).lease


def test_a_clock_that_jumps_an_hour_ahead_makes_leases_lapse_and_ends_nothing_twice(tmp_path, clock, faked):
    doorbells = Doorbells()
    with faked.client() as redis:
        jobs = RedisJobStore(redis, Keys())
        running, finished, waiting = (accepted(jobs, number) for number in (1, 2, 3))
        slow = claimed(jobs, running, "slow")
        assert jobs.finish(claimed(jobs, finished, "w"), success())
        reaper = make_reaper(jobs, tmp_path, doorbells)

        clock.jump(redis, HOUR_SECONDS)
        reaper.sweep()
        again = claimed(jobs, running, "quick")

        assert (running, RECOVERED_QUEUE) in doorbells.rung
        assert jobs.finish(again, success())
        assert not jobs.finish(slow, success())
        assert jobs.get(finished).attempt == 1
        assert jobs.get(running).attempt == 2
        assert jobs.get(waiting).status is JobStatus.QUEUED


def test_a_clock_that_jumps_back_delays_recovery_by_the_jump_and_no_more(tmp_path, clock, faked):
    doorbells = Doorbells()
    with faked.client() as redis:
        jobs = RedisJobStore(redis, Keys())
        lost, kept = accepted(jobs, 1), accepted(jobs, 2)
        dead, alive = claimed(jobs, lost, "dead"), claimed(jobs, kept, "alive")
        reaper = make_reaper(jobs, tmp_path, doorbells)

        clock.jump(redis, -60)
        reaper.sweep()

        assert jobs.renew(alive, lease_seconds=LEASE_SECONDS) is Hold.KEPT
        assert jobs.claim(lost, owner="eager", lease_seconds=LEASE_SECONDS).verdict is Verdict.LEASED
        assert doorbells.rung == []

        clock.jump(redis, LEASE_SECONDS + 1)  # the renewed lease is one of the new time: it has no delay
        reaper.sweep()

        assert [job_id for job_id, _ in doorbells.rung] == [kept]

        clock.jump(redis, 60)
        reaper.sweep()

        assert (lost, RECOVERED_QUEUE) in doorbells.rung
        assert jobs.finish(claimed(jobs, lost, "next"), success())
        assert not jobs.finish(dead, success())


def test_a_job_that_is_accepted_before_a_jump_back_ends_once_and_its_times_can_be_read(clock, faked):
    with faked.client() as redis:
        jobs = RedisJobStore(redis, Keys())
        job_id = accepted(jobs, 1)

        clock.jump(redis, -60)
        lease = claimed(jobs, job_id, "w")

        assert jobs.finish(lease, success())
        assert jobs.finish(lease, success())  # the first answer was lost
        job = jobs.get(job_id)
        assert (job.status, job.attempt) == (JobStatus.SUCCEEDED, 1)
        assert job.finished_at < job.accepted_at


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_the_clock_does_each_job_ends_exactly_once(tmp_path, clock, faked, seed):
    chance, doorbells, ends = random.Random(seed), Doorbells(), Counter()
    swept: list[int] = []
    with faked.client() as redis:
        jobs = RedisJobStore(redis, Keys())
        ids = [accepted(jobs, number) for number in range(1, 21)]
        reaper = make_reaper(jobs, tmp_path, doorbells, lambda sweep: swept.append(sweep.failed))
        leases = []

        while jobs.depths().queued + jobs.depths().running:
            clock.jump(redis, chance.choice([0.5, 20, 20, HOUR_SECONDS, -5, -60]))
            reaper.sweep()
            for job_id in chance.sample(ids, 6):
                claim = jobs.claim(job_id, owner=f"{chance.random()}", lease_seconds=LEASE_SECONDS)
                ends[job_id] += claim.verdict is Verdict.EXHAUSTED
                leases += [claim.lease] if claim.lease else []
            for lease in chance.sample(leases, len(leases) // 5):  # the others are slow, or dead
                leases.remove(lease)
                if jobs.finish(lease, success()):
                    ends[lease.job_id] += 1 + jobs.finish(lease, failure())

        for lease in leases:
            ends[lease.job_id] += jobs.finish(lease, success())
        assert max(ends.values()) == 1
        assert ends.total() + sum(swept) == len(ids)
        assert {status(jobs, job_id) for job_id in ids} == {JobStatus.SUCCEEDED, JobStatus.FAILED}


def test_a_server_without_memory_accepts_nothing_and_ends_what_it_has_accepted(tmp_path):
    with redis_serving(tmp_path / "redis") as server, server.client() as redis:
        jobs = RedisJobStore(redis, Keys())
        running, waiting = accepted(jobs, 1), accepted(jobs, 2)
        lease = claimed(jobs, running, "w")
        redis.config_set("maxmemory", 1)

        with pytest.raises(StoreUnavailable):
            accepted(jobs, 3)
        # What would make room goes on.
        assert jobs.renew(lease, lease_seconds=LEASE_SECONDS) is Hold.KEPT
        assert jobs.finish(lease, success())
        lost = claimed(jobs, waiting, "lost")
        assert jobs.release(lost) is not None
        assert jobs.finish(claimed(jobs, waiting, "w"), success())

        redis.config_set("maxmemory", 0)
        assert accepted(jobs, 3)


def test_the_service_outlives_a_full_server_with_every_job_that_it_had_accepted(tmp_path):
    song = SONG.read_bytes()
    quick = {
        "GENREWIZ_LEASE_SECONDS": "4", "GENREWIZ_HEARTBEAT_SECONDS": "1", "GENREWIZ_RERING_SECONDS": "2"
    }  # fmt: skip
    with redis_serving(tmp_path / "redis") as server, server.client() as redis:
        with serving(tmp_path, **quick, GENREWIZ_REDIS_URL=server.url) as service:
            ids = [service.submit(f"{number}.mp3", song) for number in range(20)]
            worker = service.pid_of("worker")

            redis.config_set("maxmemory", 1)

            assert service.post("late.mp3", song).status_code == 503
            eventually(lambda: service.pid_of("worker") != worker)  # Celery gives up on such a server
            assert {service.get(job_id)["status"] for job_id in ids} <= {"queued", "running", "succeeded"}

            redis.config_set("maxmemory", 0)

            answers = [service.finished(job_id) for job_id in ids]
            service.http.close()  # an idle connection holds up the stop
        assert Counter(job["status"] for job in answers) == {"succeeded": len(ids)}


def test_a_disk_that_is_full_costs_no_job_that_was_acknowledged(tmp_path):
    journal = Journal()
    with RedisServer(tmp_path / "redis", restore_signals=False) as server:  # else SIGXFSZ ends it
        server.start()
        with server.client() as redis:
            RedisJobStore(redis, Keys()).accept(new_job(0))
        size = server.append_only_file().stat().st_size
        limit = size + 100_123  # room for some jobs, and for a part of the next
        subprocess.run(["prlimit", "--pid", str(server.pid), f"--fsize={limit}"], check=True)
        with under_load(server, journal):
            eventually(lambda: server.process.poll() is not None)
        assert journal.accepted

        server.start()

        with server.client() as redis:
            jobs = RedisJobStore(redis, Keys())
            assert journal.missing(jobs) == (set(), set())
            assert jobs.finish(claimed(jobs, accepted(jobs, journal.next_number()), "w"), success())
