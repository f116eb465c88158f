"""Songs that do not get through: stopped, refused, or not to be answered."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from support.audio import encode, music_like
from support.page import DROP_ZONE, Visit, Visits, choose, is_at_a_result, row, song, standing
from support.service import MAX_UPLOAD_BYTES, Service

SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 100_000}

FAST = SLOW | {"uploadThroughput": -1}


@pytest.fixture
def visit(visits: Visits, service: Service) -> Visit:
    return visits(service.url)


def test_an_upload_can_be_stopped(visit: Visit, service: Service):
    page = visit.open()
    chromium = visit.context.new_cdp_session(page)
    chromium.send("Network.enable")
    chromium.send("Network.emulateNetworkConditions", SLOW)

    choose(page, song("long.flac", b"fLaC" + bytes(2 * 2**20), "audio/flac"))
    expect(standing(page, "long.flac")).to_contain_text("Uploading, ")
    with page.expect_event("requestfailed", lambda request: request.method == "POST") as failure:
        page.get_by_role("button", name="Cancel long.flac").click()

    assert failure.value.failure == "net::ERR_ABORTED"
    expect(row(page, "long.flac")).to_have_count(0)
    chromium.send("Network.emulateNetworkConditions", FAST)  # what still went on would come through now
    jobs = service.http.get("/jobs?limit=100").json()["jobs"]
    assert "long.flac" not in [job["source"]["filename"] for job in jobs]


def test_a_file_that_is_no_song_gets_a_sentence_what_to_do_and_a_number(visits: Visits, service: Service):
    page = visits(service.url, excused=["status of 415"]).open()

    choose(page, song("diary.mp3", b"Dear diary, today I learned nothing. " * 10))

    alert = row(page, "diary.mp3").get_by_role("alert")
    expect(alert).to_contain_text("no audio format that we know")
    expect(alert).to_contain_text("Request ")
    assert page.url == f"{service.url}/"


def test_a_song_that_is_too_large_is_refused_before_it_is_sent(visit: Visit, tmp_path: Path):
    page = visit.open()
    sent: list[str] = []
    page.on("request", lambda request: request.method == "POST" and sent.append(request.url))

    with (tmp_path / "huge.wav").open("wb") as huge:
        huge.truncate(MAX_UPLOAD_BYTES + 1)
    page.get_by_label(DROP_ZONE).set_input_files(tmp_path / "huge.wav")

    expect(row(page, "huge.wav").get_by_role("alert")).to_contain_text("at most 30 MB")
    assert sent == []


def test_a_song_that_cannot_be_answered_says_why_and_what_to_do(visit: Visit):
    page = visit.open()

    choose(page, song("short.wav", encode(music_like(seconds=1, seed=2), "wav16"), "audio/wav"))

    job_id = is_at_a_result(page)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("At least 3 seconds")
    expect(alert).to_contain_text(f"Job {job_id}")
    page.get_by_role("link", name="Try another song").click()
    expect(page.get_by_role("heading", level=1, name="What genre is it?")).to_be_visible()
