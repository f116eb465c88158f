"""The page when a part of it does not come, or comes late."""

from playwright.sync_api import Request, expect

from support.hand_worker import Stage
from support.page import Visits
from support.page_states import MEDLEY, Scene

LOADING = "Loading… If this stays, reload the page."


def test_a_page_whose_script_does_not_come_says_so(visits: Visits, staged: Stage):
    visit = visits(staged.url, excused=["net::ERR_FAILED"], reduced_motion="reduce")
    visit.context.route("**/*.js", lambda route: route.abort())

    page = visit.open()

    expect(page.get_by_text(LOADING)).to_be_visible()


def test_a_page_that_is_there_says_nothing_of_loading(visits: Visits, staged: Stage):
    page = visits(staged.url).open()

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text(LOADING)).to_have_count(0)


def test_a_picture_that_does_not_come_at_once_is_fetched_again(visits: Visits, staged: Stage):
    visit = visits(staged.url, excused=["net::ERR_FAILED"])
    scene = Scene(page=visit.context.new_page(), stage=staged)
    job_id = scene.submitted("Medley.mp3")
    scene.answer(job_id, MEDLEY)
    asked: list[Request] = []
    scene.page.on("request", lambda request: "spectrogram" in request.url and asked.append(request))
    scene.page.route("**/spectrogram.png", lambda route: route.abort())

    scene.go(f"/r/{job_id}")
    expect(scene.page.get_by_text("The spectrogram could not be fetched; trying again.")).to_be_visible()
    scene.page.unroute("**/spectrogram.png")

    expect(scene.page.get_by_role("img", name="Spectrogram")).to_be_visible()
    assert len(asked) > 1
