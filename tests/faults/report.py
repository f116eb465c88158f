"""docs/faults.json -> docs/faults.md: what was done to the fleet, what was lost, and how long recovery took.

How each test was seen to fail is written by hand, in `seen_to_fail.md` beside this; it is only put in.
"""

import importlib.metadata
import json
import os
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from faults.oracle import Verdict, spread
from faults.webhook_oracle import WebhookVerdict

CHECKOUT = Path(__file__).parents[2]
RESULTS = CHECKOUT / "docs" / "faults.json"
REPORT = CHECKOUT / "docs" / "faults.md"
SEEN_TO_FAIL = Path(__file__).with_name("seen_to_fail.md")
LIBRARIES = ("celery", "kombu", "redis", "gunicorn", "gevent")

FAULTS = {
    "worker_kill": "worker: `kill -9`",
    "crash": "worker or api: `kill -9` at a named point",
    "redis_kill": "Redis: `kill -9`, then started on its data",
    "api_kill": "api: `kill -9`",
    "dispatcher_kill": "dispatcher: `kill -9`",
    "freeze": "worker: SIGSTOP for longer than its lease, then SIGCONT",
    "black_hole": "way to Redis: black hole",
    "half_open": "way to Redis: connections fall silent for good",
    "reset": "way to Redis: connections reset",
    "latency": "way to Redis: latency",
    "refuse": "way to Redis: refused",
    "sigterm": "SIGTERM",
    "doorbells_deleted": "doorbells deleted",
    "doorbells_doubled": "doorbells doubled",
}
OF_WEBHOOKS = FAULTS | {
    "crash": "dispatcher: `kill -9` at a named point",
    "freeze": "dispatcher: SIGSTOP for longer than its lease, then SIGCONT",
    "black_hole": "dispatcher's way to Redis: black hole",
    "reset": "dispatcher's way to Redis: connections reset",
    "latency": "dispatcher's way to Redis: latency",
    "sigterm": "dispatcher: SIGTERM",
}
RECOVERIES = {
    "worker_kill": "worker `kill -9` → its job claimed again",
    "crash": "worker dead at a named point → its job claimed again",
    "freeze": "worker frozen → its job claimed again",
    "black_hole": "worker cut off → its job claimed again",
    "black_hole_healed": "way mended → that worker claims again",
    "half_open": "connections dead → its job claimed again",
    "half_open_healed": "connections dead → that worker claims again",
    "redis_kill": "Redis `kill -9` → a job finishes",
    "redis_up": "Redis answers again → a job finishes",
}
FIELD = (
    ("Celery with Redis", "an hour (`visibility_timeout`)"),
    ("River, Oban", "an hour"),
    ("Faktory", "30 min"),
    ("Dramatiq", "60 s"),
    ("BullMQ", "30 s + 30 s"),
    ("Hatchet", "30 s"),
)


def write_results(**changes: Any) -> None:
    """Put some of the results in the place of older ones, and write both files."""
    results = json.loads(RESULTS.read_text()) | changes
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    write_report(results)


def write_report(results: dict[str, Any]) -> None:
    """The page alone."""
    REPORT.write_text(report(results, SEEN_TO_FAIL.read_text()))


