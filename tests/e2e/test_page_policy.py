"""What the page may load and run: its own files alone."""

import re

from playwright.sync_api import expect

from support.page import Visits, choose, is_at_a_result, song
from support.service import Service

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'nonce-…'",
    "img-src": "'self' blob: data:",
    "media-src": "'self' blob:",
    "connect-src": "'self' blob:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


def test_the_policy_is_strict_and_its_nonce_is_another_each_time(service: Service):
    nonces = set()
    for path in ("/", f"/r/job_{'0' * 24}", "/nowhere"):
        answer = service.http.get(path, headers={"Accept": "text/html"})
        told = answer.headers["Content-Security-Policy"]
        directives = (each.strip().partition(" ") for each in told.split(";"))
        nonces.add(re.findall(r"'nonce-([\w-]{16,})'", told)[0])
        assert {
            name: re.sub(r"nonce-[\w-]+", "nonce-…", sources) for name, _, sources in directives
        } == POLICY
        assert "unsafe" not in told

    assert len(nonces) == 3


def test_a_script_that_somebody_slips_in_does_not_run(visits: Visits, service: Service):
    page = visits(service.url, excused=["policy:", "Content Security Policy"]).open()

    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.slippedIn = true";
          document.body.append(script);
          const picture = document.createElement("img");
          picture.setAttribute("onerror", "window.slippedIn = true");
          return new Promise((resolve) => {
            picture.addEventListener("error", resolve);
            picture.src = "data:,";
          });
        }"""
    )

    assert page.evaluate("window.slippedIn") is None


def test_a_song_named_like_a_script_is_only_a_name(visits: Visits, service: Service, sample: bytes):
    name = "<img src=x onerror=alert(1)>.mp3"
    page = visits(service.url).open()

    choose(page, song(name, sample))

    is_at_a_result(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_a_visit_leaves_no_cookie_and_asks_for_nothing_elsewhere(visits: Visits, service: Service):
    visit = visits(service.url)  # which looks at each request

    page = visit.open()
    expect(page.get_by_role("heading", level=1)).to_be_visible()

    assert visit.context.cookies() == []
