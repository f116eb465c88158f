"""What a person does on the page in a real browser, and whatever should not happen there meanwhile.

It expects no answer of the service: tests do.
"""

import base64
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, FilePayload, Locator, Page, expect, sync_playwright

from support.browser import ARGUMENTS, CHROMIUM
from support.waiting import PATIENCE_SECONDS

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1_280, "height": 800}
DROP_ZONE = "Choose songs or drop them here"

# Chromium tells of each violation in its console, too, but not of one in a place that has no console.
_TELLS_OF_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} keeps out ${event.blockedURI}`))"""

_DRAGS = """(target) => {
  const what = new DataTransfer();
  what.items.add(new File(["song"], "song.mp3", { type: "audio/mpeg" }));
  const how = { bubbles: true, cancelable: true, composed: true, dataTransfer: what };
  for (const kind of ["dragenter", "dragover"]) target.dispatchEvent(new DragEvent(kind, how));
}"""
_DROPS = """async (target, songs) => {
  const what = new DataTransfer();
  for (const { name, mimeType, content } of songs) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    what.items.add(new File([bytes], name, { type: mimeType }));
  }
  const how = { bubbles: true, cancelable: true, composed: true, dataTransfer: what };
  for (const kind of ["dragenter", "dragover", "drop"]) target.dispatchEvent(new DragEvent(kind, how));
}"""


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser of the test's own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        expect.set_options(timeout=PATIENCE_SECONDS * 1_000)
        yield browser
        browser.close()


@dataclass
class Visit:
    """One person's browser at one service, and what went wrong in it."""

    context: BrowserContext
    origin: str
    excused: tuple[str, ...]

    def __post_init__(self) -> None:
        self.trouble: list[str] = []
        self.context.set_default_timeout(PATIENCE_SECONDS * 1_000)
        self.context.add_init_script(_TELLS_OF_VIOLATIONS)
        self.context.on("request", lambda request: self._asked(request.url))
        self.context.on("weberror", lambda error: self.trouble.append(str(error.error)))
        self.context.on("console", lambda said: self._said(said.type, said.text, said.location["url"]))

    def open(self, path: str = "/") -> Page:
        """One more tab, at this path."""
        page = self.context.new_page()
        page.goto(f"{self.origin}{path}")
        return page

    def _asked(self, url: str) -> None:
        address = urlsplit(url)
        if address.scheme not in ("data", "blob") and f"{address.scheme}://{address.netloc}" != self.origin:
            self.trouble.append(f"asked for {url}")

    def _said(self, kind: str, text: str, url: str) -> None:
        line = f"{text} {url}"
        if kind in ("error", "warning") and not any(each in line for each in self.excused):
            self.trouble.append(f"{kind}: {line}")


class Visits:
    """Browsers of several people; what went wrong in any of them fails the test at its end."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._all: list[Visit] = []

    def __call__(
        self, origin: str, *, viewport: Any = PHONE, excused: Sequence[str] = (), **options: Any
    ) -> Visit:
        """A new person. excused: parts of lines in the console that the test provokes."""
        context = self._browser.new_context(viewport=viewport, **options)
        self._all.append(Visit(context, origin, tuple(excused)))
        return self._all[-1]

    def end(self) -> None:
        """AssertionError where something was wrong."""
        for visit in self._all:
            visit.context.close()
        trouble = [each for visit in self._all for each in visit.trouble]
        assert not trouble, "\n".join(trouble)


def song(name: str, content: bytes, kind: str = "audio/mpeg") -> FilePayload:
    """A file as a person has it."""
    return {"name": name, "mimeType": kind, "buffer": content}


def choose(page: Page, *songs: FilePayload) -> None:
    """By the file input."""
    page.get_by_label(DROP_ZONE).set_input_files(list(songs))


def drop(target: Locator, *songs: FilePayload) -> None:
    """Onto an element."""
    plain = [
        {
            "name": each["name"],
            "mimeType": each["mimeType"],
            "content": base64.b64encode(each["buffer"]).decode(),
        }
        for each in songs
    ]
    target.evaluate(_DROPS, plain)


def drag(target: Locator) -> None:
    """A file above an element, that is not dropped yet."""
    target.evaluate(_DRAGS)


def row(page: Page, name: str) -> Locator:
    """The place of a song in the list."""
    return page.get_by_role("list", name="Your songs").get_by_role("listitem").filter(has_text=name)


def standing(page: Page, name: str) -> Locator:
    """The words there of where it stands."""
    return row(page, name).get_by_test_id("standing")


def genre(page: Page) -> Locator:
    """The big one."""
    return page.get_by_test_id("genre")


def segments(page: Page) -> Locator:
    """Of the timeline."""
    return page.get_by_role("list", name="Genres over time").get_by_role("listitem")


def is_at_a_result(page: Page) -> str:
    """Waits until the address is a result's; its job's id."""
    page.wait_for_url("**/r/job_*")
    return page.url.rpartition("/")[2]


def is_done(page: Page) -> None:
    """Waits until the result is there."""
    expect(page.locator("main").get_by_role("status").first).to_contain_text("Done")


def player(page: Page) -> Locator:
    """What plays the song."""
    return page.get_by_role("group", name="Player")


def seconds(text: str) -> int:
    """Of minutes and seconds."""
    minutes, rest = text.split(":")
    return 60 * int(minutes) + int(rest)


def playhead(page: Page) -> int:
    """Where in the song the player is, by its own words."""
    return seconds(re.findall(r"\d+:\d\d", player(page).inner_text())[0])


def bounds(segment: Locator) -> tuple[int, int]:
    """From where to where a segment of the timeline reaches, by its name."""
    name = segment.get_attribute("aria-label") or segment.inner_text()
    starts, ends = map(seconds, re.findall(r"\d+:\d\d", name))
    return starts, ends


def copied(page: Page) -> str:
    """What the page has just put on the clipboard."""
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    return str(page.evaluate("navigator.clipboard.readText()"))
