"""The OpenAPI document: all routes, examples that hold, links that lead somewhere."""

import json
from typing import Any

import jsonschema_rs
import pytest
from werkzeug.routing import Map, Rule

from api.app import create_api
from api.errors import HTTP_STATUS
from api.openapi.document import document as make_document
from api.openapi.examples import stream
from api.openapi.operations import NOT_DESCRIBED, OPERATIONS
from api.problems import WHAT_TO_DO, catalogue
from shared.job_webhook import EVENTS
from shared.settings import Settings
from shared.webhook_requests import EXAMPLE as SPECIFICATIONS
from shared.webhook_secrets import signatures
from shared.webhooks import TEST_EVENT
from support.contract import document, errors_of, resolved

HTTP_METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "trace"}


def routes() -> list[Rule]:
    app = create_api(Settings(redis_url="redis://127.0.0.1:1/0", audio_dir="/tmp/genrewiz-no-audio")).app
    return list(app.url_map.iter_rules())


@pytest.fixture(scope="module")
def client():
    settings = Settings(redis_url="redis://127.0.0.1:1/0", audio_dir="/tmp/genrewiz-no-audio", rate_limit="")
    return create_api(settings).app.test_client()


def operations() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method in HTTP_METHODS
    ]


def contents() -> list[tuple[str, dict[str, Any]]]:
    """Every description of a body."""
    return [
        (f"{name} {where} {media}", each)
        for name, operation in operations()
        for where, holder in [("request", operation.get("requestBody", {})), *operation["responses"].items()]
        for media, each in resolved(holder).get("content", {}).items()
    ]


def test_a_route_that_nobody_described_stops_the_document():
    extra = Map([Rule("/jobs/<job_id>/lyrics", methods=["GET"], endpoint="lyrics")])

    with pytest.raises(LookupError, match=r"GET /jobs/<job_id>/lyrics"):
        make_document([*routes(), *extra.iter_rules()], None)


def test_a_description_of_no_route_stops_the_document():
    with pytest.raises(LookupError, match="GET /livez"):
        make_document([rule for rule in routes() if rule.rule != "/livez"], None)


def test_what_is_left_out_of_the_document_is_there_for_people_alone():
    assert {rule for _, rule in OPERATIONS}.isdisjoint(NOT_DESCRIBED)
    assert not {rule for rule in NOT_DESCRIBED if rule.startswith("/jobs")}


def test_the_document_is_what_the_standard_calls_one():
    whole = document()

    assert whole["openapi"] == "3.1.0"
    for schema in whole["components"]["schemas"].values():
        jsonschema_rs.Draft202012Validator({**schema, "components": whole["components"]})


def test_every_event_is_described_with_its_headers_and_an_example_that_holds():
    told = document()["webhooks"]

    assert set(told) == {*EVENTS, TEST_EVENT}
    for name, item in told.items():
        operation = item["post"]
        headers = {resolved(parameter)["name"] for parameter in operation["parameters"]}
        assert headers == {
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
            "GenreWiz-Attempt",
            "GenreWiz-Retry-Reason",
            "traceparent",
        }
        assert {"2XX", "410", "default"} <= set(operation["responses"])
        content = operation["requestBody"]["content"]["application/json"]
        for example in content["examples"].values():
            value = resolved(example)["value"]
            assert value["type"] == name
            assert errors_of(content["schema"], value) == [], name
            other = {**value, "type": "job.succeeded" if name == "job.failed" else "job.failed"}
            assert errors_of(content["schema"], other) != [], name


def test_of_progress_no_answer_is_said_to_have_it_tried_again():
    told = {
        name: [answer["description"] for answer in item["post"]["responses"].values()]
        for name, item in document()["webhooks"].items()
    }

    tried_again = {name for name, said in told.items() if any("It is tried again" in each for each in said)}
    assert tried_again == {*EVENTS, TEST_EVENT} - {"job.progress"}
    assert any("given up" in each for each in told["job.progress"])


def test_the_signature_of_the_example_is_that_of_the_example():
    whole = document()
    header = {
        each["name"]: each.get("example")
        for each in whole["components"]["parameters"].values()
        if each["name"].startswith("webhook-")
    }
    body = whole["components"]["examples"]["event_sent_job_succeeded"]["value"]

    made = signatures(
        [SPECIFICATIONS],
        webhook_id=header["webhook-id"],
        timestamp=int(header["webhook-timestamp"]),
        body=json.dumps(body, separators=(",", ":")).encode(),
    )

    assert header["webhook-signature"] == made


