"""Decoding behind walls: what a file that has taken the decoder over gets, and what its neighbours notice."""

import ctypes
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from fuzz.campaign import SEEDS

from shared.errors import (
    AudioTooLong,
    CorruptAudio,
    DecodeCrashed,
    DecodeTimeout,
    JobFailure,
    SetupError,
    UnsupportedFormat,
)
from support.audio import encode, music_like, noise
from support.evil import NONSENSE, song
from support.service import alive, children
from support.waiting import eventually
from worker.decode import decode
from worker.sandbox.client import DecodeSandbox
from worker.sandbox.limits import DecodeLimits
from worker.song import AudioFacts

RATE = 22_050
FILES, NETWORK, CALLS = "leave_files", "leave_network", "limit_system_calls"
RESOURCES, ROOT, PRIVILEGES = "limit_resources", "leave_root", "forbid_new_privileges"
WALLS = {FILES, NETWORK, CALLS, RESOURCES, ROOT}
REPORTED = {FILES: "no files", NETWORK: "no network", CALLS: "few system calls"}
SONG = encode(music_like(seconds=5, channels=2), "flac16")


def limits(**changes: float) -> DecodeLimits:
    return DecodeLimits(
        **{"max_seconds": 60.0, "memory_bytes": 2**29, "cpu_seconds": 30, "wait_seconds": 60.0} | changes
    )


@contextmanager
def sandbox(*without: str, **changes: float) -> Iterator[DecodeSandbox]:
    program = ["-m", "support.evil", *(part for wall in without for part in ("--without", wall))]
    with DecodeSandbox(sample_rate=RATE, limits=limits(**changes), program=program) as opened:
        yield opened


@pytest.fixture(scope="module")
def walled() -> Iterator[DecodeSandbox]:
    with sandbox() as opened:
        yield opened


def whole(opened: DecodeSandbox, file: bytes) -> tuple[np.ndarray, AudioFacts]:
    decoding = opened.decode(io.BytesIO(file))
    pieces = []
    while True:
        try:
            pieces.append(next(decoding).waveform)
        except StopIteration as end:
            return np.concatenate([np.zeros(0, np.float32), *pieces]), end.value


def got(opened: DecodeSandbox, attack: str, *arguments: object) -> str:
    """What an attack says that it got."""
    with pytest.raises(CorruptAudio) as error:
        whole(opened, song(attack, *arguments))
    return error.value.detail


def ending(opened: DecodeSandbox, file: bytes) -> type[JobFailure] | None:
    try:
        whole(opened, file)
    except JobFailure as error:
        return type(error)
    return None


def is_well(opened: DecodeSandbox) -> bool:
    return whole(opened, SONG)[1].codec == "flac"


# What comes out is what decoding gives


@pytest.mark.parametrize("kind", ["wav16", "mp3", "flac24", "ogg", "m4a", "wma"])
def test_a_song_comes_out_bit_for_bit_as_decoded_in_this_process(walled, kind):
    file = encode(music_like(seconds=7, channels=2), kind)
    here = decode(io.BytesIO(file), sample_rate=RATE, max_seconds=60)

    waveform, facts = whole(walled, file)

    assert np.array_equal(waveform, here.waveform)
    assert vars(facts) == {name: value for name, value in vars(here).items() if name != "waveform"}


def test_an_open_file_is_read_from_its_beginning_and_stays_open(walled, tmp_path):
    (tmp_path / "song").write_bytes(SONG)
    with (tmp_path / "song").open("rb") as file:
        file.read(100)
        pieces = list(walled.decode(file))

        assert pieces[-1].fraction == 1.0
        file.seek(0)
        assert file.read() == SONG


@pytest.mark.parametrize(
    ("file", "error"),
    [
        (b"dear diary, " * 100, UnsupportedFormat),
        (b"fLaC" + bytes(500), CorruptAudio),
        (encode(noise(seconds=61, sample_rate=8_000), "wav8", sample_rate=8_000), AudioTooLong),
    ],
    ids=["text", "corrupt", "long"],
)
def test_what_is_wrong_with_a_file_comes_out_with_its_sentence(walled, file, error):
    with pytest.raises(error) as inside:
        whole(walled, file)
    with pytest.raises(error) as here:
        decode(io.BytesIO(file), sample_rate=RATE, max_seconds=60)

    assert inside.value.detail == here.value.detail


