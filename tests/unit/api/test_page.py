"""The page and its files, as they are sent."""

import gzip
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from api.app import create_api
from shared.settings import Settings

JOB_PAGE = f"/r/job_{'0' * 24}"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
SCRIPT = b"console.log('a song');\n" * 100
HTML = '<meta name="most" content="{{max_upload_bytes}}"><meta name="csp-nonce" nonce="{{nonce}}">'


def client_of(page: Path, directory: Path) -> FlaskClient:
    """Of an api whose page lies in this folder; there is no Redis."""
    settings = Settings(
        redis_url="redis://127.0.0.1:1/0", audio_dir=directory / "audio", max_upload_bytes=4321
    )
    return create_api(settings, page_folder=page).app.test_client()


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    page = tmp_path / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text(HTML)
    (page / "sources.json").write_text("{}")
    (page / "assets" / "index-1a2b.js").write_bytes(SCRIPT)
    (page / "assets" / "tiny-3c4d.js").write_bytes(b";")
    (page / "assets" / "picture-5e6f.png").write_bytes(b"\x89PNG" + bytes(1_000))
    return client_of(page, tmp_path)


def nonce_of(response: TestResponse) -> str:
    found = re.search(r'nonce="([^"]+)"', response.text)
    assert found
    return found[1]


@pytest.mark.parametrize("path", ["/", JOB_PAGE, f"{JOB_PAGE}/"])
def test_the_page_tells_the_limit_of_uploads_and_is_for_nobody_to_keep(client, path):
    response = client.get(path)

    assert (response.status_code, response.mimetype) == (200, "text/html")
    assert 'content="4321"' in response.text
    assert "{{" not in response.text
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_each_answer_has_a_nonce_of_its_own_and_its_policy_names_that_one(client):
    answers = [client.get("/") for _ in range(3)]
    nonces = [nonce_of(answer) for answer in answers]

    assert len(set(nonces)) == 3
    assert all(len(nonce) >= 22 for nonce in nonces)
    for answer, nonce in zip(answers, nonces, strict=True):
        assert f"'nonce-{nonce}'" in answer.headers["Content-Security-Policy"]


def test_the_policy_lets_in_what_is_ours_and_no_script_that_stands_in_the_page(client):
    policy = client.get("/").headers["Content-Security-Policy"]
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split("; ")}

    assert rules["default-src"] == ["'none'"]
    assert rules["script-src"] == ["'self'"]
    assert "unsafe" not in policy
    assert "http" not in policy
    for closed in ("base-uri", "form-action", "frame-ancestors"):
        assert rules[closed] == ["'none'"]


@pytest.mark.parametrize("path", ["/r/nonsense", "/r/job_1", f"{JOB_PAGE}0", f"/r/job_{'A' * 24}"])
def test_the_page_of_what_no_job_can_be_called_is_404(client, path):
    response = client.get(path)

    assert (response.status_code, response.mimetype) == (404, "text/html")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/nothing", "/r", "/r/", "/jobs/", "/index.html", "/a/b?c=d"])
def test_a_browser_that_goes_where_nothing_is_gets_the_page_with_404(client, method, path):
    response = client.open(path, method=method, headers={"Accept": BROWSER})

    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "headers", [{}, {"Accept": "*/*"}, {"Accept": "application/json"}, {"Accept": "text/html;q=0, */*"}]
)
def test_a_program_that_goes_where_nothing_is_gets_a_problem(client, headers):
    response = client.get("/nothing", headers=headers)

    assert (response.status_code, response.mimetype) == (404, "application/problem+json")
    assert response.json["code"] == "not_found"
    assert "Accept" in response.headers.getlist("Vary")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/problems/nonsense", 404),
        ("GET", "/models/nonsense", 404),
        ("GET", "/static/samples/nothing.css", 404),
        ("GET", "/static/page/assets/nothing.js", 404),
        ("GET", "/docs/nothing.js", 404),
        ("POST", "/nothing", 404),
        ("POST", "/", 405),
        ("GET", "/jobs/job_1", 503),
    ],
)
def test_what_a_route_of_the_api_refuses_is_a_problem_to_a_browser_too(client, method, path, status):
    response = client.open(path, method=method, headers={"Accept": f"{BROWSER},application/json"})

    assert (response.status_code, response.mimetype) == (status, "application/problem+json")


@pytest.mark.parametrize("lost", ["index.html", "{{nonce}}", "{{max_upload_bytes}}"])
def test_without_a_page_that_was_built_its_routes_say_so_and_the_api_goes_on(tmp_path, lost):
    page = tmp_path / "page"
    page.mkdir()
    if lost != "index.html":
        (page / "index.html").write_text(HTML.replace(lost, ""))

    with capture_logs() as logs:
        client = client_of(page, tmp_path)

    assert [line["event"] for line in logs if "make web" in line["event"]]
    for path in ("/", JOB_PAGE, "/r/nonsense"):
        response = client.get(path, headers={"Accept": BROWSER})
        assert (response.status_code, response.mimetype) == (503, "text/html")
        assert "make web" in response.text
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert client.get("/nothing", headers={"Accept": BROWSER}).mimetype == "application/problem+json"
    assert client.get("/models").status_code == 200


def test_a_file_with_its_hash_in_its_name_is_kept_for_ever(client):
    response = client.get("/static/page/assets/index-1a2b.js")

    assert (response.status_code, response.mimetype, response.data) == (200, "text/javascript", SCRIPT)
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in response.headers


def test_who_takes_gzip_gets_it_and_its_length_and_its_etag_are_those_of_what_is_sent(client):
    path = "/static/page/assets/index-1a2b.js"
    plain = client.get(path)
    packed = client.get(path, headers={"Accept-Encoding": "gzip, deflate, br"})
    again = client.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]})
    head = client.head(path, headers={"Accept-Encoding": "gzip"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == SCRIPT
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(SCRIPT)
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert (again.status_code, again.data) == (304, b"")
    assert head.headers["Content-Length"] == packed.headers["Content-Length"]


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("index-1a2b.js", "gzip;q=0"),
        ("index-1a2b.js", "br"),
        ("tiny-3c4d.js", "gzip"),
        ("picture-5e6f.png", "gzip"),
    ],
)
def test_what_is_not_wanted_or_would_save_nothing_is_not_compressed(client, name, accepted):
    response = client.get(f"/static/page/assets/{name}", headers={"Accept-Encoding": accepted})

    assert response.status_code == 200
    assert "Content-Encoding" not in response.headers


def test_a_file_is_read_and_compressed_once(client, tmp_path, monkeypatch):
    path = "/static/page/assets/index-1a2b.js"
    first = [client.get(path, headers={"Accept-Encoding": coding}).data for coding in ("", "gzip")]

    monkeypatch.setattr(gzip, "compress", None)
    (tmp_path / "page" / "assets" / "index-1a2b.js").unlink()

    assert [client.get(path, headers={"Accept-Encoding": coding}).data for coding in ("", "gzip")] == first


@pytest.mark.parametrize(
    "path", ["index.html", "sources.json", "assets/../index.html", "assets/nothing.js", "../docs/index.html"]
)
def test_nothing_but_what_the_page_loads_is_served_from_its_folder(client, path):
    assert client.get(f"/static/page/{path}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "samples%2F..%2Fpage%2Findex.html",
        "./page/index.html",
        "samples/../page/index.html",
        "samples/..%2Fdocs%2Findex.html",
        "samples/../page/sources.sha256",
        "docs/index.html",
    ],
)
def test_no_way_round_leads_to_a_page_without_its_policy(client, path):
    assert client.get(f"/static/{path}").status_code == 404
