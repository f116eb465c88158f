"""What stands where on a song's page, and in which colours: what a look at it would tell."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from support.hand_worker import Stage, heard
from support.page import DESK, PHONE, Visits
from support.page_states import Scene, done

ARABIC = "أغنية جميلة جداً.mp3"
COLOUR = "([line, part]) => getComputedStyle(document.querySelector(line), part).backgroundColor"
# Of a line of text, not of its box.
LEFT_OF_WORDS = """(element) => {
  const range = document.createRange();
  range.selectNodeContents(element);
  return range.getBoundingClientRect().left;
}"""
TOUCHED = """(element) => {
  const actions = [];
  for (; element; element = element.parentElement) actions.push(getComputedStyle(element).touchAction);
  return actions.filter((each) => each !== "auto");
}"""


def scene(visits: Visits, staged: Stage, content: bytes, **options: Any) -> Scene:
    visit = visits(staged.url, excused=("status of 410",), **options)
    return Scene(page=visit.context.new_page(), stage=staged, content=content)


def left(page: Page, selector: str) -> float:
    return float(page.locator(selector).evaluate(LEFT_OF_WORDS))


def test_the_bars_are_as_long_as_the_shares_are_large(visits: Visits, staged: Stage, medley: bytes):
    here = scene(visits, staged, medley, viewport=PHONE, reduced_motion="reduce")
    here.answered("Sure.mp3", heard(("disco", "disco"), 0.99))

    bars = here.page.locator(".bars-row").evaluate_all(
        """(rows) => rows.map((row) => {
          const [bar, fill] = [".bars-bar", ".bars-fill"].map((part) =>
            row.querySelector(part).getBoundingClientRect().width);
          const said = Number.parseFloat(row.querySelector(".bars-fill").style.width) / 100;
          return { said, drawn: fill / bar, bar };
        })"""
    )
    assert len(bars) == 5
    for bar in bars:
        assert bar["drawn"] == pytest.approx(bar["said"], abs=2.1 / bar["bar"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lines_are_seen_in_colours_of_ones_own(visits: Visits, staged: Stage, medley: bytes, scheme: str):
    here = scene(visits, staged, medley, viewport=DESK, forced_colors="active", color_scheme=scheme)
    done(here)
    ink = here.page.evaluate("getComputedStyle(document.body).color")

    for line in (
        (".tracks-playhead", None),
        (".tracks-playhead", "::before"),
        (".tracks-axis span", "::before"),
        (".spectrogram-axis span", "::after"),
    ):
        assert here.page.evaluate(COLOUR, line) == ink, line


def test_a_name_of_another_direction_stands_where_all_names_do(visits: Visits, staged: Stage, medley: bytes):
    here = scene(visits, staged, medley, viewport=DESK)
    here.name = ARABIC
    job_id = here.answered(ARABIC, here.song)
    assert left(here.page, "h1") == pytest.approx(left(here.page, ".result-back"), abs=6)

    assert staged.api.http.delete(f"/jobs/{job_id}").status_code == 204
    here.page.reload()
    expect(here.page.get_by_role("heading", level=1, name="This result is gone")).to_be_visible()

    assert left(here.page, ".blank-above") == pytest.approx(left(here.page, "h1"), abs=6)


def test_a_thumb_on_the_picture_scrolls_the_page(visits: Visits, staged: Stage, medley: bytes):
    here = scene(visits, staged, medley, viewport=PHONE, has_touch=True)
    done(here)
    picture = here.page.get_by_role("img", name="Spectrogram")
    expect(picture).to_be_visible()

    assert set(picture.evaluate(TOUCHED)) == {"pan-y"}


def test_that_it_loads_is_said_as_late_to_those_who_want_no_motion(visits: Visits, staged: Stage):
    page = visits(staged.url, reduced_motion="reduce").context.new_page()
    page.route("**/*.js", lambda _: None)  # never arrives
    page.goto(staged.url, wait_until="commit")

    expect(page.locator(".loading")).to_have_css("animation-delay", "3s")
