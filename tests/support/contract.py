"""Answers held against docs/openapi.json: status, headers and body, to the last field.

Where the document leaves room for fields of later versions, this does not: today's server gives today's.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
from werkzeug.test import TestResponse

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"


@cache
def document() -> dict[str, Any]:
    return json.loads(DOCUMENT.read_text())


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to, or the thing itself."""
    while "$ref" in node:
        found: Any = document()
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def problems_with(method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
    """What an answer has that the document has not, or the other way round."""
    operation = _operation(method, path)
    if operation is None or method == "HEAD":
        return []
    if str(status) not in operation["responses"]:
        return [f"{method} {path} answers {status}, which is not described"]
    answer = resolved(operation["responses"][str(status)])
    lower = {name.lower(): value for name, value in headers.items()}
    found = [
        f"{name} is missing"
        for name, header in answer["headers"].items()
        if resolved(header).get("required") and name.lower() not in lower
    ]
    return found + _problems_with_body(answer, lower.get("content-type", "").partition(";")[0], body)


def check_http(response: httpx.Response) -> None:
    """AssertionError where an answer to a client of a real server is not as described."""
    streams = response.headers.get("content-type", "").startswith("text/event-stream")
    body = b"" if streams else response.read()
    _check(response.request.method, response.url.path, response.status_code, response.headers, body)


def check_flask(response: TestResponse) -> None:
    """The same of a client of the application."""
    streams = response.mimetype == "text/event-stream"
    body = b"" if streams else response.get_data()
    _check(response.request.method, response.request.path, response.status_code, response.headers, body)


def _check(method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    found = problems_with(method, path, status, headers, body)
    assert not found, f"{method} {path} -> {status}: {'; '.join(found)}"


def errors_of(schema: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with a value, by a schema of the document."""
    whole = {**schema, "components": document()["components"]}
    return [
        f"{list(error.instance_path)}: {error.message}"
        for error in _validator(json.dumps(whole)).iter_errors(value)
    ]


def _problems_with_body(answer: dict[str, Any], kind: str, body: bytes) -> list[str]:
    content = answer.get("content", {})
    if not content:
        return [f"a body of {len(body)} bytes, where none is described"] if body else []
    if kind not in content:
        return [f"{kind or 'no content type'}, where {', '.join(content)} is described"]
    if not kind.endswith("json"):
        return []
    return errors_of(content[kind]["schema"], json.loads(body))


def _operation(method: str, path: str) -> dict[str, Any] | None:
    for pattern, item in document()["paths"].items():
        if re.fullmatch(
            re.sub(r"\{\w+\}", "[^/]+", re.escape(pattern).replace(r"\{", "{").replace(r"\}", "}")), path
        ):
            return item.get(method.lower())
    return None


@cache
def _validator(text: str) -> jsonschema_rs.Draft202012Validator:
    schema = json.loads(text)
    for name, each in schema["components"]["schemas"].items():
        if "properties" in each and name not in ("Problem", "TimelineEntry"):
            each["additionalProperties"] = False
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
