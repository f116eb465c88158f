"""Where measured figures are kept: `docs/benchmarks.json`, which the README quotes and a test compares."""

import json
import os
import platform
from pathlib import Path

FILE = Path(__file__).parents[2] / "docs" / "benchmarks.json"


def record(name: str, figures: dict[str, float]) -> None:
    """Put one benchmark's figures in the place of its older ones, and print them."""
    kept = json.loads(FILE.read_text()) if FILE.exists() else {}
    kept["machine"] = {"cores": len(os.sched_getaffinity(0)), "python": platform.python_version()}
    kept[name] = {figure: round(value, 4) for figure, value in figures.items()}
    FILE.write_text(json.dumps(kept, indent=2) + "\n")
    for figure, value in kept[name].items():
        print(f"{name:<10} {figure:<44} {value:g}")
