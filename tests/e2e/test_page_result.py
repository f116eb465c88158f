"""A finished song's page: what it plays, shows, copies and hands out."""

import io
import json
import subprocess
from pathlib import Path

import pytest
from PIL import Image, ImageColor
from playwright.sync_api import Locator, Page, expect

from support.hand_worker import Stage
from support.page import (
    DESK,
    PHONE,
    Visits,
    bounds,
    choose,
    copied,
    genre,
    is_at_a_result,
    is_done,
    player,
    playhead,
    segments,
    song,
)
from support.page_states import MEDLEY, UNSURE, Scene
from support.service import Service
from support.waiting import eventually


@pytest.fixture
def scene(visits: Visits, staged: Stage, medley: bytes) -> Scene:
    """With a song that can be heard."""
    visit = visits(staged.url, viewport=DESK, permissions=["clipboard-read", "clipboard-write"])
    return Scene(page=visit.context.new_page(), stage=staged, content=medley)


def test_the_song_is_played_from_its_own_file(scene: Scene):
    scene.answered("Medley.mp3", MEDLEY)
    fetched: list[str] = []
    scene.page.on("request", lambda request: fetched.append(request.url))

    player(scene.page).get_by_role("button", name="Play").click()

    expect(player(scene.page).get_by_role("button", name="Pause")).to_be_visible()
    expect(player(scene.page)).to_contain_text("0:01")
    player(scene.page).get_by_role("button", name="Pause").click()
    expect(player(scene.page).get_by_role("button", name="Play")).to_be_visible()
    assert [each for each in fetched if not each.startswith("blob:") and not each.endswith(".svg")] == []


def test_a_segment_of_the_timeline_leads_to_its_place_in_the_song(scene: Scene):
    scene.answered("Medley.mp3", MEDLEY)
    expect(player(scene.page)).to_be_visible()

    starts, ends = bounds(segment := segments(scene.page).get_by_role("button").nth(1))
    segment.click()

    eventually(lambda: starts <= playhead(scene.page) <= ends)
    assert starts > 0
    heard = (segment.inner_text()).rstrip("?")
    expect(player(scene.page)).to_contain_text(f"· {heard}")


@pytest.mark.parametrize("share", [0.25, 0.6, 0.9])
def test_a_click_into_the_picture_leads_to_its_place_in_the_song(scene: Scene, share: float):
    scene.answered("Medley.mp3", MEDLEY)
    expect(player(scene.page)).to_be_visible()
    picture = scene.page.get_by_role("img", name="Spectrogram")
    box = picture.locator("..").bounding_box()
    assert box

    picture.scroll_into_view_if_needed()
    box = picture.locator("..").bounding_box()
    assert box
    scene.page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)

    seconds_there = share * MEDLEY.duration_seconds
    eventually(lambda: abs(playhead(scene.page) - seconds_there) <= 1.5)
    line = scene.page.get_by_test_id("playhead").bounding_box()
    wave = scene.page.get_by_role("slider", name="Position in the song").bounding_box()
    assert line
    assert wave
    assert line["x"] + line["width"] / 2 == pytest.approx(box["x"] + share * box["width"], abs=3)
    assert (wave["x"], wave["width"]) == pytest.approx((box["x"], box["width"]), abs=1)


def test_the_waveform_has_the_colours_of_the_genres_that_are_heard_in_it(scene: Scene):
    scene.answered("Medley.mp3", MEDLEY)
    expect(segments(scene.page)).to_have_count(4)
    eventually(lambda: all(waved(scene.page, segment) for segment in segments(scene.page).all()))

    for change in (
        lambda: scene.page.set_viewport_size(PHONE),
        lambda: scene.page.emulate_media(color_scheme="dark"),
    ):
        change()
        eventually(lambda: all(waved(scene.page, segment) for segment in segments(scene.page).all()))


def test_the_waveform_has_no_colour_where_the_model_is_not_sure(scene: Scene):
    scene.answered("Riddle.mp3", UNSURE)

    expect(segments(scene.page).first).to_be_visible()
    eventually(lambda: all(waved(scene.page, each, "--line-strong") for each in segments(scene.page).all()))


def waved(page: Page, segment: Locator, colour: str = "--genre") -> bool:
    """Whether the waveform at the middle of a segment is drawn in that colour of the styles."""
    wave = page.get_by_role("slider", name="Position in the song")
    picture = Image.open(io.BytesIO(wave.screenshot(animations="disabled"))).convert("RGB")
    left, right = (
        round(segment.evaluate("(part, share) => part.offsetLeft + share * part.offsetWidth", share))
        for share in (0.4, 0.6)
    )
    counted = picture.crop((left, 0, right, picture.height)).getcolors(2**16) or []
    ground_and_drawn = [rgb for _, rgb in sorted(counted, reverse=True)[:2]]
    said = segment.evaluate("(part, name) => getComputedStyle(part).getPropertyValue(name).trim()", colour)
    return ImageColor.getrgb(said) in ground_and_drawn


def test_a_picture_without_a_song_is_no_way_to_seek(scene: Scene, visits: Visits):
    job_id = scene.answered("Medley.mp3", MEDLEY)

    page = visits(scene.stage.url).open(f"/r/{job_id}")

    is_done(page)
    expect(segments(page).first).to_be_visible()
    expect(segments(page).get_by_role("button")).to_have_count(0)


def test_the_answer_can_be_had_as_json(scene: Scene):
    job_id = scene.answered("Medley.mp3", MEDLEY)

    with scene.page.expect_download() as download:
        scene.page.get_by_role("button", name="Download JSON").click()

    told = json.loads(Path(download.value.path()).read_text())
    assert told == scene.stage.api.http.get(f"/jobs/{job_id}").json()
    assert download.value.suggested_filename.endswith(".genrewiz.json")


def test_the_copied_command_asks_for_the_same(
    visits: Visits, service: Service, sample: bytes, tmp_path: Path
):
    name = 'it\'s; a "song", $HOME.mp3'
    visit = visits(service.url, permissions=["clipboard-read", "clipboard-write"])
    page = visit.open()
    choose(page, song(name, sample))
    job_id = is_at_a_result(page)
    is_done(page)
    (tmp_path / name).write_bytes(sample)

    page.get_by_role("button", name="Copy as curl").click()
    done = subprocess.run(
        ["sh", "-c", copied(page)], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    again = service.finished(json.loads(done.stdout)["id"])
    assert again["source"]["filename"] == name
    assert again["result"] == service.get(job_id)["result"]


def test_a_song_that_the_model_is_not_sure_of_gets_no_genre(scene: Scene):
    scene.answered("Riddle.mp3", UNSURE)

    expect(genre(scene.page)).to_have_text("Not sure")
    expect(scene.page.locator("main")).to_contain_text("Closest")


def test_how_sure_the_model_has_to_be_is_what_its_card_recommends(visits: Visits, service: Service):
    """The page asks so; what the service makes of it is the same for everybody."""
    page = visits(service.url, excused=["status of 422"]).open()
    page.get_by_role("textbox", name="Link to a song").fill("http://127.0.0.1/song.mp3")

    with page.expect_request(lambda request: request.method == "POST") as asked:
        page.get_by_role("button", name="Listen").click()

    expect(page.get_by_role("alert")).to_be_visible()  # such a link is fetched for nobody
    card = service.http.get("/models").json()["models"][0]
    least = card["measured"]["recommended"]["min_confidence"]
    assert asked.value.post_data_json["options"]["min_confidence"] == least