@pytest.mark.parametrize("find", sorted(SEEDS.glob("*.bin")), ids=lambda path: path.stem)
def test_no_find_of_the_past_crashes_the_decoder(walled, find):
    assert ending(walled, find.read_bytes()) not in (DecodeCrashed, DecodeTimeout)


# Walls: each that should refuses an attack by itself, and without all of them the attack gets through


@dataclass(frozen=True)
class Attack:
    name: str
    argument: object
    refused_by: tuple[str, ...]  # each alone, where the kernel has it
    taken_out: tuple[str, ...]  # for it to get through
    answer: str  # then


@pytest.fixture
def attack(request, tmp_path, canary, victim) -> Attack:
    """A row of the table, with the places that it needs."""
    name, refused_by, taken_out, answer = request.param
    arguments = {
        "open": "/etc/passwd",
        "write": tmp_path / "canary",
        "connect": f"127.0.0.1-{canary.getsockname()[1]}",
        "kill": victim.pid,
        "trace": victim.pid,
        "bloat": 2**29,
    }
    return Attack(name, arguments.get(name, ""), refused_by, taken_out, answer)


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


@pytest.fixture
def victim() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


table = pytest.mark.parametrize(
    "attack",
    [
        ("open", (FILES, CALLS), (FILES, CALLS), "read 10 bytes"),
        ("write", (FILES, CALLS, RESOURCES), (FILES, CALLS, RESOURCES, ROOT), "wrote"),
        ("connect", (NETWORK, CALLS), (FILES, NETWORK, CALLS), "connected"),
        ("kill", (CALLS,), (FILES, CALLS, ROOT), "killed"),
        ("trace", (CALLS, FILES), (FILES, CALLS, ROOT, PRIVILEGES), "traced"),
        ("fork", (CALLS,), (CALLS, RESOURCES), "forked"),
        ("many_files", (RESOURCES,), (CALLS, RESOURCES), "100 more"),
        ("bloat", (RESOURCES,), (RESOURCES,), f"got {2**29} bytes"),
    ],
    indirect=True,
    ids=lambda row: row[0],
)


@table
def test_an_attack_is_refused_by_all_walls_and_by_each_that_should_alone(attack):
    with sandbox() as opened:
        standing = opened.wait_ready()
        assert is_refused(opened, attack)
    for wall in attack.refused_by:
        if standing.get(REPORTED.get(wall, ""), True):
            with sandbox(*WALLS - {wall}) as opened:
                assert is_refused(opened, attack), wall


@table
def test_without_its_walls_an_attack_gets_through(attack):
    # Some machines let no process trace another: then that is all there is to see.
    expected = attack.answer if attack.name != "trace" or may_trace(attack.argument) else "refused"
    with sandbox(*attack.taken_out) as opened:
        assert got(opened, attack.name, attack.argument).startswith(expected)


def may_trace(victim: object) -> bool:
    """Whether an ordinary process may, here."""
    script = f"from support.evil import ATTACKS; ATTACKS['trace']('{victim}')"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=False)
    return done.returncode == 0


def is_refused(opened: DecodeSandbox, attack: Attack) -> bool:
    try:
        return got(opened, attack.name, attack.argument).startswith("refused")
    except DecodeCrashed:
        return attack.name == "bloat"


def test_nothing_reached_the_canaries(walled, canary, tmp_path, victim):
    assert got(walled, "connect", f"127.0.0.1-{canary.getsockname()[1]}").startswith("refused")
    assert got(walled, "write", tmp_path / "canary").startswith("refused")
    assert got(walled, "kill", victim.pid).startswith("refused")

    with pytest.raises(BlockingIOError):
        canary.accept()
    assert not list(tmp_path.iterdir())
    assert victim.poll() is None


def test_the_song_that_is_read_cannot_be_written(walled, tmp_path):
    (tmp_path / "song").write_bytes(song("grow_song"))
    with (tmp_path / "song").open("r+b") as file, pytest.raises(CorruptAudio, match="refused"):
        list(walled.decode(file))

    assert (tmp_path / "song").read_bytes() == song("grow_song")


def test_few_system_calls_stand_wherever_their_numbers_are_known(walled):
    assert walled.wait_ready()["few system calls"]


