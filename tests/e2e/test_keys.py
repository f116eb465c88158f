"""API keys of a whole running service, from the first to the last one's end."""

import httpx
import pytest
import typer
from typer.testing import CliRunner

from genrewiz import cli, plugins
from shared.key_commands import keys
from support.service import FINISHED, serving
from support.waiting import eventually


@pytest.fixture
def app(monkeypatch) -> typer.Typer:
    monkeypatch.delenv("GENREWIZ_REDIS_URL", raising=False)
    monkeypatch.setattr(plugins, "groups", lambda: iter([("keys", keys)]))
    return cli.build()


def test_a_service_is_closed_by_its_first_key_and_stays_so_after_the_last_one(app, tmp_path, sample):
    def genrewiz_keys(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["keys", *arguments, "--data", str(tmp_path)])
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    def post(key: str | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return service.http.post("/jobs", files={"file": ("a.mp3", sample)}, headers=headers)

    with serving(tmp_path, "--sample") as service:
        assert "It is open to all who reach it" in "\n".join(eventually(lambda: said(service.lines)))
        assert any("the api is open to all" in line for line in service.lines)
        assert post(None).status_code == 202

        mine, other = genrewiz_keys("add", "mine"), genrewiz_keys("add", "other")
        eventually(lambda: post(None).status_code == 401)
        job = post(mine).json()
        own = {"Authorization": f"Bearer {mine}"}
        done = eventually(
            lambda: (
                (seen := service.http.get(f"/jobs/{job['id']}", headers=own).json())["status"] in FINISHED
                and seen
            )
        )
        assert done["status"] == "succeeded"
        others = service.http.get(f"/jobs/{job['id']}", headers={"Authorization": f"Bearer {other}"})
        assert others.status_code == 404

        for key in (mine, other):
            genrewiz_keys("revoke", key.split("_")[1])
        eventually(lambda: post(mine).status_code == 401)
        assert post(None).status_code == 401

    with serving(tmp_path, "--sample") as service:  # also after a restart, which classifies no sample then
        assert post(None).status_code == 401
        assert "It asks for API keys" in "\n".join(eventually(lambda: said(service.lines)))
        assert any("No sample is classified" in line for line in service.lines)


def said(lines: list[str]) -> list[str]:
    """The lines from `is ready` on, once all are there."""
    at = next((number for number, line in enumerate(lines) if "is ready" in line), None)
    return lines[at:] if at is not None and "Ctrl-C stops it." in lines[at:] else []
