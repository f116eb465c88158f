"""Songs of hours are a stream: they take no more memory than shorter ones."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from support.long_audio import long_mp3
from support.service import GENREWIZ

MEMORY_BYTES = 600 * 2**20
"""Of the process that decodes: less than the waveform of three hours, 950 MB."""
SLACK = 1.1
"""One run's peak differs from the next by some per cent, and an answer has six times as many windows."""


def classified(path: Path) -> tuple[dict, int]:
    """What the command line says of a file, and the most memory (bytes) that the pipeline's process took."""
    environment = {
        **os.environ,
        "GENREWIZ_MAX_AUDIO_SECONDS": str(4 * 3_600),
        "GENREWIZ_DECODE_MEMORY_BYTES": str(MEMORY_BYTES),
        "GENREWIZ_DECODE_SECONDS": "600",
        "GENREWIZ_DECODE_CPU_SECONDS": "600",
    }
    with subprocess.Popen(
        [GENREWIZ, "classify", "--json", str(path)], stdout=subprocess.PIPE, env=environment
    ) as process:
        answer = json.loads(process.stdout.read())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return answer, usage.ru_maxrss * 1024


def test_three_hours_take_no_more_memory_than_half_an_hour(tmp_path):
    peaks = {}
    for hours in (0.5, 3):
        song = tmp_path / f"{hours}.mp3"
        song.write_bytes(long_mp3(hours=hours))
        answer, peaks[hours] = classified(song)
        assert answer["error"] is None
        assert answer["audio"]["duration_seconds"] == pytest.approx(hours * 3_600, abs=1)
        assert len(answer["result"]["timeline"]) == pytest.approx(hours * 3_600 / 14.86, abs=3)

    assert peaks[3] < SLACK * peaks[0.5]