def test_a_child_is_not_root_and_can_never_be():
    with sandbox(CALLS) as opened:  # which would refuse the question
        assert got(opened, "user") != "0"
        assert got(opened, "privileges") == "1"
    with sandbox(CALLS, PRIVILEGES, ROOT) as opened:
        assert got(opened, "user") == str(os.geteuid())
        assert got(opened, "privileges") == "0"


def test_nobody_looks_into_a_childs_memory_not_even_when_it_has_crashed():
    with sandbox(CALLS, ROOT) as opened:
        assert got(opened, "core") == "(0, 0)"
        assert got(opened, "dumpable") == "0"
    with sandbox(CALLS, ROOT, "hide_memory") as opened:
        assert got(opened, "dumpable") == "1"


def test_a_container_without_administrators_rights_loses_no_wall_that_any_user_has():
    script = (
        "from worker.sandbox.client import DecodeSandbox\n"
        "from worker.sandbox.limits import DecodeLimits\n"
        "limits = DecodeLimits(max_seconds=60, memory_bytes=2**29, cpu_seconds=60, wait_seconds=60)\n"
        "with DecodeSandbox(sample_rate=22050, limits=limits) as box: print(box.wait_ready()['no files'])\n"
    )
    as_in_a_container = ["setpriv", "--bounding-set", "-sys_admin"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*as_in_a_container, sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=True,
    )

    landlock = ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1) > 0  # its version
    assert done.stdout.strip() == str(landlock)


def test_a_child_holds_the_song_the_pipe_and_nothing_else(walled, monkeypatch):
    monkeypatch.setenv("GENREWIZ_REDIS_URL", "redis://:secret@127.0.0.1/0")
    with sandbox() as opened:
        assert "GENREWIZ" not in got(opened, "environment")
    assert got(walled, "descriptors") == "0 1 2 3 4"
    assert got(walled, "loaded") == "Corrupt audio."  # none of torch, redis, celery


# Children that die, hang or talk nonsense


@pytest.mark.parametrize(
    ("attack", "argument"), [("segfault", ""), ("abort", ""), ("exit", 0), ("exit", 3), ("surprise", "")]
)
@pytest.mark.parametrize("when", ["at once", "after a piece"])
def test_a_child_that_dies_is_one_typed_failure_and_the_next_song_is_decoded(walled, attack, argument, when):
    evil = song(attack, argument) if when == "at once" else song("piece-then", attack, argument)

    with pytest.raises(DecodeCrashed):
        whole(walled, evil)

    assert is_well(walled)


def test_a_child_that_needs_more_memory_than_the_limit_is_a_failure_that_says_so(walled):
    with pytest.raises(DecodeCrashed, match="memory"):
        whole(walled, song("bloat", 2**29))


def test_a_child_that_computes_without_end_is_stopped_at_its_limit_of_cpu():
    with sandbox(cpu_seconds=1) as opened:
        with pytest.raises(DecodeTimeout):
            whole(opened, song("loop"))

        assert is_well(opened)


@pytest.mark.parametrize(
    "evil", [song("sleep"), song("piece-then", "sleep")], ids=["at once", "after a piece"]
)
def test_a_child_that_sleeps_is_waited_for_no_longer_than_the_limit_and_is_gone_then(evil):
    with sandbox(wait_seconds=1.0) as opened:
        with pytest.raises(DecodeTimeout):
            whole(opened, evil)

        eventually(lambda: not children(opened.zygote_pid))
        assert is_well(opened)


def test_a_child_that_drips_is_waited_for_no_longer_than_the_limit_in_all():
    with sandbox(wait_seconds=1.0) as opened, pytest.raises(DecodeTimeout):
        whole(opened, song("drip"))


@pytest.mark.parametrize("samples", [0, 100])
def test_a_child_that_sends_next_to_nothing_without_end_is_a_failure(walled, samples):
    with pytest.raises(DecodeCrashed):
        whole(walled, song("pieces", samples))


def test_time_that_the_reader_takes_is_not_counted_as_waiting():
    with sandbox(wait_seconds=2.0) as opened:
        pieces = opened.decode(io.BytesIO(encode(noise(seconds=50), "wav16")))
        next(pieces)
        busy_until = time.monotonic() + 3
        while time.monotonic() < busy_until:
            pass

        assert list(pieces)


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_from_a_child_is_a_failure_of_its_song(walled, what):
    with pytest.raises(DecodeCrashed):
        whole(walled, song("say", what))

    assert is_well(walled)


