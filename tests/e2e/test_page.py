"""The page in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from support.audio import encode, music_like
from support.browser import ARGUMENTS, CHROMIUM
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
    """The page, watched: an error in its console or a request that leaves this machine fails the test."""
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.set_default_timeout(PATIENCE_SECONDS * 1_000)
    expect.set_options(timeout=PATIENCE_SECONDS * 1_000)
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda request: request.url.startswith(service.url) or trouble.append(request.url))
    page.goto(service.url)
    yield page
    assert [each for each in trouble if not each.startswith(("data:", "blob:"))] == []
    page.close()


def test_choosing_a_song_shows_its_five_likeliest_genres(page: Page, tmp_path: Path):
    song = tmp_path / "my song.flac"
    song.write_bytes(encode(music_like(seconds=30, seed=2), "flac16"))

    page.set_input_files("#file", song)

    expect(page.locator("#answer")).to_be_visible()
    expect(page.locator("#top tr")).to_have_count(5)
    expect(page.locator("#top tr").first).to_contain_text("%")
    assert page.locator("#genre").inner_text().lower() == page.locator("#top th").first.inner_text().lower()
    expect(page.get_by_role("status")).to_have_text("my song.flac")
    expect(page.locator("#about")).to_contain_text("30 s of flac")


@pytest.mark.parametrize("name", ["Night drive", "Nocturne", "Riff"])
def test_each_bundled_song_can_be_tried(page: Page, name: str):
    page.get_by_role("button", name=name).click()

    expect(page.locator("#top tr")).to_have_count(5)


def test_a_file_that_is_no_song_gets_a_sentence(page: Page, tmp_path: Path):
    (tmp_path / "song.mp3").write_text("Dear diary, today I learned nothing. " * 10)

    page.set_input_files("#file", tmp_path / "song.mp3")

    expect(page.get_by_role("status")).to_contain_text("no audio format that we know")
    expect(page.locator("#answer")).to_be_hidden()


def test_a_song_that_fails_says_why(page: Page, tmp_path: Path):
    (tmp_path / "short.wav").write_bytes(encode(music_like(seconds=1, seed=2), "wav16"))

    page.set_input_files("#file", tmp_path / "short.wav")

    expect(page.get_by_role("status")).to_contain_text("At least 3 seconds")


def test_a_phone_needs_no_scrolling_sideways(page: Page):
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
