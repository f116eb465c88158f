"""The spectrogram's axes: what is drawn stands where the sound is."""

import re

import pytest
from playwright.sync_api import Locator, expect

from support.audio import chirp, encode, sine
from support.page import Visits, choose, is_at_a_result, is_done, player, seconds, song
from support.service import Service

# How far from the top, as a share of its height, the brightest row of a picture is.
BRIGHTEST_ROW = """async (image) => {
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const drawing = canvas.getContext("2d", { willReadFrequently: true });
  drawing.drawImage(image, 0, 0);
  const light = Array.from({ length: canvas.height }, (_, row) =>
    drawing.getImageData(0, row, canvas.width, 1).data.reduce((sum, part) => sum + part, 0));
  return (light.indexOf(Math.max(...light)) + 0.5) / canvas.height;
}"""


def centre(what: Locator) -> tuple[float, float]:
    box = what.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("width", [360, 1_280])
def test_the_axis_of_the_spectrogram_is_where_the_sound_is(visits: Visits, service: Service, width: int):
    page = visits(service.url, viewport={"width": width, "height": 900}).open()
    choose(page, song("tone.wav", encode(sine(1_000, seconds=20), "wav16"), "audio/wav"))
    is_at_a_result(page)
    is_done(page)
    figure = page.locator("figure", has=page.get_by_role("img", name="Spectrogram"))

    image = figure.locator("img")
    expect(image).to_be_visible()
    expect(player(page).get_by_role("button")).to_be_visible()  # nothing moves any more
    bright = image.evaluate(BRIGHTEST_ROW)
    tick = figure.get_by_text(re.compile(r"^1 ?kHz$|^1k$")).first.element_handle()

    # Of one moment: how far below the picture's top the tick is, as a share of its height.
    share = image.evaluate(
        """(image, tick) => {
          const [picture, mark] = [image, tick].map((each) => each.getBoundingClientRect());
          return (mark.top + mark.height / 2 - picture.top) / picture.height;
        }""",
        tick,
    )
    assert share == pytest.approx(bright, abs=0.015)


@pytest.mark.parametrize("width", [360, 1_280])
def test_the_axis_of_time_ends_where_the_song_does(visits: Visits, service: Service, width: int):
    page = visits(service.url, viewport={"width": width, "height": 900}).open()
    choose(page, song("rise.wav", encode(chirp(100, 8_000, seconds=20), "wav16"), "audio/wav"))
    is_at_a_result(page)
    is_done(page)
    image = page.get_by_role("img", name="Spectrogram")
    expect(image).to_be_visible()

    box = image.locator("..").bounding_box()
    assert box
    ticks = page.locator(".tracks, figure").get_by_text(re.compile(r"^\d+:\d\d$")).all()
    places = {seconds(tick.inner_text()): centre(tick)[0] for tick in ticks if tick.is_visible()}

    assert places
    for at, x in places.items():
        if 0 < at < 20:  # those at the ends stand inside
            assert x == pytest.approx(box["x"] + at / 20 * box["width"], abs=3)
