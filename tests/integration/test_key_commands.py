"""`genrewiz keys`, as a user types it, against a real server."""

import json

import pytest
import typer
from typer.testing import CliRunner

from genrewiz import cli, plugins
from genrewiz.serve.services import redis_folder
from shared.api_keys import id_of
from shared.key_commands import ALL_FAILED, UNREACHABLE, USAGE, keys
from shared.redis_api_keys import RedisApiKeys
from shared.redis_keys import Keys
from shared.redis_webhooks import RedisWebhooks
from shared.webhook_secrets import is_secret
from support.redis_server import redis_serving


@pytest.fixture
def app(monkeypatch) -> typer.Typer:
    monkeypatch.setattr(plugins, "groups", lambda: iter([("keys", keys)]))
    return cli.build()


@pytest.fixture
def genrewiz(app, monkeypatch, redis, redis_url):
    monkeypatch.setenv("GENREWIZ_REDIS_URL", redis_url)
    return lambda *arguments: CliRunner().invoke(app, ["keys", *arguments])


def test_a_key_is_printed_once_and_nothing_else_goes_to_stdout(genrewiz, redis):
    made = genrewiz("add", "radio fm4")

    text = made.stdout.strip()
    (key,) = RedisApiKeys(redis, Keys()).all()
    assert made.exit_code == 0
    assert id_of(text) == key.id
    assert (key.name, key.rights) == ("radio fm4", {"read", "submit"})
    assert text not in made.stderr
    assert text.rpartition("_")[2] not in genrewiz("list").output


def test_the_first_key_says_what_belongs_to_nobody_from_now_on(genrewiz):
    first, second = genrewiz("add", "radio"), genrewiz("add", "studio")

    said = " ".join(first.stderr.split())
    assert "jobs, webhook endpoints and deliveries that were made without one belong to none" in said
    assert "belong" not in second.stderr


def test_rights_are_those_that_were_asked_for(genrewiz, redis):
    genrewiz("add", "radio", "--right", "read", "--right", "high")

    assert RedisApiKeys(redis, Keys()).all()[0].rights == {"read", "high"}
    assert genrewiz("add", "radio", "--right", "root").exit_code == USAGE


def test_keys_are_listed_for_people_and_for_programs(genrewiz):
    key_id = id_of(genrewiz("add", "radio").stdout.strip())

    (line,) = genrewiz("list", "--json").stdout.splitlines()
    listed = json.loads(line)

    assert (listed["id"], listed["name"], listed["rights"]) == (key_id, "radio", ["read", "submit"])
    assert listed["created_at"].endswith("Z")
    assert listed["last_used_at"] is None
    assert key_id in genrewiz("list").stdout
    assert "never used" in genrewiz("list").stdout


def test_who_revokes_the_last_key_is_told_that_the_service_stays_closed(genrewiz, redis):
    key_id = id_of(genrewiz("add", "radio").stdout.strip())

    revoked = genrewiz("revoke", key_id)

    assert revoked.exit_code == 0
    assert "stays closed" in revoked.stderr
    assert "lets nobody in" in genrewiz("list").stderr
    assert genrewiz("open").exit_code == 0
    assert "open to all" in genrewiz("list").stderr


def test_what_cannot_be_done_is_said(genrewiz):
    assert genrewiz("add", "").exit_code == USAGE
    genrewiz("add", "radio")

    for refused, code in ((genrewiz("revoke", "0" * 12), ALL_FAILED), (genrewiz("open"), 1)):
        assert refused.exit_code == code
        assert refused.stderr.startswith("genrewiz keys: ")
        assert refused.stdout == ""


def test_the_keys_of_serve_are_found_by_its_folder(app, monkeypatch, tmp_path):
    monkeypatch.delenv("GENREWIZ_REDIS_URL", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = tmp_path / "genrewiz"
    with redis_serving(redis_folder(folder)) as server:
        by_default = CliRunner().invoke(app, ["keys", "add", "radio"])
        by_name = CliRunner().invoke(app, ["keys", "list", "--data", str(folder)])
        assert by_default.exit_code == by_name.exit_code == 0
        assert id_of(by_default.stdout.strip()) in by_name.stdout
        server.kill()

        after = CliRunner().invoke(app, ["keys", "list"])
    assert after.exit_code == UNREACHABLE
    assert "start it" in after.stderr


def test_where_nothing_was_ever_served_it_says_what_to_do(app, monkeypatch, tmp_path):
    monkeypatch.delenv("GENREWIZ_REDIS_URL", raising=False)

    refused = CliRunner().invoke(app, ["keys", "list", "--data", str(tmp_path)])

    assert refused.exit_code == UNREACHABLE
    assert str(tmp_path) in refused.stderr.replace("\n", "")
    assert "GENREWIZ_REDIS_URL" in refused.stderr


def test_a_server_that_is_away_is_named_by_its_setting(app, monkeypatch):
    monkeypatch.setenv("GENREWIZ_REDIS_URL", "redis://127.0.0.1:1/0")

    refused = CliRunner().invoke(app, ["keys", "add", "radio"])

    assert refused.exit_code == UNREACHABLE
    assert refused.stdout == ""
    assert "GENREWIZ_REDIS_URL" in refused.stderr


def test_the_secret_of_the_service_is_shown_and_stays_the_same_until_it_is_rotated(genrewiz, redis):
    first, again = genrewiz("webhook-secret"), genrewiz("webhook-secret")
    rotated, after = genrewiz("webhook-secret", "--rotate"), genrewiz("webhook-secret")

    signing = [each.text for each in RedisWebhooks(redis, Keys()).instance_secrets()]
    assert (first.exit_code, first.stderr) == (0, "")
    assert first.stdout == again.stdout
    assert signing == [rotated.stdout.strip(), first.stdout.strip()]
    assert after.stdout == rotated.stdout
    assert all(is_secret(text) for text in signing)
    assert "the one before signs, too" in rotated.stderr
    assert "whsec_" not in rotated.stderr + after.stderr


def test_a_secret_that_cannot_be_asked_for_is_said_so(app, monkeypatch):
    monkeypatch.setenv("GENREWIZ_REDIS_URL", "redis://127.0.0.1:1/0")

    refused = CliRunner().invoke(app, ["keys", "webhook-secret"])

    assert (refused.exit_code, refused.stdout) == (UNREACHABLE, "")
