"""`make screenshots`: each state of the page on a phone and on a desk, by day and by night, as small PNGs.

Answers are real: pictures of them are taken at a whole service. What goes on is brought about on an api whose
worker this is, which says what that service has said: so each picture is of the same moment every time.
"""

import io
import json
import sys
import tempfile
from collections.abc import Callable
from functools import cache, partial
from itertools import product
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image
from playwright.sync_api import Browser, Page

from shared.classification import Classification, Prediction, TimelineEntry
from support.audio import encode
from support.hand_worker import Heard, stage
from support.page import DESK, PHONE, Visits, browsing
from support.page_states import EXCUSED, LOCKED, STATES, Scene, wishes
from support.service import Service, serving

CHECKOUT = Path(__file__).parents[2]
PICTURES = CHECKOUT / "docs" / "screenshots"
SAMPLES = CHECKOUT / "api" / "static" / "samples"
MOST_PIXELS_HIGH = 1_600
EXACT_COLOURS, OTHER_COLOURS = 200, 56
ANSWERS = {"done", "table", "unsure", "shared"}
"""States of which the answer is all there is to see."""
LISTED = ("nightdrive", "nocturne", "medley", "riff", "riddle", "medley", "nocturne", "nightdrive")
NOW = "2026-05-14T20:15:00"


def heard(service: Service, name: str, content: bytes) -> Heard:
    """What the service says of a song."""
    job = service.classify(name, content, job='{"options": {"spectrogram": true, "top": 10}}')
    assert job["status"] == "succeeded", job["error"]
    result = job["result"]
    return Heard(
        classification=Classification(
            predictions=tuple(Prediction(**each) for each in result["top"]),
            timeline=tuple(
                TimelineEntry(**{**each, "probabilities": tuple(each["probabilities"])})
                for each in result["timeline"]
            ),
        ),
        duration_seconds=job["source"]["duration_seconds"],
        picture=service.http.get(f"/jobs/{job['id']}/spectrogram.png").content,
    )


class AtService(Scene):
    """The page of a service that has a worker of its own."""

    def submitted(self, name: str) -> str:
        return self.stage.submit(name, self.content, job=json.dumps(wishes()))

    def answer(self, job_id: str, what: Heard) -> None:
        """Its worker does that."""


def taken(visits: Visits, scene: Scene, state: str, size: dict[str, int], theme: str) -> Path:
    """One picture."""
    STATES[state](scene)
    page = scene.page
    page.evaluate("document.fonts.ready")
    page.evaluate("document.activeElement?.blur(), scrollTo(0, 0)")
    high = min(MOST_PIXELS_HIGH, page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": size["width"], "height": max(high, size["height"])})
    path = PICTURES / f"{state.replace('_', '-')}-{size['width']}-{theme}.png"
    write(page.screenshot(animations="disabled", caret="hide"), path)
    visits.end()
    return path


def write(png: bytes, path: Path) -> None:
    """With a palette, which is small: what there is most of keeps its colours, pictures get few."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    counted = sorted(image.getcolors(2**24) or [], reverse=True)[:EXACT_COLOURS]
    exact = [part for _, colour in counted for part in colour]
    others = image.quantize(OTHER_COLOURS, method=Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*exact, *others[: 3 * OTHER_COLOURS]])
    image.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)


def main(wanted: list[str]) -> None:
    """All states, or those that are named."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    states = wanted or list(STATES)
    with tempfile.TemporaryDirectory() as folder, browsing() as browser:
        with serving(Path(folder) / "service") as service:
            said = {name: heard(service, name, content) for name, content in sounds().items()}
            scene = partial(AtService, stage=service)
            draw([state for state in states if state in ANSWERS], lambda _: scene, browser)
        with stage(Path(folder) / "open") as free, stage(Path(folder) / "locked", locked=True) as locked:
            scene = partial(Scene, song=said["medley"], others=tuple(said[name] for name in LISTED))
            draw(
                [state for state in states if state not in ANSWERS],
                lambda state: partial(scene, stage=locked if state in LOCKED else free),
                browser,
            )


def draw(states: list[str], scene_of: Callable[[str], "partial[Scene]"], browser: Browser) -> None:
    """Pictures of these states, in every size and theme."""
    medley, riddle = sounds()["medley"], sounds()["riddle"]
    for state, size, theme in product(states, (PHONE, DESK), ("light", "dark")):
        visits = Visits(browser)
        make = scene_of(state)
        page = person(visits, make.keywords["stage"].url, state, size, theme)
        scene = make(page=page, content=medley, unsure_content=riddle)
        path = taken(visits, scene, state, size, theme)
        print(f"{path.relative_to(CHECKOUT)}  {path.stat().st_size / 1_000:.0f} kB", flush=True)


@cache
def sounds() -> dict[str, bytes]:
    """Our own samples as MP3s, and a riddle: one of them from its end to its beginning."""
    ours = {
        name: (SAMPLES / f"{name}.mp3").read_bytes() for name in ("nightdrive", "nocturne", "riff", "medley")
    }
    sound, rate = soundfile.read(io.BytesIO(ours["medley"]), dtype="float32")
    return ours | {"riddle": encode(np.ascontiguousarray(sound[::-1]), "mp3", sample_rate=rate)}


def person(visits: Visits, url: str, state: str, size: dict[str, int], theme: str) -> Page:
    """Whoever looks: always at the same time, in the same place."""
    visit = visits(
        url,
        viewport=size,
        color_scheme=theme,
        reduced_motion="reduce",
        excused=EXCUSED.get(state, ()),
        timezone_id="Europe/Berlin",
        locale="en-GB",
    )
    page = visit.context.new_page()
    page.clock.install(time=NOW)
    return page


if __name__ == "__main__":
    main(sys.argv[1:])
