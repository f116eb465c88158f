"""Songs through the whole service, and the same answers without it."""

import json
from pathlib import Path

import pytest

from support.audio import encode, music_like
from support.service import Service, genrewiz


def without_server(*files: Path) -> list[dict]:
    """The answers of `genrewiz classify --json`, a line a file."""
    done = genrewiz("classify", "--json", *map(str, files))
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("kind", "name", "codec"),
    [
        ("wav16", "song.wav", "pcm_s16le"),
        ("mp3", "song.mp3", "mp3"),
        ("flac16", "song.flac", "flac"),
        ("ogg", "song.ogg", "vorbis"),
        ("m4a", "song.m4a", "aac"),
    ],
)
def test_a_song_of_each_common_format_gets_its_genre(service: Service, tmp_path, kind, name, codec):
    song = encode(music_like(seconds=32, seed=3), kind)
    (tmp_path / name).write_bytes(song)

    job = service.classify(name, song)

    assert job["status"] == "succeeded", job["error"]
    assert job["source"]["codec"] == codec
    assert job["source"]["filename"] == name
    assert job["source"]["duration_seconds"] == pytest.approx(32, abs=0.2)
    [alone] = without_server(tmp_path / name)
    assert_same_answer(job["result"], alone["result"])
    assert job["model"] == alone["model"]


def assert_same_answer(one: dict, other: dict) -> None:
    """The same genre, and probabilities within what float32 gives in another batch."""
    assert one["genre"] == other["genre"]
    assert len(one["timeline"]) == len(other["timeline"])
    expected = {each["genre"]: each["probability"] for each in other["top"]}
    for prediction in one["top"]:
        assert prediction["probability"] == pytest.approx(expected[prediction["genre"]], abs=1e-5)


def test_a_finished_job_shows_everything_that_was_promised(service: Service, sample):
    job = service.classify("nightdrive.mp3", sample, job='{"options": {"top": 3}, "metadata": {"id": 7}}')

    assert job["status"] == "succeeded"
    assert job["progress"]["fraction"] == 1
    assert job["result"]["genre"] == job["result"]["top"][0]["genre"]
    assert len(job["result"]["top"]) == 3
    assert all(len(entry["probabilities"]) == 10 for entry in job["result"]["timeline"])
    assert set(job["timings_seconds"]) == {"queue", "fetch", "decode", "spectrogram", "predict", "total"}
    assert len(job["model"]["sha256"]) == 64
    assert job["metadata"] == {"id": 7}
    assert job["attempt"] == 1
    assert job["created_at"] <= job["started_at"] <= job["finished_at"] < job["expires_at"]


def test_real_songs_get_the_same_answers_with_and_without_a_server(service: Service, data_folder: Path):
    tracks = sorted((data_folder / "gtzan" / "audio").glob("*.flac"))
    assert len(tracks) == 20

    ids = [service.submit(track.name, track.read_bytes()) for track in tracks]
    jobs = [service.finished(job_id) for job_id in ids]

    for job, alone in zip(jobs, without_server(*tracks), strict=True):
        assert job["status"] == "succeeded"
        assert_same_answer(job["result"], alone["result"])


def test_what_was_done_can_be_read_from_the_metrics(service: Service, sample):
    service.classify("song.mp3", sample)

    api, worker = service.metrics("api"), service.metrics("worker")

    assert 'genrewiz_jobs_accepted_total{queue="standard",source="upload"}' in api
    assert 'genrewiz_jobs{status="queued"}' in api
    assert 'genrewiz_jobs_finished_total{reason="",status="succeeded"}' in worker
    for name in ("job_queue_wait_seconds", "job_duration_seconds", "stage_duration_seconds"):
        assert f"genrewiz_{name}_bucket" in worker
    for stage in ("fetch", "decode", "spectrogram", "predict", "store"):
        assert f'genrewiz_stage_duration_seconds_count{{stage="{stage}"}}' in worker


def test_metrics_never_leave_by_the_public_port(service: Service):
    assert service.http.get("/metrics").status_code == 404
