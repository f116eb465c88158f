"""The page that is committed, from a real server."""

import gzip
import re
from collections.abc import Iterator

import httpx
import pytest

from api.built_page import FOLDER
from support.api_server import ApiServer, api_serving

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Encoding": "gzip, deflate, br"}


@pytest.fixture(scope="module")
def api(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_serving(
        tmp_path_factory.mktemp("api"),
        redis_url,
        GENREWIZ_API_WORKERS="1",
        GENREWIZ_MAX_UPLOAD_BYTES="7654321",
    ) as server:
        yield server


def test_the_page_and_all_that_it_names_are_served(api: ApiServer):
    page = api.http.get("/", headers=BROWSER)
    named = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)

    assert page.status_code == 200
    assert 'content="7654321"' in page.text
    assert re.search(r"'nonce-[\w-]{22}'", page.headers["Content-Security-Policy"])
    assert named
    for path in named:
        assert api.http.get(path, headers=BROWSER).status_code == 200, path


def test_every_asset_arrives_whole_compressed_or_not(api: ApiServer):
    for file in (FOLDER / "assets").iterdir():
        path = f"/static/page/assets/{file.name}"
        with httpx.stream("GET", f"{api.http.base_url}{path}", headers=BROWSER, trust_env=False) as packed:
            raw = b"".join(packed.iter_raw())
        plain = api.http.get(path, headers={"Accept-Encoding": "identity"})

        assert plain.content == file.read_bytes()
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(raw) == plain.content
        assert int(packed.headers["Content-Length"]) == len(raw)
        assert "immutable" in packed.headers["Cache-Control"]


def test_a_head_has_the_headers_of_the_page_and_no_body(api: ApiServer):
    for path, status in (("/", 200), (f"/r/job_{'0' * 24}", 200), ("/r/nonsense", 404), ("/nothing", 404)):
        head = api.http.head(path, headers=BROWSER)

        assert (head.status_code, head.content) == (status, b"")
        assert head.headers["Content-Type"] == "text/html; charset=utf-8"
        assert int(head.headers["Content-Length"]) > 100
        assert head.headers["Cache-Control"] == "no-store"


def test_the_port_of_the_metrics_has_no_page(api: ApiServer):
    for path in ("/", "/nothing", "/r/nonsense"):
        answer = httpx.get(f"http://127.0.0.1:{api.metrics_port}{path}", headers=BROWSER, trust_env=False)

        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_samples_are_served_to_be_asked_for_again_only_if_they_change(api: ApiServer):
    for file in (FOLDER.parent / "samples").glob("*.mp3"):
        first = api.http.get(f"/static/samples/{file.name}")
        again = api.http.get(f"/static/samples/{file.name}", headers={"If-None-Match": first.headers["ETag"]})

        assert (first.status_code, first.content) == (200, file.read_bytes())
        assert again.status_code == 304
