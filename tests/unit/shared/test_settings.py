"""The environment as one typed value."""

import pytest

from shared.errors import SetupError
from shared.settings import read_settings


def test_a_wrong_value_stops_the_process_and_names_its_variable(monkeypatch):
    monkeypatch.setenv("GENREWIZ_DEVICE", "abacus")
    monkeypatch.setenv("GENREWIZ_MAX_ATTEMPTS", "0")

    with pytest.raises(SetupError) as caught:
        read_settings()

    assert "GENREWIZ_DEVICE" in caught.value.detail
    assert "GENREWIZ_MAX_ATTEMPTS" in caught.value.detail


def test_a_heartbeat_too_slow_for_the_lease_is_refused(monkeypatch):
    monkeypatch.setenv("GENREWIZ_LEASE_SECONDS", "15")
    monkeypatch.setenv("GENREWIZ_HEARTBEAT_SECONDS", "8")

    with pytest.raises(SetupError, match="GENREWIZ_HEARTBEAT_SECONDS must be at most half"):
        read_settings()


@pytest.mark.parametrize("limit", ["GENREWIZ_MAX_WAITING_BYTES", "GENREWIZ_MAX_WAITING_BYTES_PER_CALLER"])
def test_a_limit_of_what_waits_below_that_of_an_upload_is_refused(monkeypatch, limit):
    monkeypatch.setenv("GENREWIZ_MAX_UPLOAD_BYTES", "1001")
    monkeypatch.setenv(limit, "1000")

    with pytest.raises(SetupError, match="GENREWIZ_MAX_UPLOAD_BYTES must be at most"):
        read_settings()


def test_what_the_environment_says_is_what_the_settings_hold(monkeypatch):
    monkeypatch.setenv("GENREWIZ_DEVICE", "cpu")
    monkeypatch.setenv("GENREWIZ_MAX_AUDIO_SECONDS", "60")

    settings = read_settings()

    assert settings.device == "cpu"
    assert settings.max_audio_seconds == 60


def test_settings_cannot_be_changed_once_read():
    with pytest.raises(ValueError, match="frozen"):
        read_settings().port = 1
