"""GET /models: what answers, and how good it was found to be."""

import json

import pytest
from flask.testing import FlaskClient

from api.app import create_api
from shared.model_card import RELEASED, figures_path
from shared.settings import Settings
from support.contract import problems_with


def client_of(**settings) -> FlaskClient:
    away = Settings(redis_url="redis://127.0.0.1:1/0", audio_dir="/tmp/genrewiz-no-audio", **settings)
    return create_api(away).app.test_client()


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return client_of()


def test_the_released_model_tells_what_it_is_and_how_good_it_is_also_without_redis(client):
    answer = client.get("/models/pcrnn")

    body = answer.get_json()
    assert answer.status_code == 200
    assert (body["name"], len(body["genres"])) == ("pcrnn", 10)
    assert body["sha256"] == RELEASED.with_name(RELEASED.name + ".sha256").read_text().split()[0]
    assert body["window"]["seconds"] == pytest.approx(29.7, abs=0.1)
    assert body["trained_on"]["songs"] == sum(body["trained_on"]["songs_per_genre"].values())
    [test] = [each for each in body["measured"]["lists"] if each["list"] == "test_filtered"]
    assert 0 < test["accuracy_interval"][0] < test["accuracy"] < test["accuracy_interval"][1] < 1
    assert {"ece", "ece_if_calibrated", "nll", "brier"} <= set(test)
    assert [each["genre"] for each in test["genres"]] == body["genres"]


def test_the_list_of_models_holds_each_as_it_is_by_itself(client):
    answer = client.get("/models")

    assert answer.get_json() == {"models": [client.get("/models/pcrnn").get_json()]}


@pytest.mark.parametrize("name", ["nonsense", "PCRNN", "pcrnn%00", "pcrnn.safetensors", "..%5c..%5cetc"])
def test_a_model_of_another_name_is_not_known(client, name):
    answer = client.get(f"/models/{name}")

    assert (answer.status_code, answer.get_json()["code"]) == (404, "unknown_model")


@pytest.mark.parametrize("path", ["/models", "/models/pcrnn"])
def test_a_model_that_a_client_has_is_not_sent_again(client, path):
    tag = client.get(path).headers["ETag"]

    again = client.get(path, headers={"If-None-Match": tag})

    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)


@pytest.mark.parametrize("path", ["/models", "/models/pcrnn", "/models/nonsense"])
def test_models_are_answered_as_the_document_says(client, path):
    answer = client.get(path)

    assert problems_with("GET", path, answer.status_code, answer.headers, answer.data) == []


def test_whoever_takes_no_json_is_told_so(client):
    answer = client.get("/models", headers={"Accept": "text/html"})

    assert (answer.status_code, answer.get_json()["code"]) == (406, "not_acceptable")


def test_another_checkpoint_of_the_operators_is_the_model_that_is_shown_and_claims_no_figures(tmp_path):
    data = RELEASED.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    ours = json.loads(header["__metadata__"]["genrewiz"]) | {"version": "9", "provenance": {}}
    header["__metadata__"]["genrewiz"] = json.dumps(ours)
    written = json.dumps(header).encode()
    path = tmp_path / "own.safetensors"
    path.write_bytes(len(written).to_bytes(8, "little") + written + data[8 + length :])
    figures_path(path).write_bytes(figures_path(RELEASED).read_bytes())  # of another: the released one's

    body = client_of(checkpoint=path).get("/models/pcrnn").get_json()

    assert (body["version"], body["measured"], body["trained_on"]) == ("9", None, None)


@pytest.mark.parametrize("content", [None, b"", b"\xff" * 100, RELEASED.read_bytes()[:5_000]])
def test_without_a_checkpoint_that_can_be_read_the_api_serves_and_shows_no_model(tmp_path, content):
    path = tmp_path / "own.safetensors"
    if content is not None:
        path.write_bytes(content)

    client = client_of(checkpoint=path)

    assert client.get("/livez").status_code == 200
    assert client.get("/models").get_json() == {"models": []}
    assert client.get("/models/pcrnn").status_code == 404