def test_every_reference_leads_somewhere():
    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            here = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return here + [found for each in node.values() for found in references(each)]
        return [found for each in node for found in references(each)] if isinstance(node, list) else []

    found = references(document())

    assert len(found) > 100
    for reference in found:
        resolved({"$ref": reference})  # KeyError where there is nothing


def test_nothing_among_the_components_is_there_for_nobody():
    whole = document()
    text = json.dumps(whole)

    unused = [
        f"{kind}/{name}"
        for kind, each in whole["components"].items()
        if kind != "securitySchemes"
        for name in each
        if f'"#/components/{kind}/{name}"' not in text
    ]

    assert unused == []


def test_every_body_has_an_example_and_every_example_holds():
    without = []
    for name, content in contents():
        examples = content.get("examples", {})
        if not examples:
            without.append(name)
        for example in examples.values():
            assert errors_of(content["schema"], resolved(example)["value"]) == [], name

    # A picture, and the document itself.
    assert [name.split()[1] for name in without] == ["/jobs/{job_id}/spectrogram.png", "/openapi.json"]


def test_every_operation_has_words_and_an_id_of_its_own():
    ids = [operation["operationId"] for _, operation in operations()]

    assert len(set(ids)) == len(ids) == len(OPERATIONS)
    tags = {tag["name"] for tag in document()["tags"]}
    for name, operation in operations():
        assert operation["summary"], name
        assert operation["description"], name
        assert set(operation["tags"]) <= tags, name


def test_every_link_leads_to_an_operation_and_its_parameters():
    known = {operation["operationId"]: operation for _, operation in operations()}

    for name, link in document()["components"]["links"].items():
        there = {resolved(parameter)["name"] for parameter in known[link["operationId"]]["parameters"]}
        assert set(link["parameters"]) <= there, name


def test_every_problem_that_a_request_can_meet_is_described_with_its_status():
    described: dict[str, set[int]] = {}
    for _, operation in operations():
        for status, answer in operation["responses"].items():
            for content in resolved(answer).get("content", {}).values():
                for part in content["schema"].get("allOf", []):
                    for code in part.get("properties", {}).get("code", {}).get("enum", []):
                        described.setdefault(code, set()).add(int(status))

    ours = {kind.code: {status} for kind, status in HTTP_STATUS.items()}
    assert described == ours | {"not_found": {404}, "internal_error": {500}}


def test_the_type_of_every_problem_can_be_looked_up(client):
    for code, kind in catalogue().items():
        answer = client.get(kind.type)

        assert answer.status_code == 200, code
        assert answer.get_json()["code"] == code
        assert answer.get_json()["meaning"]
        assert answer.get_json()["what_to_do"]
        assert client.get(f"/problems/{code}").get_json() == answer.get_json()


def test_advice_is_given_for_problems_that_there_are():
    codes = set(catalogue())

    assert {kind.code for kind in WHAT_TO_DO} <= codes


def test_a_problem_of_no_such_name_is_a_problem_of_its_own(client):
    for name in ("nonsense", "queue_full_", "queue full", "%00"):
        answer = client.get(f"/problems/{name}")

        assert (answer.status_code, answer.get_json()["code"]) == (404, "unknown_problem")


def test_the_served_document_is_the_committed_one_and_is_not_sent_twice(client):
    answer = client.get("/openapi.json")
    again = client.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})

    assert answer.mimetype == "application/json"
    assert answer.get_json() == document()
    assert (again.status_code, again.data) == (304, b"")


def test_the_data_of_every_event_is_of_its_type():
    frames = [
        dict(line.split(": ", 1) for line in frame.splitlines()) for frame in stream().split("\n\n")[1:4]
    ]
    types = {"progress": "ProgressEvent", "window": "WindowEvent"}

    told = {frame["event"]: json.loads(frame["data"]) for frame in frames if frame["event"] in types}

    assert told.keys() == types.keys()
    for event, data in told.items():
        assert errors_of({"$ref": f"#/components/schemas/{types[event]}"}, data) == [], event
