"""The page for everyone: each of its states, on a phone and on a desk, by day and by night."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from support.hand_worker import Stage, stage
from support.page import PHONE, Visits
from support.page_states import EXCUSED, LOCKED, STATES, Scene

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
# What is wrong in earnest, and where. To preload styles, it would make some that the policy keeps out.
ASK_AXE = """async () => (await axe.run(document, { preload: false })).violations
  .filter(({ impact }) => ["serious", "critical"].includes(impact))
  .map(({ id, nodes }) => [id, ...nodes.map((node) => `${node.target}: ${node.failureSummary}`)].join(" "))"""
# What of the page reaches beyond its edge, or beyond that of a dialog before it.
ASK_WHAT_STICKS_OUT = """() => {
  const root = document.querySelector("dialog[open] article") ?? document.documentElement;
  const { scrollWidth, clientWidth } = root;
  if (scrollWidth <= clientWidth) return [];
  const edge = root.getBoundingClientRect().left + clientWidth;
  return [`${scrollWidth} of ${clientWidth}`, ...[...root.querySelectorAll("*")]
    .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > edge + 0.5)
    .filter((each) => each.childElementCount === 0)
    .map((each) => `${each.tagName} ${each.className}: ${each.textContent.slice(0, 30)}`)];
}"""
ASK_WHAT_SCROLLS_SIDEWAYS = """() => [...document.querySelectorAll("body *")]
  .filter((each) => each.scrollWidth > each.clientWidth)
  .filter((each) => ["auto", "scroll"].includes(getComputedStyle(each).overflowX))
  .map((each) => `${each.tagName} ${each.className}: ${each.scrollWidth} of ${each.clientWidth}`)"""
# Words that lie over others, each as far as one sees it. A line's box may be lower than its letters' own.
ASK_WHAT_LIES_OVER = """() => {
  const ASIDE = ".visually-hidden, .skip-link, .drop-hint"; // the last is meant to lie over all
  const words = [];
  const root = document.querySelector("dialog[open]") ?? document.body;
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    const within = text.parentElement;
    if (!text.data.trim() || !within.checkVisibility() || within.closest(ASIDE)) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const { left, right, top, bottom } of range.getClientRects()) {
      const low = (bottom - top) / 5;
      const box = { text: text.data, left, right, top: top + low, bottom: bottom - low };
      for (let around = within; around; around = around.parentElement) {
        if (getComputedStyle(around).overflow === "visible") continue;
        const edge = around.getBoundingClientRect();
        box.left = Math.max(box.left, edge.left);
        box.right = Math.min(box.right, edge.right);
        box.top = Math.max(box.top, edge.top);
        box.bottom = Math.min(box.bottom, edge.bottom);
      }
      if (box.right > box.left && box.bottom > box.top) words.push(box);
    }
  }
  for (const button of root.querySelectorAll("button.quiet, a.quiet")) {
    const { left, right, top, bottom } = button.getBoundingClientRect();
    const isIn = (word) => button.textContent.includes(word.text);
    for (const word of words.filter((word) => !isIn(word))) {
      if (word.left < right - 1 && left < word.right - 1 && word.top < bottom - 1 && top < word.bottom - 1)
        return [`${word.text} / the button ${button.textContent}`];
    }
  }
  return words.flatMap((one, index) => words.slice(index + 1)
    .filter((two) => one.text !== two.text || one.top !== two.top)
    .filter((two) => Math.min(one.right, two.right) - Math.max(one.left, two.left) > 1 &&
      Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top) > 1)
    .map((two) => `${one.text} / ${two.text}`));
}"""
# What moves, or fades, for longer than anybody sees.
ASK_WHAT_MOVES = """() => {
  const lasts = (style) => [style.transitionDuration, style.animationDuration]
    .some((durations) => durations.split(",").some((each) => Number.parseFloat(each) > 0.001));
  return [...document.querySelectorAll("body, body *")].flatMap((each) => [null, "::before", "::after"]
    .filter((part) => lasts(getComputedStyle(each, part)))
    .map((part) => `${each.tagName} ${each.className}${part ?? ""}`));
}"""
GROUND = "getComputedStyle(document.body).backgroundColor"
INK = "getComputedStyle(document.body).color"
WIDTHS = (360, 1_280)
THEMES = ("light", "dark")


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("locked"), locked=True) as locked:
        yield locked


@pytest.fixture(scope="module", params=list(STATES))
def shown(
    request: pytest.FixtureRequest, browser: Browser, staged: Stage, locked: Stage, medley: bytes
) -> Iterator[Page]:
    """The page in a state."""
    state = request.param
    where = locked if state in LOCKED else staged
    visits = Visits(browser)
    visit = visits(where.url, viewport=PHONE, excused=EXCUSED.get(state, ()), reduced_motion="reduce")
    scene = Scene(page=visit.context.new_page(), stage=where, content=medley)
    STATES[state](scene)
    yield scene.page
    visits.end()


def test_nothing_keeps_anybody_out(shown: Page):
    shown.evaluate(AXE.read_text())
    found: dict[str, Any] = {}
    for theme in THEMES:
        shown.emulate_media(color_scheme=theme)
        for width in WIDTHS:
            shown.set_viewport_size({"width": width, "height": 800})
            found[f"{width} {theme}"] = shown.evaluate(ASK_AXE)

    assert {where: what for where, what in found.items() if what} == {}


def test_a_narrow_phone_needs_no_scrolling_sideways(shown: Page):
    shown.set_viewport_size({"width": 320, "height": 640})

    assert shown.evaluate("document.documentElement.scrollWidth") <= 320
    assert shown.evaluate("document.body.scrollWidth") <= 320
    assert shown.evaluate(ASK_WHAT_SCROLLS_SIDEWAYS) == []


def test_letters_twice_as_large_still_find_room(shown: Page):
    found: dict[str, Any] = {}
    for size in ("150%", "200%"):
        shown.evaluate("(size) => { document.documentElement.style.fontSize = size; }", size)
        for width in (320, 360, 480, 1_280):
            shown.set_viewport_size({"width": width, "height": 800})
            shown.evaluate("() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))")
            found[f"{size} at {width}"] = shown.evaluate(ASK_WHAT_STICKS_OUT) + shown.evaluate(
                ASK_WHAT_LIES_OVER
            )
    shown.evaluate("document.documentElement.style.fontSize = ''")

    assert {where: what for where, what in found.items() if what} == {}


def test_what_can_be_pressed_is_large_enough(shown: Page):
    shown.set_viewport_size({"width": 360, "height": 740})

    small = shown.evaluate(
        """() => [...document.querySelectorAll("button, a.quiet, input:not([type='file']), summary")]
          .filter((each) => each.checkVisibility() && !each.closest(".visually-hidden"))
          .map((each) => ({ name: each.ariaLabel ?? each.textContent, box: each.getBoundingClientRect() }))
          .filter(({ box }) => box.height > 0 && (box.height < 24 || box.width < 24))
          .map(({ name, box }) => `${name}: ${box.width} x ${box.height}`)"""
    )
    assert small == []


def test_nothing_moves_for_those_who_want_that(shown: Page):
    assert shown.evaluate(ASK_WHAT_MOVES) == []


def test_the_night_is_dark(shown: Page):
    shown.emulate_media(color_scheme="light")
    day = shown.evaluate(GROUND), shown.evaluate(INK)
    shown.emulate_media(color_scheme="dark")
    night = shown.evaluate(GROUND), shown.evaluate(INK)

    assert [round(lightness(colour)) for colour in day] == [1, 0]
    assert [round(lightness(colour)) for colour in night] == [0, 1]


def lightness(colour: str) -> float:
    """Of "rgb(29, 26, 36)", 0 to 1."""
    return sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3 / 255
