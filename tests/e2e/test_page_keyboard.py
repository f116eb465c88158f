"""The page without a mouse."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from support.hand_worker import Stage
from support.page import (
    DESK,
    DROP_ZONE,
    Visits,
    bounds,
    copied,
    is_at_a_result,
    is_done,
    player,
    playhead,
    segments,
)
from support.page_states import MEDLEY, Scene
from support.waiting import eventually

# What has the focus, where neither it nor a label around it looks any different by that.
IS_HIDDEN = """() => {
  const focused = document.activeElement;
  if (!focused || focused === document.body) return null; // at the end: the browser's own turn
  const looks = (element) => {
    getComputedStyle(element).outlineStyle; // by this what changes slowly has begun to
    for (const each of element.getAnimations()) if (each instanceof CSSTransition) each.finish();
    const { outlineStyle, outlineWidth, boxShadow, borderColor, backgroundColor } = getComputedStyle(element);
    return [outlineStyle === "none" ? "" : outlineWidth, boxShadow, borderColor, backgroundColor].join();
  };
  const seen = [focused, focused.closest("label")].filter((element) => element?.checkVisibility());
  const [large] = seen.map((element) => element.getBoundingClientRect()).filter(({ width }) => width > 4);
  const having = seen.map(looks);
  focused.blur();
  const lacking = seen.map(looks);
  focused.focus({ focusVisible: true, preventScroll: true });
  return large && having.some((look, at) => look !== lacking[at]) ? null : focused.outerHTML.slice(0, 200);
}"""


@pytest.fixture
def scene(visits: Visits, staged: Stage, medley: bytes) -> Scene:
    """With a song that can be heard."""
    visit = visits(staged.url, viewport=DESK, permissions=["clipboard-read", "clipboard-write"])
    return Scene(page=visit.context.new_page(), stage=staged, content=medley)


def test_everything_from_the_file_to_the_copied_link_goes_without_a_mouse(scene: Scene, tmp_path: Path):
    page, file = scene.page, tmp_path / "Medley.mp3"
    file.write_bytes(scene.content)
    page.on("filechooser", lambda _: None)  # from now on the browser hands choosers over
    scene.go()

    tab_to(page, page.get_by_label(DROP_ZONE))
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(file)
    job_id = is_at_a_result(page)
    scene.stage.worker.begin(job_id)
    scene.stage.worker.answer(job_id, MEDLEY)
    is_done(page)

    expect(page.get_by_role("heading", level=1)).to_be_focused()
    tab_to(page, player(page).get_by_role("button", name="Play"))
    page.keyboard.press("Enter")
    expect(player(page).get_by_role("button", name="Pause")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, segments(page).get_by_role("button").nth(1))
    page.keyboard.press("Enter")
    starts, ends = bounds(segments(page).get_by_role("button").nth(1))
    eventually(lambda: starts <= playhead(page) <= ends)
    tab_to(page, page.get_by_role("button", name="Show as table"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("table", name="Window by window").get_by_role("row")).to_have_count(9)
    tab_to(page, page.get_by_role("button", name="Copy link"))
    page.keyboard.press("Enter")
    assert copied(page) == f"{scene.stage.url}/r/{job_id}"


def tab_to(page: Page, target: Locator) -> None:
    """By the tab key alone; what has the focus on the way can be seen."""
    expect(target).to_be_visible()
    for _ in range(60):
        if target.evaluate("(element) => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
        where = page.evaluate(IS_HIDDEN)
        assert where is None, f"nobody sees that the focus is at {where}"
    raise AssertionError(f"the tab key does not lead to {target}")
