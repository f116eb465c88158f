"""A soak's schedule and its report."""

import json
from collections import Counter

from faults.report import REPORT, RESULTS, SEEN_TO_FAIL, report
from faults.schedule import FULL_SECONDS, QUIET_TIMES, TIMES, pause_seconds, steps

LEAST = {"worker_kill": 100, "redis_kill": 30, "api_kill": 20, "zombie": 20}
NETWORK = ("black_hole", "half_open", "reset", "latency", "refuse")


def test_the_same_seed_gives_the_same_faults():
    assert steps(1, 300) == steps(1, 300)
    assert steps(1, 300) != steps(2, 300)


def test_three_soaks_of_twelve_minutes_do_as_much_as_they_promise():
    kinds = Counter(step.kind for seed in (1, 2, 3) for step in steps(seed, FULL_SECONDS / 3))

    for kind, least in LEAST.items():
        assert kinds[kind] >= least, kind
    network = sum(kinds[kind] for kind in NETWORK)
    assert network >= 20
    assert kinds["black_hole"] + kinds["half_open"] >= network / 2


def test_a_short_soak_does_everything_once():
    assert {step.kind for step in steps(1, 1)} == set(TIMES) | set(QUIET_TIMES)


def test_pauses_leave_time_for_what_must_be_recovered_from():
    left = steps(1, 720)

    assert 0.5 <= pause_seconds(left, 720) < 720 / len(left)


RESULT = {
    "machine": {"cores": 2, "python": "3.11"},
    "runs": [
        {
            "seed": 1,
            "seconds": 720,
            "is_good": True,
            "cpu_busy": 0.2,
            "server": "valkey 9",
            "audio_left": 0,
            "ids_left": 0,
            "verdict": {
                "accepted": 700,
                "lost": 0,
                "twice": 1,
                "unexpected": 0,
                "claims": 720,
                "refused_finishes": 2,
                "faults": {"worker_kill": 35},
            },
            "recoveries": [
                {"kind": "worker_kill", "seconds": 12.0, "undisturbed": True},
                {"kind": "worker_kill", "seconds": 30.0, "undisturbed": False},
            ],
        }
    ],
}


def test_the_report_says_what_was_accepted_and_lost_and_how_long_recovery_took():
    text = report(RESULT, "## How each test was seen to fail\n")

    assert "| accepted | 700 |" in text
    assert "| **lost** | **0** |" in text
    assert "| **finished twice** | **1** |" in text
    assert "| worker `kill -9` → its job claimed again | alone | 1 | 12.0 | 12.0 | 12.0 |" in text
    assert "| worker `kill -9` → its job claimed again | all | 2 | 12.0 | 30.0 | 30.0 |" in text
    assert text.endswith("## How each test was seen to fail\n")


WEBHOOKS = {
    "seed": 1,
    "seconds": 600,
    "machine": {"cores": 2},
    "jobs": {"accepted": 900, "lost": 0, "twice": 0},
    "faults": {"dispatcher_kill": 50, "crash": 12},
    "turns": {"black_hole": 9},
    "recorded": {"delivered": 900, "lost": 3},
    "verdict": {
        "promised": 901, "arrived": 901, "lost": 0, "requests": 1300, "duplicates": 7, "overtaken": 2,
        "unasked": 1, "changed": 0, "doubled": 0, "early": 0, "unsigned": 0, "misnumbered": 0, "wrong": 0,
    },
    "lags": {"good": {"count": 600, "p50": 0.031, "p99": 8.4, "max": 12.0}, "bad": None},
}  # fmt: skip


def test_the_report_says_what_became_of_webhooks_where_that_was_measured():
    text = report(RESULT | {"webhooks": WEBHOOKS}, "")

    assert "| ends of which a receiver was to hear | 901 |" in text
    assert "| **lost** | **0** |" in text.partition("## Webhooks")[2]
    assert "| good receivers | 600 | 0.03 | 8.40 | 12.00 |" in text
    assert "| dispatcher: `kill -9` | 50 |" in text
    assert "| dispatcher: `kill -9` at a named point | 12 |" in text
    assert "## Webhooks" not in report(RESULT, "")


def test_a_soak_whose_jobs_had_webhooks_says_what_became_of_them():
    run = RESULT["runs"][0] | {"webhooks": WEBHOOKS["verdict"]}

    assert "| of these, arrived | 901 |" in report(RESULT | {"runs": [run]}, "")


def test_the_report_of_this_checkout_is_what_its_figures_give():
    if RESULTS.exists():
        assert REPORT.read_text() == report(json.loads(RESULTS.read_text()), SEEN_TO_FAIL.read_text())
