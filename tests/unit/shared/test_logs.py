"""What a log line is, and what it never holds."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from shared.logs import CUT, without_secrets

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

SETUP = """
import logging, sys, threading, warnings, structlog
from shared.logs import configure_logs, refuse_to_start
from shared.strays import log_strays
configure_logs("json", "debug", process="worker")
log_strays()
"""


def said_by(script: str, *, status: int = 0) -> str:
    done = subprocess.run([sys.executable, "-c", SETUP + script], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    return done.stderr


def lines_of(script: str, *, status: int = 0) -> list[dict]:
    return [json.loads(line) for line in said_by(script, status=status).splitlines()]


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_traceback_shows_no_local_variables(log_format):
    script = BREAKS.format(log_format=log_format)

    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert "boom" in done.stderr
    assert "s3cret" not in done.stderr


def test_a_line_of_json_says_when_who_and_what():
    (line,) = lines_of("structlog.get_logger('a.b').info('it is\\nthere', job_id='job_1', count=2)")

    when = datetime.fromisoformat(line.pop("timestamp"))
    assert when.utcoffset() == UTC.utcoffset(None)
    assert line.pop("pid") > 0
    assert line == {
        "event": "it is\nthere",
        "level": "info",
        "logger": "a.b",
        "process": "worker",
        "job_id": "job_1",
        "count": 2,
    }


def test_lines_of_libraries_are_like_ours_and_have_the_ids_that_are_bound():
    (line,) = lines_of(
        "structlog.contextvars.bind_contextvars(request_id='mine')\n"
        "logging.getLogger('celery.x').warning('lost %s', 'it')"
    )

    assert (line["event"], line["logger"], line["request_id"]) == ("lost it", "celery.x", "mine")
    assert (line["process"], line["level"]) == ("worker", "warning")


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("raise RuntimeError('boom')", 1),
        (
            "def run(): raise RuntimeError('boom')\n"
            "thread = threading.Thread(target=run); thread.start(); thread.join()",
            0,
        ),
        ("class Bad:\n    def __del__(self): raise RuntimeError('boom')\nBad()", 0),
    ],
    ids=["main thread", "thread", "finalizer"],
)
def test_an_exception_that_nobody_caught_is_a_line(script, status):
    (line,) = lines_of(script, status=status)

    assert (line["event"], line["level"]) == ("uncaught exception", "critical")
    assert "RuntimeError: boom" in line["exception"]


def test_a_warning_is_a_line():
    (line,) = lines_of("warnings.warn('mind the gap')")

    assert "mind the gap" in line["event"]
    assert line["logger"] == "py.warnings"


def test_a_line_that_cannot_be_written_is_told_of_without_its_arguments():
    (line,) = lines_of("logging.getLogger('x').error('%d songs', 's3cret')")

    assert line["event"] == "log line not written"
    assert line["logger"] == "x"


def test_a_process_that_cannot_start_says_so_in_one_line_of_json_where_json_is_wanted():
    (line,) = lines_of("refuse_to_start('api', 'No disk.', as_json=True)")
    plain = said_by("refuse_to_start('api', 'No disk.', as_json=False)")

    assert (line["event"], line["error"], line["process"]) == ("cannot start", "No disk.", "api")
    assert plain == "genrewiz api: No disk.\n"


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("GET https://a.example/b.mp3?sig=s3cret#x failed", f"GET https://a.example/b.mp3?{CUT} failed"),
        ("Error handling request GET /jobs?token=s3cret", f"Error handling request GET /jobs?{CUT}"),
        ("/a?s3cret", f"/a?{CUT}"),
        (r'{"e": "x /a?t=s3\u00e9cret\\s3cret", "n": 1}', rf'{{"e": "x /a?{CUT}", "n": 1}}'),
        (r'{"e": "/a?s3cret\nnext"}', rf'{{"e": "/a?{CUT}\nnext"}}'),
        ("redis://me:s3cret@host:1/0", f"redis://{CUT}@host:1/0"),
        ("Authorization: Bearer s3cret", f"Authorization: Bearer {CUT}"),
        ("'authorization': 'basic s3cret='", f"'authorization': 'basic {CUT}'"),
        ("key gw_ab12_s3cret-s3cret_x.", f"key gw_ab12_{CUT}."),
        ("whsec_s3cret/+=", f"whsec_{CUT}"),
        ("[input_value={'a': 's3cret'}, input_type=dict]", f"[input_value={CUT}, input_type=dict]"),
        ("is it there? yes", "is it there? yes"),
        ("job_0123 gw.standard gw:job:1 a@b", "job_0123 gw.standard gw:job:1 a@b"),
    ],
)  # fmt: skip
def test_what_only_its_sender_may_know_is_cut_out_of_a_line(line, kept):
    assert without_secrets(line) == kept


def test_no_secret_leaves_by_an_exception_of_a_library():
    (line,) = lines_of(
        "try:\n"
        "    raise OSError('Max retries exceeded with url: /a.mp3?sig=' + 's3c' + 'ret (Caused by x)')\n"
        "except OSError:\n"
        "    logging.getLogger('urllib3').exception('failed')\n"
    )

    assert "Max retries" in line["exception"]
    assert "(Caused by x)" in line["exception"]
    assert "s3cret" not in str(line)


@pytest.mark.parametrize(
    "secret",
    [
        "GET https://a.example/b?sig=s3cret",
        "redis://user:s3cret@host",
        "Bearer s3cret",
        "basic s3cret",
        "gw_ab12_s3cret",
        "whsec_s3cret",
        "input_value='s3cret', input_type=str",
    ],
)
def test_each_kind_of_secret_is_cut_out_where_it_stands_alone(secret):
    assert "s3cret" not in without_secrets(secret)
    assert CUT in without_secrets(secret)
