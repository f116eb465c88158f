"""/docs in a real browser: the API for people, from this server alone."""

import pytest
from playwright.sync_api import Page, expect

from support.contract import document
from support.page import DESK, Visits
from support.service import Service


@pytest.fixture
def page(visits: Visits, service: Service) -> Page:
    """The page, watched: an error in the console or a request that leaves this machine fails the test."""
    return visits(service.url, viewport=DESK).open("/docs")


def test_every_operation_is_shown_and_nothing_comes_from_elsewhere(page: Page):
    operations = page.locator(".opblock")

    described = [*document()["paths"].values(), *document()["webhooks"].values()]
    expect(operations).to_have_count(sum(map(len, described)))
    expect(page.locator("h1", has_text="GenreWiz")).to_be_visible()
    expect(page.get_by_text("Submit a song", exact=True)).to_be_visible()
    # Nothing stands in the description that the page cannot show.
    expect(page.get_by_text("Warning", exact=True)).to_have_count(0)


def test_an_operation_can_be_opened_and_tried(page: Page):
    page.locator("#operations-health-isAlive .opblock-summary-control").click()
    page.locator("#operations-health-isAlive button.execute").click()

    live = page.locator("#operations-health-isAlive .live-responses-table .response-col_status").last
    expect(live).to_contain_text("200")


def test_the_submission_shows_both_of_its_bodies_and_its_examples(page: Page):
    page.locator("#operations-jobs-submitJob .opblock-summary-control").click()

    kinds = page.locator("#operations-jobs-submitJob .opblock-section-request-body select.content-type")
    expect(kinds.locator("option")).to_have_text(["multipart/form-data", "application/json"])
    kinds.select_option("application/json")
    expect(page.locator("#operations-jobs-submitJob .opblock-section-request-body")).to_contain_text(
        "A song by its URL"
    )
