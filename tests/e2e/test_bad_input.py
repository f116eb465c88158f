"""What is sent by mistake or by malice: a typed error each, and the worker lives on."""

import json

import numpy as np
import pytest

from support.audio import encode, music_like
from support.service import LIMITS, MAX_UPLOAD_BYTES, Service, genrewiz
from support.waiting import eventually


def wav(seconds: float, level: float = 0.3) -> bytes:
    return encode(level * music_like(seconds=seconds, seed=5), "wav16")


REFUSED = {
    "not audio": (b"Dear diary, today I learned nothing. " * 100, 415, "unsupported_format"),
    "a playlist": (b"#EXTM3U\nfile:///etc/passwd\n" * 10, 415, "unsupported_format"),
    "a web page": (b"<!doctype html><title>404</title>" * 10, 415, "unsupported_format"),
    "empty": (b"", 422, "invalid_request"),
    "too large": (b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(MAX_UPLOAD_BYTES), 413, "upload_too_large"),
    "announced far too large": (
        b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(MAX_UPLOAD_BYTES + 5 * 2**20),
        413,
        "upload_too_large",
    ),
}

FAILED = {
    "a header alone": (lambda: wav(10)[:60], "corrupt_audio"),
    "two seconds": (lambda: wav(2), "audio_too_short"),
    "silence": (lambda: wav(10, level=0.0), "audio_silent"),
    "an almost silent song": (lambda: wav(10, level=1e-4), "audio_silent"),
    "too long": (lambda: wav(130), "audio_too_long"),
    "cut off after a second": (
        lambda: encode(music_like(seconds=10, seed=5), "flac16")[:15_000],
        "corrupt_audio",
    ),
    "noise behind a header": (
        lambda: b"fLaC" + np.random.default_rng(0).bytes(200_000),
        "corrupt_audio",
    ),
    "noise behind an ID3 tag": (
        lambda: b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(range(256)) * 100,
        None,
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_upload_that_cannot_be_a_song_is_refused_at_the_door(service: Service, case):
    audio, status, code = REFUSED[case]
    worker = service.pid_of("worker")

    response = service.post("song.mp3", audio)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert service.pid_of("worker") == worker


@pytest.mark.parametrize("case", FAILED)
def test_a_song_that_cannot_be_classified_fails_with_a_typed_error(service: Service, case, sample, tmp_path):
    make, code = FAILED[case]
    audio = make()
    worker = service.pid_of("worker")

    job = service.classify("song.wav", audio)

    assert job["status"] == "failed", job["result"]
    assert job["result"] is None
    assert code is None or job["error"]["code"] == code, job["error"]
    assert job["timings_seconds"]["decode"] is not None
    assert case == "too long" or job["timings_seconds"]["predict"] is None
    assert service.classify("after.mp3", sample)["status"] == "succeeded"
    assert service.pid_of("worker") == worker
    (tmp_path / "song.wav").write_bytes(audio)
    assert error_without_server(tmp_path / "song.wav") == job["error"]["code"]


def error_without_server(path) -> str:
    """The code that `genrewiz classify` names, with exit status 4: all inputs failed."""
    done = genrewiz("classify", "--json", str(path), **LIMITS)
    assert done.returncode == 4, done.stderr
    return json.loads(done.stdout)["error"]["code"]


def test_a_truncated_song_of_which_enough_is_left_succeeds_and_says_so(service: Service):
    whole = encode(music_like(seconds=30, seed=5), "wav16")

    job = service.classify("song.wav", whole[: len(whole) // 2])

    assert job["status"] == "succeeded"
    assert job["source"]["truncated"] is True
    assert job["source"]["duration_seconds"] == pytest.approx(15, abs=0.5)


def test_where_some_files_fail_classify_says_so_and_answers_for_the_rest(tmp_path, sample):
    (tmp_path / "good.mp3").write_bytes(sample)
    (tmp_path / "bad.mp3").write_text("Dear diary")

    done = genrewiz("classify", str(tmp_path / "good.mp3"), str(tmp_path / "bad.mp3"), str(tmp_path / "none"))

    assert done.returncode == 3
    assert done.stdout.startswith(f"{tmp_path}/good.mp3: ")
    assert "unsupported_format" in done.stderr
    assert "No such file" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_name_of_a_song_stands_in_no_log(service: Service, sample):
    named = service.classify("a-title-that-nobody-else-has.mp3", sample)
    service.classify("a-title-that-nobody-else-has.mp3", b"fLaC" + bytes(500))

    assert named["source"]["filename"] == "a-title-that-nobody-else-has.mp3"
    eventually(lambda: sum(named["id"] in line for line in service.lines) >= 2)
    assert not [line for line in service.lines if "nobody-else" in line]
