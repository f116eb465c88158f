"""A song's page while its job goes on: what is known so far, and that nothing of it is lost on the way."""

import os
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from support.hand_worker import Stage
from support.long_audio import long_mp3
from support.page import PHONE, Visits, choose, genre, is_at_a_result, is_done, row, segments, song, standing
from support.page_states import MEDLEY, Scene
from support.service import serving

HOUR = {"GENREWIZ_MAX_AUDIO_SECONDS": "7200", "GENREWIZ_LEASE_SECONDS": "300"}


def status(page: Page):
    return page.locator("main").get_by_role("status").first


@pytest.fixture
def scene(visits: Visits, staged: Stage) -> Scene:
    visit = visits(staged.url, excused=["net::ERR_INTERNET_DISCONNECTED"])
    return Scene(page=visit.context.new_page(), stage=staged)


def test_the_answer_so_far_is_there_while_the_song_is_still_being_heard(visits: Visits, tmp_path: Path):
    with serving(tmp_path, **HOUR) as service:
        page = visits(service.url).open()
        choose(page, song("long.mp3", long_mp3(hours=1.5)))
        job_id = is_at_a_result(page)
        expect(page.get_by_text("so far").first).to_be_visible()

        os.kill(service.pid_of("worker"), signal.SIGSTOP)
        try:
            job = service.get(job_id)
            assert job["status"] == "running"
            assert job["result"] is None
            expect(genre(page)).not_to_be_empty()
            expect(segments(page).first).to_be_visible()
            expect(status(page)).to_contain_text(re.compile("Listening, |Reading the song"))
        finally:
            os.kill(service.pid_of("worker"), signal.SIGCONT)
        is_done(page)
        expect(page.get_by_text("so far")).to_have_count(0)
        page.close()  # before the service ends


def test_a_song_shows_its_place_in_the_queue_and_each_of_its_stages(scene: Scene):
    first = scene.submitted("before.mp3")
    job_id = scene.accepted()
    expect(status(scene.page)).to_contain_text("Waiting, ")

    scene.stage.worker.begin(first)
    scene.stage.worker.fail(first)
    scene.stage.worker.begin(job_id)
    expect(status(scene.page)).to_contain_text("Reading the song")
    scene.stage.worker.hear(job_id, MEDLEY, windows=4)
    expect(status(scene.page)).to_contain_text("Listening, 50 %")
    expect(genre(scene.page)).to_contain_text("Disco")
    assert scene.page.title().startswith("50 %")

    scene.stage.worker.answer(job_id, MEDLEY, shown=4)
    is_done(scene.page)
    assert scene.page.title() == "Disco · Medley.mp3 · GenreWiz"


def test_a_page_that_is_loaded_anew_in_the_middle_goes_on(scene: Scene):
    job_id = scene.partial()
    before = segments(scene.page).all_inner_texts()

    scene.page.reload()

    expect(scene.page.get_by_text("so far").first).to_be_visible()
    assert segments(scene.page).all_inner_texts() == before
    scene.stage.worker.answer(job_id, MEDLEY, shown=4)
    is_done(scene.page)
    expect(genre(scene.page)).to_contain_text("Disco")


def test_back_leads_to_the_list_and_forward_to_the_song(scene: Scene):
    job_id = scene.partial()

    scene.page.go_back()
    expect(scene.page.get_by_role("heading", level=1, name="What genre is it?")).to_be_visible()
    expect(standing(scene.page, "Medley.mp3")).to_contain_text("Listening")
    scene.stage.worker.answer(job_id, MEDLEY, shown=4)
    expect(row(scene.page, "Medley.mp3")).to_contain_text("Disco")

    scene.page.go_forward()
    is_done(scene.page)
    assert scene.page.url.endswith(job_id)


def test_what_ends_while_the_browser_is_offline_is_there_when_it_is_back(scene: Scene):
    job_id = scene.partial()

    scene.page.context.set_offline(True)
    expect(scene.page.get_by_text("You are offline.")).to_be_visible()
    expect(genre(scene.page)).to_contain_text("Disco")  # what was known stays
    scene.stage.worker.answer(job_id, MEDLEY, shown=4)
    scene.page.context.set_offline(False)

    is_done(scene.page)
    expect(scene.page.get_by_text("You are offline.")).to_have_count(0)


def test_a_job_that_waits_is_cancelled_at_once(scene: Scene):
    scene.accepted()

    scene.page.get_by_role("button", name="Cancel").click()

    expect(scene.page.locator("main")).to_contain_text("Cancelled")
    expect(scene.page.get_by_role("link", name="Try another song")).to_be_visible()


def test_a_job_that_runs_is_asked_to_stop(scene: Scene):
    job_id = scene.partial()

    scene.page.get_by_role("button", name="Cancel").click()
    expect(status(scene.page)).to_contain_text("Stopping")
    scene.stage.worker.cancelled(job_id)

    expect(scene.page.locator("main")).to_contain_text("Cancelled")


def test_a_shared_link_shows_everything_but_the_player_until_the_result_is_gone(
    visits: Visits, staged: Stage, scene: Scene
):
    job_id = scene.answered("Medley.mp3", MEDLEY)
    other = visits(staged.url, viewport=PHONE, excused=["status of 410"])

    page = other.open(f"/r/{job_id}")

    is_done(page)
    expect(genre(page)).to_contain_text("Disco")
    expect(segments(page).first).to_be_visible()
    expect(page.get_by_role("img", name="Spectrogram")).to_be_visible()
    expect(page.get_by_role("group", name="Player")).to_have_count(0)

    assert staged.api.http.delete(f"/jobs/{job_id}").status_code == 204
    page.reload()
    expect(page.get_by_role("heading", level=1, name="This result is gone")).to_be_visible()
    page.goto(staged.url)
    expect(row(page, "Medley.mp3")).to_contain_text("gone")


def test_an_address_of_no_result_says_so(visits: Visits, staged: Stage):
    page = visits(staged.url, excused=["status of 404"]).open(f"/r/job_{'0' * 24}")

    expect(page.get_by_role("heading", level=1, name="There is no such result")).to_be_visible()


def test_an_address_of_nothing_is_answered_in_the_same_style(visits: Visits, staged: Stage):
    page = visits(staged.url, excused=["status of 404"]).context.new_page()

    answer = page.goto(f"{staged.url}/nowhere")

    assert answer
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1, name="There is nothing here")).to_be_visible()
    page.get_by_role("link", name="Go to the start").click()
    expect(page.get_by_role("heading", level=1, name="What genre is it?")).to_be_visible()
