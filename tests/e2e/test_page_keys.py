"""A service that asks for API keys, and the page there."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from support.hand_worker import Stage, stage
from support.page import Visit, Visits, choose, genre, is_at_a_result, is_done, song
from support.page_states import MEDLEY, Scene

REFUSED = ["status of 401"]


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("locked"), locked=True) as locked:
        yield locked


@pytest.fixture
def visit(visits: Visits, locked: Stage) -> Visit:
    return visits(locked.url, excused=REFUSED)


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="This service needs an API key")


def give(page: Page, key: str | None) -> None:
    assert key
    dialog(page).get_by_label("API key", exact=True).fill(key)
    dialog(page).get_by_role("button", name="Use this key").click()


def test_the_page_asks_once_and_goes_on_with_what_was_chosen(visit: Visit, locked: Stage):
    page = visit.open()
    choose(page, song("Medley.mp3", Scene(page=page, stage=locked).content))
    expect(dialog(page)).to_be_visible()

    give(page, locked.key)

    job_id = is_at_a_result(page)
    with page.expect_response(lambda response: "/events?token=" in response.url) as streamed:
        page.reload()  # the tab still has it
    expect(page.locator("main").get_by_role("status").first).to_contain_text("Waiting")
    expect(dialog(page)).to_have_count(0)
    locked.worker.begin(job_id)
    locked.worker.answer(job_id, MEDLEY)
    is_done(page)
    expect(page.get_by_role("img", name="Spectrogram")).to_be_visible()
    assert streamed.value.status == 200
    assert locked.key
    assert locked.key not in streamed.value.url
    kept = page.evaluate("[JSON.stringify(localStorage), document.cookie]")
    assert all(locked.key not in each for each in kept)


def test_a_wrong_key_is_said_to_be_wrong(visit: Visit, locked: Stage):
    page = visit.open(f"/r/job_{'0' * 24}")
    expect(dialog(page)).to_be_visible()

    give(page, "gw_0000000000000000_" + "0" * 43)

    expect(dialog(page)).to_contain_text("refused")


def test_a_shared_link_asks_for_a_key_too(visits: Visits, visit: Visit, locked: Stage):
    mine = visit.open()
    choose(mine, song("Medley.mp3", Scene(page=mine, stage=locked).content))
    give(mine, locked.key)
    job_id = is_at_a_result(mine)
    locked.worker.begin(job_id)
    locked.worker.answer(job_id, MEDLEY)
    other = visits(locked.url, excused=REFUSED)

    page = other.open(f"/r/{job_id}")
    expect(dialog(page)).to_be_visible()
    expect(genre(page)).to_have_count(0)
    give(page, locked.key)

    is_done(page)
    expect(genre(page)).to_contain_text("Disco")
