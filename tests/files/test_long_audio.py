"""The file of hours that tests of memory use is what it claims to be."""

import io

import pytest

from support.long_audio import long_mp3
from worker.ffmpeg import AudioSource, open_container


def test_an_hour_of_mp3_is_an_hour_when_read_as_a_stream():
    file = long_mp3(hours=1)

    with open_container(io.BytesIO(file)) as container:
        source = AudioSource(container, max_seconds=2 * 3_600)
        longest_piece = max(len(piece) / rate for piece, rate in source.pieces())

    assert source.seconds == pytest.approx(3_600, abs=1)
    assert longest_piece < 60
    assert not source.is_damaged
    assert len(file) < 8_000_000
