"""What a log line never holds."""

import subprocess
import sys

import pytest

BREAKS = """
import structlog
from shared.logs import configure_logs

configure_logs({log_format!r}, "debug")

def fetch(url):
    raise RuntimeError("boom")

try:
    fetch("https://cdn.example/a?sig=" + "s3c" + "ret")
except RuntimeError:
    structlog.get_logger("x").exception("broken")
"""


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_traceback_shows_no_local_variables(log_format):
    script = BREAKS.format(log_format=log_format)

    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert "boom" in done.stderr
    assert "s3cret" not in done.stderr
