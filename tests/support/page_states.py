"""Every state that the page can be in, each brought about by a function: the tests of looks and `make
screenshots` go through the same ones.

A state's function leaves the page open in it. What the console says of refusals on the way stands in EXCUSED.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

from support.api_server import WAV
from support.hand_worker import Heard, Stage, heard
from support.page import (
    choose,
    drag,
    genre,
    is_at_a_result,
    is_done,
    row,
    segments,
    song,
    standing,
)
from support.waiting import eventually

MEDLEY = heard(("disco", "disco", "disco", "jazz", "jazz", "classical", "rock", "rock"), 0.72)
UNSURE = heard(("pop", "disco", "pop", "reggae"), 0.34)
OTHERS = tuple(
    UNSURE if number == 4 else heard((genre,), 0.9 - number / 20)
    for number, genre in enumerate(("disco", "classical", "pop", "rock", "pop", "jazz", "country", "reggae"))
)
SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 100_000}


@dataclass
class Scene:
    """The page, the stage behind it, and the songs that are to be had."""

    page: Page
    stage: Stage
    song: Heard = MEDLEY
    name: str = "Medley.mp3"
    unsure: Heard = UNSURE
    unsure_content: bytes | None = None  # where it is another's
    others: tuple[Heard, ...] = OTHERS  # what is said of the first of many
    content: bytes = WAV  # of every song; the one who plays the worker does not mind

    def go(self, path: str = "/") -> None:
        """To an address of the service."""
        self.page.goto(f"{self.stage.url}{path}")

    def submitted(self, name: str) -> str:
        """The job of a song that somebody else sends."""
        answer = self.stage.api.post(self.content, name=name, job=wishes())
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def accepted(self, name: str | None = None, content: bytes | None = None) -> str:
        """The job of a song that was chosen here; its page is open."""
        self.go()
        choose(self.page, song(name or self.name, content or self.content))
        return is_at_a_result(self.page)

    def answer(self, job_id: str, what: Heard) -> None:
        """A job of this song comes to its end."""
        self.stage.worker.begin(job_id)
        self.stage.worker.answer(job_id, what)

    def partial(self) -> str:
        """The same, of which half was heard."""
        job_id = self.accepted()
        self.stage.worker.begin(job_id)
        self.stage.worker.hear(job_id, self.song, windows=len(self.song.classification.timeline) // 2)
        expect(genre(self.page)).not_to_be_empty()
        expect(self.page.get_by_text("so far").first).to_be_visible()
        self.is_drawn()
        return job_id

    def answered(self, name: str, what: Heard, content: bytes | None = None) -> str:
        """The same, of which all was heard."""
        job_id = self.accepted(name, content)
        self.answer(job_id, what)
        is_done(self.page)
        expect(self.page.get_by_role("img", name="Spectrogram")).to_be_visible()
        self.is_drawn()
        return job_id

    def is_drawn(self) -> None:
        """Waits until the song can be played and its waveform is there, or neither ever will."""
        unplayable = self.page.get_by_text("This browser cannot play this format.")
        expect(self.page.locator(".waveform-canvas canvas").or_(unplayable).first).to_be_attached()


def empty(scene: Scene) -> None:
    scene.go()
    expect(scene.page.get_by_role("heading", level=1)).to_be_visible()


def uploading(scene: Scene) -> None:
    scene.go()
    chromium = scene.page.context.new_cdp_session(scene.page)
    chromium.send("Network.enable")
    chromium.send("Network.emulateNetworkConditions", SLOW)
    choose(scene.page, song("Long symphony.flac", b"fLaC" + bytes(4 * 2**20), "audio/flac"))
    expect(standing(scene.page, "Long symphony.flac")).to_contain_text(re.compile(r"Uploading, [1-9]\d %"))


def queued(scene: Scene) -> None:
    for waiting in scene.stage.api.http.get("/jobs?status=queued&limit=100").json()["jobs"]:
        assert scene.stage.api.http.delete(f"/jobs/{waiting['id']}").status_code == 204
    for number in range(3):
        scene.submitted(f"{number}.mp3")
    scene.accepted()
    status = scene.page.locator("main").get_by_role("status").first
    expect(status).to_contain_text("Waiting, 3 songs before this one")
    scene.is_drawn()


def running(scene: Scene) -> None:
    job_id = scene.accepted()
    scene.stage.worker.begin(job_id)
    expect(scene.page.locator("main").get_by_role("status").first).to_contain_text("Reading the song")
    scene.is_drawn()


def partial(scene: Scene) -> None:
    scene.partial()
    eventually(lambda: segments(scene.page).count() > 0)


def done(scene: Scene) -> None:
    scene.answered(scene.name, scene.song)


def table(scene: Scene) -> None:
    scene.answered(scene.name, scene.song)
    scene.page.get_by_role("button", name="Show as table").click()
    expect(scene.page.get_by_role("table")).to_be_visible()


def unsure(scene: Scene) -> None:
    scene.answered("Riddle.mp3", scene.unsure, scene.unsure_content)
    expect(genre(scene.page)).to_contain_text("Not sure")


def shared(scene: Scene) -> None:
    job_id = scene.submitted(scene.name)
    scene.answer(job_id, scene.song)
    scene.go(f"/r/{job_id}")
    is_done(scene.page)
    expect(scene.page.get_by_role("img", name="Spectrogram")).to_be_visible()


def failed(scene: Scene) -> None:
    job_id = scene.accepted("Jingle.mp3")
    scene.stage.worker.begin(job_id)
    scene.stage.worker.fail(job_id)
    expect(scene.page.get_by_role("alert")).to_contain_text(f"Job {job_id}")


def cancelled(scene: Scene) -> None:
    scene.accepted("Second thoughts.mp3")
    scene.page.get_by_role("button", name="Cancel").click()
    expect(scene.page.locator("main")).to_contain_text("This was cancelled")


def expired(scene: Scene) -> None:
    wanted = wishes() | {"deadline_seconds": 1}
    answer = scene.stage.api.post(scene.content, name="Late.mp3", job=wanted)
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["id"]
    scene.stage.worker.expire(job_id)
    scene.go(f"/r/{job_id}")
    expect(scene.page.locator("main")).to_contain_text(f"Job {job_id}")


def dragging(scene: Scene) -> None:
    scene.go()
    drag(scene.page.locator("body"))
    expect(scene.page.locator("[data-dropping]")).to_be_visible()


def dragging_elsewhere(scene: Scene) -> None:
    scene.go("/nowhere")
    drag(scene.page.locator("body"))
    expect(scene.page.get_by_text("Drop it to add it to your songs")).to_be_visible()


def refused(scene: Scene) -> None:
    scene.go()
    choose(scene.page, song("Diary.mp3", b"Dear diary, today I learned nothing. " * 20))
    expect(row(scene.page, "Diary.mp3").get_by_role("alert")).to_be_visible()


def refused_link(scene: Scene) -> None:
    scene.go()
    field = scene.page.get_by_role("textbox", name="Link to a song")
    field.fill("ftp://music.example/song.mp3")
    field.press("Enter")
    expect(scene.page.get_by_text("Give a whole web address")).to_be_visible()


def offline_at_home(scene: Scene) -> None:
    scene.go()
    expect(scene.page.get_by_role("heading", level=1)).to_be_visible()
    scene.page.context.set_offline(True)
    expect(scene.page.get_by_text("You are offline.")).to_be_visible()
    choose(scene.page, song(scene.name, scene.content))
    expect(standing(scene.page, scene.name)).to_contain_text("No connection")


def offline(scene: Scene) -> None:
    scene.partial()
    scene.page.context.set_offline(True)
    expect(scene.page.get_by_text("You are offline.")).to_be_visible()


def many(scene: Scene) -> None:
    scene.go()
    names = [f"{number:02} {title}.mp3" for number, title in enumerate(TITLES, 1)]
    choose(scene.page, *(song(name, scene.content) for name in names))
    jobs = {}
    for name in names:
        link = row(scene.page, name).get_by_role("link", name=name)
        jobs[name] = (link.get_attribute("href") or "").rpartition("/")[2]
    worker = scene.stage.worker
    for number, name in enumerate(names[:-2]):
        worker.begin(jobs[name])
        if number == 2:
            worker.fail(jobs[name])
        elif number < len(scene.others):
            worker.answer(jobs[name], scene.others[number])
    worker.hear(jobs[names[8]], scene.song, windows=3)
    for name in names[:8]:
        expect(standing(scene.page, name)).not_to_contain_text("Waiting")
    expect(standing(scene.page, names[8])).to_contain_text("Listening")


def gone(scene: Scene) -> None:
    job_id = scene.submitted(scene.name)
    assert scene.stage.api.http.delete(f"/jobs/{job_id}").status_code == 204
    scene.go(f"/r/{job_id}")
    expect(scene.page.get_by_role("heading", level=1, name="This result is gone")).to_be_visible()


def unknown(scene: Scene) -> None:
    scene.go(f"/r/job_{'0' * 24}")
    expect(scene.page.get_by_role("heading", level=1, name="There is no such result")).to_be_visible()


def missing(scene: Scene) -> None:
    scene.go("/nowhere")
    expect(scene.page.get_by_role("heading", level=1, name="There is nothing here")).to_be_visible()


def how_good(scene: Scene) -> None:
    scene.go()
    scene.page.get_by_text("How good is it?").first.click()
    expect(scene.page.get_by_role("table").first).to_be_visible()


def key(scene: Scene) -> None:
    scene.go(f"/r/job_{'0' * 24}")
    expect(scene.page.get_by_role("dialog", name="This service needs an API key")).to_be_visible()


def refused_key(scene: Scene) -> None:
    key(scene)
    dialog = scene.page.get_by_role("dialog", name="This service needs an API key")
    dialog.get_by_label("API key", exact=True).fill("gw_0000000000000000_" + "0" * 43)
    dialog.get_by_role("button", name="Use this key").click()
    expect(dialog.get_by_role("alert")).to_contain_text("refused")


def unreachable(scene: Scene) -> None:
    scene.partial()
    scene.page.context.route("**/jobs/**", lambda route: route.abort())
    scene.page.reload()
    expect(scene.page.get_by_text("The server cannot be reached").first).to_be_visible()


State = Callable[[Scene], None]
STATES: dict[str, State] = {
    each.__name__: each
    for each in (
        empty, dragging, dragging_elsewhere, uploading, queued, running, partial, done, table, unsure, shared,
        failed, cancelled, expired, refused, refused_link, offline, offline_at_home, unreachable, many, gone,
        unknown, missing, how_good, key, refused_key,
    )
}  # fmt: skip
LOCKED = {"key", "refused_key"}
"""States of a service that asks for keys."""
EXCUSED: dict[str, tuple[str, ...]] = {
    "refused": ("status of 415",),
    "offline": ("net::ERR_INTERNET_DISCONNECTED",),
    "offline_at_home": ("net::ERR_INTERNET_DISCONNECTED",),
    "unreachable": ("net::ERR_FAILED",),
    "gone": ("status of 410",),
    "unknown": ("status of 404",),
    "missing": ("status of 404",),
    "dragging_elsewhere": ("status of 404",),
    "key": ("status of 401",),
    "refused_key": ("status of 401",),
}
TITLES = (
    "Night drive", "Nocturne", "Static", "Riff", "Riddle", "Harbour lights", "Two left shoes", "Sunday",
    "A much longer title than any list would like to have, and then some more of it", "Copper", "Tide table",
    "Last bus",
)  # fmt: skip


def wishes() -> dict[str, Any]:
    """What the page asks of a song."""
    return {"options": {"spectrogram": True, "min_confidence": 0.5}}
