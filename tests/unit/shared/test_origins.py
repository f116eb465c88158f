"""Origins that may read our answers, as an operator writes them."""

import pytest

from shared.errors import SetupError
from shared.origins import parse_origins
from shared.settings import read_settings


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", ()),
        ("*", ("*",)),
        ("https://Radio.example, http://localhost:5173", ("https://radio.example", "http://localhost:5173")),
        ("https://radio.example:443,http://[::1]:80", ("https://radio.example", "http://[::1]")),
    ],
)
def test_origins_are_read_as_browsers_spell_them(text, origins):
    assert parse_origins(text) == origins


@pytest.mark.parametrize(
    "text",
    [
        "radio.example",
        "https://radio.example/",
        "https://*.example",
        "null",
        "*,https://a.example",
        "ftp://a.example",
    ],
)
def test_a_wrong_origin_stops_the_process_and_is_named(text, monkeypatch):
    monkeypatch.setenv("GENREWIZ_CORS_ORIGINS", text)

    with pytest.raises(SetupError, match="GENREWIZ_CORS_ORIGINS"):
        read_settings()
