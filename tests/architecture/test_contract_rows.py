"""docs/contract.md has a row for every promise of the program to its clients, and each row its tests."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import api.watching
import shared.errors
from api.app import create_api
from api.errors import HTTP_STATUS
from shared.errors import JobFailure
from shared.job import Job, JobId, JobOptions, JobStatus, Progress, Source
from shared.job_webhook import EVENTS
from shared.settings import Settings
from shared.webhook_bodies import WebhookDelivery, WebhookEndpointWithSecret
from shared.webhook_requests import EndpointChange, EndpointRequest
from shared.webhooks import TEST_EVENT
from shared.wire import UrlJobRequest, job_body

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "contract.md").read_text()
FILES = {"/static/samples/<path:filename>", "/static/page/<path:filename>", "/docs/<path:filename>"}
"""Parts of pages."""
BESIDE = {"GET /metrics"}
"""Routes that are none of the application's."""
FLASKS = {"not_found", "method_not_allowed", "internal_error"}
"""Codes that stand for no error of ours."""


@cache
def rows(section: str) -> list[tuple[str, str, str]]:
    """First cell, second cell and last cell of each row."""
    body = re.search(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert body, section
    lines = [line for line in body[1].splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [(row[0], row[1], row[-1]) for row in cells]


def named(section: str) -> set[str]:
    """What the first cells name."""
    return {name for first, *_ in rows(section) for name in re.findall(r"`([^`]+)`", first)}


def all_rows() -> list[tuple[str, str]]:
    sections = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    return [(f"{section}: {first}", last) for section in sections for first, _, last in rows(section)]


@cache
def names_in(path: Path) -> frozenset[str]:
    """The tests of a file, as pytest finds them."""
    tree = ast.parse(path.read_text())
    return frozenset(
        node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


@pytest.mark.parametrize(("row", "tests"), all_rows(), ids=lambda cell: cell[:60])
def test_each_row_names_tests_that_are_there(row, tests):
    ids = re.findall(r"`([^`]+)`", tests)

    assert ids, f"{row} has no test"
    for test_id in ids:
        path, _, name = test_id.partition("::")
        file = CHECKOUT / "tests" / path
        assert file.is_file(), test_id
        assert name in names_in(file), test_id


def test_there_is_a_row_for_every_route_and_for_no_other(tmp_path):
    settings = Settings(audio_dir=tmp_path / "audio", redis_url="redis://127.0.0.1:1/0")
    routes = {
        f"{method} {re.sub(r'<(job|endpoint|delivery)_id>', '<id>', rule.rule)}"
        for rule in create_api(settings).app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule not in FILES
    }

    assert named("Routes") == routes | BESIDE


def test_there_is_a_row_for_every_field_of_the_create_body():
    options = {f"options.{name}" for name in JobOptions.model_fields}

    assert named("Create body") == {*UrlJobRequest.model_fields, *options}


def test_there_is_a_row_for_every_field_of_a_job():
    job = Job(
        id=JobId("job_1"),
        status=JobStatus.QUEUED,
        queue="standard",
        attempt=0,
        max_attempts=3,
        options=JobOptions(),
        source=Source(kind="upload", filename=None),
        metadata={},
        progress=Progress(),
        accepted_at=1.0,
    )

    assert named("Job") == set(job_body(job))


def test_there_is_a_row_for_every_code_of_a_refusal_with_its_status():
    assert named("Refusals") - FLASKS == {kind.code for kind in HTTP_STATUS}
    for kind, status in HTTP_STATUS.items():
        assert [said for first, said, _ in rows("Refusals") if first == f"`{kind.code}`"] == [str(status)]


def test_there_is_a_row_for_every_code_of_a_failed_job():
    assert named("Failed jobs") == {
        kind.code
        for kind in vars(shared.errors).values()
        if isinstance(kind, type) and issubclass(kind, JobFailure) and kind is not JobFailure
    }


def test_there_is_a_row_for_every_event():
    source = Path(api.watching.__file__).read_text()

    assert named("Events") == set(re.findall(r'frame\("(\w+)"', source))


def test_there_is_a_row_for_every_event_of_a_webhook():
    assert named("Webhooks") == {*EVENTS, TEST_EVENT}


def test_there_is_a_row_for_every_field_of_an_endpoint_and_of_a_delivery():
    endpoint = set(WebhookEndpointWithSecret.model_fields)

    assert named("Webhook endpoint") == endpoint
    assert set(EndpointRequest.model_fields) <= endpoint
    assert set(EndpointChange.model_fields) <= endpoint
    assert named("Webhook delivery") == set(WebhookDelivery.model_fields)
