"""A song's picture, from the upload to the last trace of it."""

import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from support.audio import chirp, encode, music_like
from support.service import Service, serving
from support.waiting import eventually

DRAWN = '{"options": {"spectrogram": true}}'


@pytest.fixture(scope="module")
def sweep() -> bytes:
    """40 s of a tone that rises from 100 Hz to 10 kHz."""
    return encode(chirp(100, 10_000, seconds=40), "wav16")


def picture(service: Service, job_id: str) -> Image.Image:
    answer = service.http.get(f"/jobs/{job_id}/spectrogram.png")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "image/png"
    return Image.open(io.BytesIO(answer.content))


def test_a_rising_tone_is_a_rising_line_over_the_whole_song(service: Service, sweep):
    job = service.classify("sweep.wav", sweep, job=DRAWN)

    image = picture(service, job["id"])

    assert image.mode == "P"
    assert image.size == (1 + 40 * 22_050 // 1_024, 128)
    levels = np.asarray(image)
    line = 127 - levels.argmax(axis=0)  # of each column the loudest band, counted from below
    assert line[0] < 10
    assert line[-1] > 115
    assert all(later >= earlier for earlier, later in pairwise(line[1:-1]))
    assert np.median(levels) == 0


def test_the_answer_is_the_same_with_and_without_a_picture(service: Service):
    song = encode(music_like(seconds=70, seed=5), "wav16")

    plain, drawn = service.classify("a.wav", song), service.classify("a.wav", song, job=DRAWN)

    assert drawn["status"] == "succeeded"
    assert drawn["result"] == plain["result"]
    assert picture(service, drawn["id"]).width == 1 + 70 * 22_050 // 1_024
    assert service.http.get(f"/jobs/{plain['id']}/spectrogram.png").json()["code"] == "no_spectrogram"


def test_a_picture_goes_with_its_result_and_the_song_before(tmp_path, sweep):
    ours = {
        "GENREWIZ_RESULT_TTL_SECONDS": "15",
        "GENREWIZ_ORPHAN_SECONDS": "3",
        "GENREWIZ_RESULT_CACHE": "true",
    }
    with serving(tmp_path, **ours) as service:
        job_ids = [
            service.submit("sweep.wav", sweep, job=DRAWN) for _ in range(2)
        ]  # one has no other's answer
        for job_id in job_ids:
            assert not service.finished(job_id)["cached"]
            picture(service, job_id)
        eventually(lambda: names(tmp_path) <= {f"{job_id}.spectrogram.png" for job_id in job_ids})

        eventually(lambda: service.http.get(f"/jobs/{job_ids[1]}/spectrogram.png").status_code == 410)
        eventually(lambda: names(tmp_path) == set())


def names(directory) -> set[str]:
    """What is in the audio directory."""
    return {path.name for path in (directory / "audio").iterdir()}