def test_a_record_that_claims_gigabytes_takes_none(walled):
    tracemalloc.start()
    try:
        with pytest.raises(DecodeCrashed):
            whole(walled, song("say", "endless record"))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak_bytes < 2**26


def test_songs_among_crashing_ones_all_come_out_right(walled):
    expected, _ = whole(walled, SONG)
    files = [SONG, song("segfault"), SONG, song("exit", 1)] * 10

    def outcome(file: bytes) -> object:
        try:
            return whole(walled, file)[0]
        except DecodeCrashed as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(outcome, files))

    for file, result in zip(files, outcomes, strict=True):
        assert isinstance(result, DecodeCrashed) if file != SONG else np.array_equal(result, expected)


# The zygote


def test_a_child_nobody_waits_for_any_more_is_ended():
    with sandbox() as opened:
        decoding = opened.decode(io.BytesIO(song("piece-then", "sleep")))
        next(decoding)
        assert len(children(opened.zygote_pid)) == 1

        decoding.close()

        eventually(lambda: not children(opened.zygote_pid))


def test_another_zygote_takes_the_place_of_one_that_was_killed_and_no_song_notices():
    with sandbox() as opened:
        file = encode(music_like(seconds=50), "wav16")
        expected, _ = whole(opened, file)
        decoding = opened.decode(io.BytesIO(file))
        pieces = [next(decoding).waveform]
        killed = opened.zygote_pid
        os.kill(killed, signal.SIGKILL)

        pieces += [piece.waveform for piece in decoding]

        assert np.array_equal(np.concatenate(pieces), expected)
        assert opened.zygote_pid != killed


def test_a_zygote_that_was_killed_leaves_no_child_behind():
    with sandbox() as opened:
        decoding = opened.decode(io.BytesIO(song("piece-then", "sleep")))
        next(decoding)
        (child,) = children(opened.zygote_pid)
        os.kill(opened.zygote_pid, signal.SIGKILL)

        eventually(lambda: not alive(child))
        decoding.close()


def test_another_zygote_takes_the_place_of_one_that_hangs(monkeypatch):
    monkeypatch.setattr("worker.sandbox.child.BIRTH_SECONDS", 2.0)
    with sandbox() as opened:
        assert is_well(opened)
        hangs = opened.zygote_pid
        os.kill(hangs, signal.SIGSTOP)

        assert is_well(opened)
        assert opened.zygote_pid != hangs
        assert not alive(hangs)


def test_signals_that_stop_a_worker_leave_the_zygote_to_finish_its_songs(walled):
    zygote = walled.zygote_pid
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(zygote, number)

    assert is_well(walled)
    assert walled.zygote_pid == zygote


def test_a_zygote_that_cannot_start_is_one_clear_line():
    with (
        DecodeSandbox(sample_rate=RATE, limits=limits(), program=["-c", "raise SystemExit"]) as opened,
        pytest.raises(SetupError, match="cannot start"),
    ):
        opened.wait_ready()


def test_a_worker_that_is_killed_leaves_no_process_behind():
    script = (
        "import io, sys\n"
        "from support.evil import song\n"
        "from worker.sandbox.client import DecodeSandbox\n"
        "from worker.sandbox.limits import DecodeLimits\n"
        "limits = DecodeLimits(max_seconds=60, memory_bytes=2**30, cpu_seconds=60, wait_seconds=600)\n"
        "box = DecodeSandbox(sample_rate=22050, limits=limits, program=['-m', 'support.evil'])\n"
        "decoding = box.decode(io.BytesIO(song('piece-then', 'sleep')))\n"
        "next(decoding)\n"
        "print(box.zygote_pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as worker:
        zygote = int(worker.stdout.readline())
        family = [zygote, *children(zygote)]
        assert len(family) == 2
        worker.kill()

    eventually(lambda: not any(alive(pid) for pid in family))


def test_songs_leave_no_descriptors_processes_or_threads_behind(walled):
    files = [SONG, song("segfault"), b"no song", song("say", "noise")]

    def after() -> tuple[int, int, int]:
        for file in files:
            with suppress(CorruptAudio, DecodeCrashed, UnsupportedFormat):
                whole(walled, file)
        eventually(lambda: not children(walled.zygote_pid))
        return descriptors(os.getpid()), descriptors(walled.zygote_pid), threading.active_count()

    once = after()
    for _ in range(5):
        again = after()

    assert again == once


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
