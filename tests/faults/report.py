"""docs/faults.json -> docs/faults.md: what was done to the fleet, what was lost, and how long recovery took.

How each test was seen to fail is written by hand, in `seen_to_fail.md` beside this; it is only put in.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from faults.oracle import spread

CHECKOUT = Path(__file__).parents[2]
RESULTS = CHECKOUT / "docs" / "faults.json"
REPORT = CHECKOUT / "docs" / "faults.md"
SEEN_TO_FAIL = Path(__file__).with_name("seen_to_fail.md")

FAULTS = {
    "worker_kill": "worker: `kill -9`",
    "crash": "worker or api: `kill -9` at a named point",
    "redis_kill": "Redis: `kill -9`, then started on its data",
    "api_kill": "api: `kill -9`",
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


def write_report(results: dict[str, Any]) -> None:
    """Both files."""
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    REPORT.write_text(report(results, SEEN_TO_FAIL.read_text()))


def report(results: dict[str, Any], seen_to_fail: str) -> str:
    """The text of docs/faults.md."""
    runs = results["runs"]
    return "\n".join(
        [
            "# What was done to it, and what it lost",
            "",
            "Written by `make soak` out of `faults.json`: nothing here is by hand but the last table.",
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
        ],
    )


def _faults(runs: Sequence[dict[str, Any]]) -> list[str]:
    counts: Counter[str] = Counter()
    for run in runs:
        counts.update(run["verdict"]["faults"])
    return _table(
        ("fault", "times"),
        [(FAULTS.get(kind, kind), counts[kind]) for kind in (*FAULTS, *sorted(set(counts) - set(FAULTS)))],
    )


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
