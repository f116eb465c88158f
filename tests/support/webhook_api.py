"""Webhook endpoints and deliveries over HTTP, for tests."""

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

HOOK = "https://93.184.216.34/hook?token=t0ken"
"""An address, so that no DNS is asked; nobody ever does send anything there."""
SONG = "https://93.184.216.34/a.mp3"
UNKNOWN_ENDPOINT, UNKNOWN_DELIVERY = "whe_" + "0" * 24, "msg_" + "0" * 24


def bearer(text: str | None) -> dict[str, str]:
    """Headers of whoever has this key."""
    return {"Authorization": f"Bearer {text}"} if text else {}


def make_endpoint(client: FlaskClient, key: str | None = None, **asked: Any) -> dict[str, Any]:
    """A new endpoint, as its owner sees it."""
    response = client.post("/webhook-endpoints", json={"url": HOOK} | asked, headers=bearer(key))
    assert response.status_code == 201, response.get_json()
    body: dict[str, Any] = response.get_json()
    return body


def submit(client: FlaskClient, webhook: dict[str, Any], key: str | None = None) -> str:
    """The id of a job that tells this webhook of its end."""
    response = client.post("/jobs", json={"url": SONG, "webhook": webhook}, headers=bearer(key))
    assert response.status_code == 202, response.get_json()
    job_id: str = response.get_json()["id"]
    return job_id


def tell(client: FlaskClient, webhook: dict[str, Any], key: str | None = None) -> str:
    """The id of the delivery of a job's end."""
    job_id = submit(client, webhook, key)
    assert client.post(f"/jobs/{job_id}/cancel", headers=bearer(key)).status_code == 200
    return f"msg_{job_id.removeprefix('job_')}_1"


def code_of(response: TestResponse) -> tuple[int, str | None]:
    """Status, and the code of a problem."""
    return response.status_code, (response.get_json(silent=True) or {}).get("code")


def places(response: TestResponse, status: int = 422) -> list[str]:
    """What is named as wrong."""
    assert response.status_code == status, response.get_json()
    return [error.get("pointer", error.get("parameter")) for error in response.get_json()["errors"]]
