"""Everything that docs/openapi.json allows, and forbids, is asked of a real server."""

from pathlib import Path

from contract.run import ask_everything

SECONDS = 40
"""Beside half a minute for what is always asked; `make contract` takes more, and any seed."""


def test_schemathesis_finds_nothing_with_all_checks_and_along_all_links(tmp_path: Path):
    for run in ask_everything(tmp_path, seconds=SECONDS, seed=0):
        print(run.stdout)
        assert run.returncode == 0
