"""docs/webhooks.md shows what the receivers beside it are, and says what the code does."""

import re
from pathlib import Path

import pytest

from shared.job_webhook import EVENTS
from shared.settings import Settings
from shared.webhooks import TEST_EVENT

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "webhooks.md").read_text()
FILES = {file.name: file.read_text() for file in (DOCS / "webhooks").iterdir() if file.is_file()}
SUFFIXES = {"python": ".py", "js": ".mjs", "php": ".php", "liquidsoap": ".liq"}


def blocks(language: str) -> list[str]:
    """The page's blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("language", SUFFIXES)
def test_what_the_page_shows_stands_in_a_file_that_tests_run(language: str):
    shown = blocks(language)

    assert shown
    for block in shown:
        files = [name for name, text in FILES.items() if name.endswith(SUFFIXES[language]) and block in text]
        assert files, block


def test_there_is_no_block_that_no_test_knows():
    languages = set(re.findall(r"```(\w*)\n", PAGE)) - {""}

    assert languages == {*SUFFIXES, "sh", "json"}  # these two: tests/e2e/test_webhook_docs.py
    assert PAGE.count("```") == 2 * len(re.findall(r"```\w+\n", PAGE))


def test_every_receiver_is_linked_and_every_link_leads_somewhere():
    assert set(re.findall(r"\]\(webhooks/([^)]+)\)", PAGE)) == set(FILES)


def test_the_page_names_every_event():
    assert set(re.findall(r"`((?:job|webhook)\.[a-z]+)`", PAGE)) == {*EVENTS, TEST_EVENT}


def test_the_schedule_on_the_page_is_the_one_in_the_code():
    _, _, schedule = " ".join(PAGE.split()).partition("It is sent again after ")
    said = re.findall(r"(\d+) (s|min|h)\b", schedule.partition(", each give or take")[0])
    units = {"s": 1, "min": 60, "h": 3_600}

    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    assert tuple(int(number) * units[unit] for number, unit in said) == defaults["webhook_retry_seconds"]
    assert f"**{defaults['webhook_disable_seconds'] // 3_600:.0f} hours**" in PAGE
    assert f"kept for {defaults['webhook_log_seconds'] // 86_400} days" in PAGE
    assert f"**Answer 2xx within {defaults['webhook_seconds']:.0f} s.**" in PAGE
