"""The service as a whole: many jobs, lost processes, stopping and starting again."""

import os
import signal
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.service import Service, alive, children, genrewiz, serving
from support.waiting import eventually

MANY = 200
IN_HAND = len(os.sched_getaffinity(0))  # songs of a worker at any time


@pytest.fixture
def own_service(tmp_path):
    """A service of the test's own, to be hurt."""
    with serving(tmp_path / "data") as service:
        yield service


def statuses(service: Service, ids: list[str]) -> Counter:
    return Counter(service.get(job_id)["status"] for job_id in ids)


def test_two_hundred_jobs_posted_at_once_all_succeed(service: Service, sample):
    with ThreadPoolExecutor(20) as pool:
        ids = list(pool.map(lambda number: service.submit(f"{number}.mp3", sample), range(MANY)))

    answers = [service.finished(job_id) for job_id in ids]

    assert Counter(job["status"] for job in answers) == {"succeeded": MANY}
    assert len({str(job["result"]) for job in answers}) == 1


def test_killing_the_worker_in_the_middle_loses_no_job(own_service: Service, sample):
    ids = [own_service.submit(f"{number}.mp3", sample) for number in range(MANY)]
    first = own_service.pid_of("worker")
    eventually(lambda: statuses(own_service, ids)["succeeded"] >= 5)

    os.kill(first, signal.SIGKILL)

    answers = [own_service.finished(job_id) for job_id in ids]
    assert Counter(job["status"] for job in answers) == {"succeeded": MANY}
    assert own_service.pid_of("worker") != first
    assert max(job["attempt"] for job in answers) <= 2


@pytest.mark.parametrize(("role", "left"), [("api", 0), ("dispatcher", 0), ("redis", IN_HAND)])
def test_a_process_that_is_killed_comes_back_and_nothing_is_lost(
    own_service: Service, sample, role, left, tmp_path
):
    ids = [own_service.submit(f"{number}.mp3", sample) for number in range(10)]

    own_service.kill(role)

    eventually(lambda: statuses(own_service, ids)["succeeded"] == len(ids))
    assert eventually(lambda: own_service.classify("after.mp3", sample))["status"] == "succeeded"
    # A worker that cannot know whether its job has finished leaves the audio to the reaper, for an hour.
    eventually(lambda: len(list((tmp_path / "data" / "audio").iterdir())) <= left)


def test_jobs_that_wait_when_the_service_stops_are_done_after_the_next_start(tmp_path, sample):
    with serving(tmp_path / "data") as service:
        ids = [service.submit(f"{number}.mp3", sample) for number in range(30)]
        service.process.terminate()
        assert service.process.wait() == 0

    with serving(tmp_path / "data") as service:
        answers = [service.finished(job_id) for job_id in ids]

    assert Counter(job["status"] for job in answers) == {"succeeded": 30}


def test_to_stop_the_service_stops_every_process(tmp_path):
    with serving(tmp_path / "data") as service:
        family = children(service.process.pid)

        service.process.send_signal(signal.SIGINT)

        assert service.process.wait() == 0
    assert len(family) == 4
    assert not any(Path(f"/proc/{pid}").exists() for pid in family)


def test_to_kill_the_service_leaves_no_orphans(tmp_path):
    with serving(tmp_path / "data") as service:
        family = children(service.process.pid)

        service.process.kill()
        service.process.wait()

    eventually(lambda: not any(alive(pid) for pid in family))


def test_two_services_cannot_share_a_directory(own_service: Service, tmp_path):
    done = refused("--data", str(tmp_path / "data"))

    assert "Another genrewiz serves from" in done.stderr


def test_a_port_that_is_taken_is_named_with_the_way_out(service: Service, tmp_path):
    port = service.url.rpartition(":")[2]

    done = refused("--data", str(tmp_path), "--port", port)

    assert "--port" in done.stderr


def test_a_wrong_setting_is_one_line_that_names_it(tmp_path):
    done = refused("--data", str(tmp_path), GENREWIZ_DEVICE="abacus")

    assert "GENREWIZ_DEVICE" in done.stderr


def refused(*options: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    ports = ["--api-metrics-port", "0", "--worker-metrics-port", "0", "--dispatcher-metrics-port", "0"]
    if "--port" not in options:
        ports += ["--port", "0"]
    done = genrewiz("serve", *ports, *options, **environment)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done


def test_the_demo_prints_a_genre_and_exits_with_zero():
    done = genrewiz("demo")

    assert done.returncode == 0, done.stderr
    assert "nightdrive.mp3: " in done.stdout
    assert "%" in done.stdout


def test_doctor_finds_nothing_wrong_here():
    done = genrewiz("doctor")

    assert done.returncode == 0, done.stdout
    assert "FAIL" not in done.stdout


def test_doctor_says_what_is_wrong():
    done = genrewiz("doctor", GENREWIZ_REDIS_URL="redis://127.0.0.1:1/0")

    assert done.returncode == 1
    assert "FAIL  redis" in done.stdout
