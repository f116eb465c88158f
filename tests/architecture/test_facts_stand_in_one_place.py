"""Documentation and tables say what the code says."""

import re
from pathlib import Path

import shared.errors
from api.errors import HTTP_STATUS
from shared.errors import GenreWizError, JobFailure, RequestError
from shared.names import BROKER_QUEUES
from shared.settings import PREFIX, Settings

CHECKOUT = Path(__file__).parents[2]


def all_errors() -> list[type[GenreWizError]]:
    return [
        kind
        for kind in vars(shared.errors).values()
        if isinstance(kind, type) and issubclass(kind, GenreWizError)
    ]


def test_every_setting_is_described_and_nothing_else_is():
    table = (CHECKOUT / "docs" / "operations.md").read_text()

    described = set(re.findall(rf"^\| `({PREFIX}\w+)`", table, re.MULTILINE))

    assert described == {PREFIX + name.upper() for name in Settings.model_fields}


def test_every_default_in_the_table_of_settings_is_the_one_in_the_code():
    table = (CHECKOUT / "docs" / "operations.md").read_text()
    rows = dict(re.findall(rf"^\| `{PREFIX}(\w+)` \| `([^`]*)`", table, re.MULTILINE))

    for name, field in Settings.model_fields.items():
        if field.default_factory is None and field.default is not None:
            assert rows[name.upper()] == str(field.default), name


def test_every_error_that_a_request_can_meet_has_an_http_status():
    public = {kind for kind in all_errors() if issubclass(kind, RequestError) and kind is not RequestError}

    assert public <= set(HTTP_STATUS)


def test_error_codes_are_stable_names_and_none_stands_twice():
    codes = [kind.code for kind in all_errors() if kind not in (RequestError, JobFailure, GenreWizError)]

    assert all(re.fullmatch(r"[a-z_]+", code) for code in codes)
    assert len({code for code in codes if code != "internal_error"}) == len(
        [code for code in codes if code != "internal_error"]
    )


def test_every_route_and_error_code_stands_in_the_readme():
    readme = (CHECKOUT / "README.md").read_text()

    for route in ("POST /jobs", "GET /jobs/<id>", "GET /livez", "GET /readyz", "/metrics"):
        assert route in readme
    for kind in all_errors():
        if issubclass(kind, JobFailure) and kind is not JobFailure:
            assert kind.code in readme, kind.code


def test_each_queue_of_the_broker_has_one_name():
    assert len(set(BROKER_QUEUES)) == len(BROKER_QUEUES) == 4
