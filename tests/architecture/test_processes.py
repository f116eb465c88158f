"""What each process loads, and what it must never load."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
HEAVY = ("torch", "numpy", "scipy", "librosa", "numba", "sklearn", "av", "soxr")
ONLY_FOR_TRAINING = ("librosa", "numba", "sklearn", "scipy", "matplotlib", "pandas")


def loaded_by(statement: str) -> set[str]:
    """The top-level modules of a fresh interpreter after the statement."""
    script = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import api.app, api.views.jobs, api.metrics",
        "import genrewiz.cli; genrewiz.cli.build()",
        "import shared.redis_jobs, shared.reaper, shared.celery_queue, shared.audio_store",
    ],
    ids=["api", "command line", "shared"],
)
def test_only_the_worker_loads_torch_and_its_like(statement):
    assert not loaded_by(statement) & set(HEAVY)


def test_gunicorn_forks_its_workers_before_anything_is_loaded_that_gevent_must_patch_first():
    conf = CHECKOUT / "deploy" / "gunicorn.conf.py"

    modules = loaded_by(f"import runpy; runpy.run_path({str(conf)!r})")

    assert "pydantic" in modules
    assert not modules & {"redis", "flask", "celery", "urllib3"}


def test_the_process_that_forks_decoders_loads_the_decoder_alone():
    modules = loaded_by("import worker.sandbox.zygote")

    assert "av" in modules
    assert not modules & {"torch", "redis", "celery", "pydantic", "structlog", "flask"}


def test_the_worker_loads_nothing_that_reads_a_strangers_file_or_that_only_training_needs():
    modules = loaded_by(
        "from shared.settings import Settings\n"
        "import worker.main\n"
        "from worker.build import open_pipeline\n"
        "with open_pipeline(Settings(device='cpu')): pass"
    )

    assert "torch" in modules
    assert not modules & {"av", "soxr"}
    assert not modules & set(ONLY_FOR_TRAINING)


def test_the_dispatcher_is_small_it_loads_no_model_no_broker_and_no_web_framework():
    modules = loaded_by("import worker.webhooks.main")

    assert "urllib3" in modules
    assert not modules & {*HEAVY, "celery", "kombu", "flask", "gevent", "PIL"}


def test_besides_torch_the_imports_of_the_worker_are_a_small_part_of_its_start():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import worker.main"],
        check=True,
        capture_output=True,
        text=True,
    )
    seconds = cumulative_seconds(done.stderr)

    assert seconds["worker.main"] - seconds["torch"] < seconds["torch"]


def cumulative_seconds(importtime: str) -> dict[str, float]:
    """Module -> seconds of its import, from the lines `import time: self | cumulative | module`."""
    rows = [line.removeprefix("import time:").split("|") for line in importtime.splitlines() if "|" in line]
    return {name.strip(): int(total) / 1e6 for _, total, name in rows if total.strip().isdigit()}
