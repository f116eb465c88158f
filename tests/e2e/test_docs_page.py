"""/docs in a real browser: the API for people, from this server alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from support.browser import ARGUMENTS, CHROMIUM
from support.contract import document
from support.service import Service
from support.waiting import PATIENCE_SECONDS


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, service: Service) -> Iterator[Page]:
    """The page, watched: a word in the console or a request that leaves this machine fails the test."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_SECONDS * 1_000)
    expect.set_options(timeout=PATIENCE_SECONDS * 1_000)
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda message: trouble.append(message.text))
    page.on("request", lambda request: request.url.startswith(service.url) or trouble.append(request.url))
    page.goto(f"{service.url}/docs")
    yield page
    assert [each for each in trouble if not each.startswith(("data:", "blob:"))] == []
    page.close()


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
