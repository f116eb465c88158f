"""What a 202 rests on: the audio is on disk, with its name, before the store hears of the job."""

import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from support.api_server import api_serving
from support.jobs import new_job

CALLS = "trace=fsync,fdatasync,rename,renameat,renameat2,sendto,sendmsg,write,writev"


@pytest.fixture(scope="module")
def api(redis_url, tmp_path_factory):
    with api_serving(tmp_path_factory.mktemp("api"), redis_url, GENREWIZ_API_WORKERS="1") as api:
        yield api


class Watched:
    """The system calls of a process and of its threads, as they begin and end."""

    def __init__(self, pid: int, log: Path) -> None:
        self._log = log
        self._process = subprocess.Popen(
            ["strace", "-f", "-y", "-s", "4096", "-e", CALLS, "-p", str(pid), "-o", str(log)],
            stderr=subprocess.PIPE,
            text=True,
        )

    def attach(self) -> None:
        said = self._process.stderr.readline()
        if "attached" not in said:
            self.end()
            pytest.skip(f"nobody may trace here: that audio is synced before accept was not covered ({said})")

    def end(self) -> list[str]:
        self._process.send_signal(signal.SIGINT)
        self._process.wait()
        return self._log.read_text().splitlines() if self._log.exists() else []


def ended_at(lines: list[str], call: str) -> int:
    """The line in which the first such call has returned 0, also where those of others stand between."""
    begun = next(at for at, line in enumerate(lines) if re.search(call, line))
    if "<unfinished" not in lines[begun]:
        assert lines[begun].endswith("= 0")
        return begun
    thread, name = lines[begun].split()[0], re.search(r"(\w+)\(", lines[begun]).group(1)
    resumed = rf"^{thread}\s.*<\.\.\. {name} resumed>.*= 0$"
    return next(at for at, line in enumerate(lines) if at > begun and re.search(resumed, line))


def test_audio_and_its_name_are_synced_before_the_store_hears_of_the_job(api, redis, jobs, tmp_path):
    if not shutil.which("strace"):
        pytest.skip("no strace: that audio is synced before accept was not covered")
    jobs.accept(new_job())  # so that the server knows the script, and it is called by its hash
    script = jobs._scripts["accept"].sha
    [worker] = api.workers()
    watched = Watched(worker, tmp_path / "calls")
    watched.attach()

    job_id = api.post().json()["id"]

    lines = watched.end()
    part, folder = re.escape(f"{api.audio}/.{job_id}.part"), re.escape(str(api.audio))
    file_synced = ended_at(lines, rf"f(data)?sync\(\d+<{part}>")
    named = ended_at(lines, rf"rename\w*\(.*{job_id}\.part.*{job_id}\"")
    name_synced = ended_at(lines, rf"fsync\(\d+<{folder}>")
    accepted = next(at for at, line in enumerate(lines) if script in line and job_id in line)
    assert file_synced < named < name_synced < accepted
    answered = next(at for at, line in enumerate(lines) if "HTTP/1.1 202" in line)
    assert accepted < answered