def machine() -> dict[str, Any]:
    """Where it is measured, and with what."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def shown(verdict: Verdict | WebhookVerdict) -> dict[str, Any]:
    """A verdict as the results keep it: of what is bad, how much."""
    return {
        name: len(value) if isinstance(value, tuple) else value for name, value in asdict(verdict).items()
    }


def report(results: dict[str, Any], seen_to_fail: str) -> str:
    """The text of docs/faults.md."""
    runs = results["runs"]
    return "\n".join(
        [
            "# What was done to it, and what it lost",
            "",
            "Written by `make soak` and `make soak-webhooks` out of `faults.json`: nothing here is by hand",
            "but the last table.",
            "",
            _setting(results),
            "",
            *_promises(runs),
            "",
            "## Faults",
            "",
            *_faults(runs),
            "",
            "## Recovery",
            "",
            "Seconds. *Alone*: no other fault fell into the recovery; the rest had several at once. A lease",
            "is 15 s and its heartbeat 5 s, so that a lost worker's job is free 10 to 15 s after its end.",
            "",
            *recovery_table(runs),
            "",
            "When others run a job again whose worker was killed, by their documentation:",
            "",
            *_table(("", "after"), FIELD),
            "",
            *_webhooks(results.get("webhooks")),
            seen_to_fail.strip(),
            "",
        ]
    )


def _setting(results: dict[str, Any]) -> str:
    machine, runs = results["machine"], results["runs"]
    libraries = ", ".join(f"{name} {version}" for name, version in machine.items() if name != "cores")
    seeds = ", ".join(str(run["seed"]) for run in runs)
    return (
        f"{len(runs)} runs of {runs[0]['seconds']} s (seeds {seeds}) on {machine['cores']} cores, "
        f"{max(run['cpu_busy'] for run in runs):.0%} busy at most: {runs[0]['server']}, {libraries}; "
        "2 apis and 4 workers, each behind a proxy of its own. A job had 20 attempts: one that chance hits "
        "again and again has not deserved to end for that. Every song was an upload."
    )


def _promises(runs: Sequence[dict[str, Any]]) -> list[str]:
    verdicts = [run["verdict"] for run in runs]

    def total(name: str) -> int:
        return sum(verdict[name] for verdict in verdicts)

    return _table(
        ("jobs", ""),
        [
            ("accepted", total("accepted")),
            ("**lost**", f"**{total('lost')}**"),
            ("**finished twice**", f"**{total('twice')}**"),
            ("ended otherwise than they should", total("unexpected")),
            ("runs that were begun", total("claims")),
            ("finishes of zombies that were refused", total("refused_finishes")),
            ("audio files left behind", sum(run["audio_left"] for run in runs)),
            ("ids left in indices", sum(run["ids_left"] for run in runs)),
            *_news(runs),
        ],
    )


def _news(runs: Sequence[dict[str, Any]]) -> list[tuple[str, object]]:
    """What became of the webhooks of these jobs; nothing where they had none."""
    verdicts = [run["webhooks"] for run in runs if "webhooks" in run]
    if not verdicts:
        return []
    return [
        (words, sum(verdict[name] for verdict in verdicts))
        for name, words in (
            ("promised", "ends of which a receiver was to hear"),
            ("arrived", "of these, arrived"),
            ("lost", "news lost"),
            ("duplicates", "duplicates, each under the same `webhook-id`"),
            ("early", "news of what could not be read yet"),
        )
    ]


def _faults(runs: Sequence[dict[str, Any]]) -> list[str]:
    counts: Counter[str] = Counter()
    for run in runs:
        counts.update(run["verdict"]["faults"])
    return _table(
        ("fault", "times"),
        [
            (FAULTS.get(kind, kind), counts[kind])
            for kind in (*FAULTS, *sorted(set(counts) - set(FAULTS)))
            if counts[kind]
        ],
    )


def _webhooks(figures: dict[str, Any] | None) -> list[str]:
    """The section of `make soak-webhooks`; none where it was never run."""
    if figures is None:
        return []
    counted = sorted(figures["faults"].items())
    faults = _table(("fault", "times"), [(OF_WEBHOOKS.get(kind, kind), times) for kind, times in counted])
    turns = ", ".join(f"{mode} {times}" for mode, times in sorted(figures["turns"].items()))
    return [
        "## Webhooks",
        "",
        f"One run of {figures['seconds']} s (seed {figures['seed']}) on {figures['machine']['cores']} cores: "
        "2 apis, 2 workers and 2 dispatchers, each behind a proxy of its own, and "
        f"{figures['jobs']['accepted']} real jobs, of which {figures['jobs']['lost']} were lost. Six "
        "receivers are always good; four are hostile most of the time. An attempt takes 3 s at most; one "
        "that failed is made again after 0.5, 1, 2, 4, 8, 8, … s. Signatures are checked by the public "
        "`standardwebhooks` package; when news of an end arrives, an api is asked for the job.",
        "",
        *webhook_table(figures),
        "",
        *faults,
        "",
        f"So often receivers changed their ways: {turns}.",
        "",
    ]


def webhook_table(figures: dict[str, Any]) -> list[str]:
    """What was sent and what arrived, and how long that took, as lines of Markdown."""
    verdict = figures["verdict"]
    rows = [
        ("ends of which a receiver was to hear", verdict["promised"]),
        ("arrived (answered with a 2xx)", verdict["arrived"]),
        ("**lost**", f"**{verdict['lost']}**"),
        ("requests in all, of every event", verdict["requests"]),
        ("duplicates: taken before, under the same `webhook-id`", verdict["duplicates"]),
        (
            "of these with another body, or under another `webhook-id`",
            verdict["changed"] + verdict["doubled"],
        ),
        ("told before the result could be read", verdict["early"]),
        ("ends of which no api could be asked in time", verdict["unasked"]),
        ("bad signatures", verdict["unsigned"]),
        ("wrong `sequence`", verdict["misnumbered"]),
        ("untrue, unwanted, or sent on to where a redirect led", verdict["wrong"]),
        ("events that came behind a later one of their job", verdict["overtaken"]),
        ("attempts of zombies that were refused", figures["recorded"].get("lost", 0)),
    ]
    lags = [
        (words, lag["count"], *(f"{lag[name]:.2f}" for name in ("p50", "p99", "max")))
        for which, words in (("good", "good receivers"), ("bad", "hostile receivers, until they took it"))
        if (lag := figures["lags"][which])
    ]
    return [
        *_table(("webhooks", ""), rows),
        "",
        *_table(("seconds from an end to its news", "", "p50", "p99", "max"), lags),
    ]


def recovery_table(runs: Sequence[dict[str, Any]]) -> list[str]:
    """Each kind of recovery, alone and in all, as lines of Markdown."""
    backs = [back for run in runs for back in run["recoveries"]]
    rows = []
    for kind, words in RECOVERIES.items():
        for which in ("alone", "all"):
            figures = spread(
                [
                    back["seconds"]
                    for back in backs
                    if back["kind"] == kind and (back["undisturbed"] or which == "all")
                ]
            )
            if figures:
                numbers = (f"{value:.1f}" for value in (figures.p50, figures.p99, figures.max))
                rows.append((words, which, figures.count, *numbers))
    return _table(("", "", "times", "p50", "p99", "max"), rows)


def _table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> list[str]:
    return [_row(head), _row(["---"] * len(head)), *map(_row, rows)]


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


if __name__ == "__main__":
    write_report(json.loads(RESULTS.read_text()))
