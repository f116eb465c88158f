"""Songs on their way from the page to the service: by choice, by drop, by link, one or many."""

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from support.audio import encode, music_like
from support.page import (
    DROP_ZONE,
    Visit,
    Visits,
    choose,
    drop,
    genre,
    is_at_a_result,
    is_done,
    row,
    song,
    standing,
)
from support.service import Service, serving
from support.web import Server, response, saying

LOCAL = {"GENREWIZ_EGRESS_HTTP": "true", "GENREWIZ_EGRESS_ALLOW": "127.0.0.0/8,::1/128"}


@pytest.fixture
def visit(visits: Visits, service: Service) -> Visit:
    return visits(service.url)


@pytest.fixture(scope="module")
def songs() -> dict[str, bytes]:
    """Three that differ."""
    kinds = {"one.flac": "flac16", "two, or three.mp3": "mp3", "=four.wav": "wav16"}
    return {
        name: encode(music_like(seconds=8, seed=seed), kind)
        for seed, (name, kind) in enumerate(kinds.items())
    }


def is_answered(page: Page, service: Service, name: str) -> None:
    """The page of a result says what the service says."""
    job = service.get(is_at_a_result(page))
    is_done(page)
    job = service.get(job["id"])
    named = job["result"]["genre"]
    expect(genre(page)).to_contain_text("Not sure" if named is None else shown(named))
    bars = page.get_by_role("list", name="Likeliest genres").get_by_role("listitem")
    expect(bars).to_have_count(5)
    for bar, each in zip(bars.all(), job["result"]["top"], strict=True):
        expect(bar).to_contain_text(shown(each["genre"]))
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def shown(named: str) -> str:
    return "Hip-hop" if named == "hiphop" else named.capitalize()


def test_a_chosen_song_goes_straight_to_its_result(visit: Visit, service: Service, songs):
    page = visit.open()

    choose(page, song("one.flac", songs["one.flac"], "audio/flac"))

    is_answered(page, service, "one.flac")
    assert page.title().endswith("one.flac · GenreWiz")


@pytest.mark.parametrize("where", ["the zone", "elsewhere"])
def test_a_dropped_song_goes_to_its_result_wherever_it_falls(visit: Visit, service: Service, songs, where):
    page = visit.open()
    zone = page.locator("label", has=page.get_by_label(DROP_ZONE))

    drop(zone if where == "the zone" else page.locator("body"), song("one.flac", songs["one.flac"]))

    is_answered(page, service, "one.flac")


def test_a_link_to_a_song_is_fetched_and_answered(visits: Visits, tmp_path: Path, songs):
    with Server(saying(response(songs["one.flac"]))) as server, serving(tmp_path, **LOCAL) as service:
        page = visits(service.url).open()

        page.get_by_role("textbox", name="Link to a song").fill(server.url("/one.flac"))
        page.get_by_role("button", name="Listen").click()

        is_answered(page, service, "one.flac")
        expect(page.get_by_role("group", name="Player")).to_have_count(
            0
        )  # there is no file here to be played


def test_something_that_is_no_link_is_told_and_sent_nowhere(visit: Visit):
    page = visit.open()

    page.get_by_role("textbox", name="Link to a song").fill("ftp://a.example/b.mp3")
    page.get_by_role("button", name="Listen").click()

    link = page.get_by_role("textbox", name="Link to a song")
    expect(link).to_have_accessible_description(re.compile("http"))
    expect(link).to_have_attribute("aria-invalid", "true")
    assert page.url == f"{visit.origin}/"


@pytest.mark.parametrize("name", ["Night drive", "Nocturne", "Riff", "Medley"])
def test_each_song_of_ours_can_be_tried(visit: Visit, name: str):
    page = visit.open()

    page.get_by_role("group", name="Or try one of ours").get_by_role("button", name=name).click()

    is_at_a_result(page)
    is_done(page)


def test_several_songs_stay_in_the_list_and_come_out_as_a_table(visit: Visit, service: Service, songs):
    page = visit.open()

    choose(page, *(song(name, content) for name, content in songs.items()))

    for name in songs:
        expect(standing(page, name)).to_contain_text("Done")
    assert page.url == f"{visit.origin}/"
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    text = Path(download.value.path()).read_bytes().decode("utf-8-sig")
    rows = {each["song"].removeprefix("'"): each for each in csv.DictReader(io.StringIO(text, newline=""))}
    assert set(rows) == set(songs)
    assert "'=four.wav" in text  # which a spreadsheet takes for no formula
    for name, told in rows.items():
        job = service.get(told["job"])
        first, second = job["result"]["top"][:2]
        assert job["source"]["filename"] == name
        assert told["status"] == "succeeded"
        assert told["genre"] == (job["result"]["genre"] or "")
        assert float(told["confidence"]) == pytest.approx(first["probability"], abs=1e-4)
        assert told["first"] == first["genre"]
        assert told["second"] == second["genre"]
        assert float(told["duration_seconds"]) == pytest.approx(8, abs=0.2)


def test_the_list_survives_a_new_tab_and_can_be_cleared(visit: Visit, songs):
    page = visit.open()
    choose(page, *(song(name, content) for name, content in songs.items()))
    for name in songs:
        expect(standing(page, name)).to_contain_text("Done")

    other = visit.open()
    expect(row(other, "one.flac").get_by_role("link", name="one.flac")).to_be_visible()
    other.get_by_role("button", name="Remove one.flac").click()
    expect(row(other, "one.flac")).to_have_count(0)
    other.get_by_role("button", name="Undo removing one.flac").click()
    expect(row(other, "one.flac").get_by_role("link", name="one.flac")).to_be_visible()
    other.get_by_role("button", name="Clear list").click()

    expect(other.get_by_role("list", name="Your songs").get_by_role("listitem")).to_have_count(0)
