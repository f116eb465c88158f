"""The OpenAPI document: made from the routes that there are, the types of bodies, and the table of errors.

A route that nobody described, and a description of no route, are errors here: the document is of this server.
"""

import json
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from werkzeug.routing import Rule

from api.errors import HTTP_STATUS, MIMETYPE, RETRY_AFTER_SECONDS, SURPRISE, problem_body
from api.openapi import examples, webhook_examples
from api.openapi.forms import Answer, JsonObject, Operation, Takes
from api.openapi.headers import HEADERS, RATE_LIMIT, headers_named, parameters
from api.openapi.operations import NOT_DESCRIBED, OPERATIONS
from api.openapi.webhook_events import EVENT_BODIES, event_examples, webhook_parameters, webhooks
from api.openapi.webhook_operations import WEBHOOK_LINKS
from api.openapi.words import DESCRIPTION, TAGS
from api.problems import catalogue
from api.rights import OPEN, right_for
from shared import bodies
from shared.errors import (
    GenreWizError,
    InvalidRequest,
    MalformedRequest,
    MissingRight,
    NoRoom,
    RateLimited,
    StoreUnavailable,
    Unauthorized,
)
from shared.model_card import ModelCard
from shared.urls import MAX_URL_CHARACTERS
from shared.wire import JobRequest, UrlJobRequest

METHODS: Final = ("get", "post", "put", "patch", "delete")
GUARDED: Final = (Unauthorized, MissingRight, RateLimited, StoreUnavailable)
"""What may come between a request and a route that is not open."""
FOR_EVENTS: Final = (bodies.Event, bodies.ProgressEvent, bodies.WindowEvent)
URLS: Final = {
    "UrlJobRequest": examples.SONG_URL,
    "EndpointRequest": examples.HOOK_URL,
    "EndpointChange": examples.HOOK_URL,
}
"""Bodies that name one, and an example."""
NOT_FOUND: Final = "not_found"
RETRY_SECONDS: Final = 7  # of examples
JSON: Final = "application/json"


class _Schemas(GenerateJsonSchema):
    """Without titles that only repeat the names of fields."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  pydantic calls it
        return False


def document(rules: Iterable[Rule], released: ModelCard | None) -> JsonObject:
    """The document; LookupError where routes and descriptions are not the same. released: for an example."""
    described = dict(_described(rules))
    shown = _examples(released)
    refusals: JsonObject = {}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "GenreWiz",
            "version": version("genrewiz"),
            "summary": "Tells the genre of music, as a service.",
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "This server"}],
        "tags": TAGS,
        "paths": _paths(described, shown, refusals),
        "webhooks": webhooks(),
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key, `gw_…`. Where none was made, requests need none.",
                }
            },
            "schemas": _schemas(),
            "parameters": parameters(
                examples.JOB_ID, webhook_examples.ENDPOINT_ID, webhook_examples.DELIVERY_ID
            )
            | webhook_parameters(),
            "headers": HEADERS,
            "links": LINKS,
            "responses": dict(sorted(refusals.items())),
            "examples": {f"{group}_{name}": each for group in shown for name, each in shown[group].items()},
        },
    }


def text_of(whole: JsonObject) -> str:
    """As it is served and committed."""
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


FLAT_WEBHOOK: Final = {
    "webhook_url": "For forms: `webhook.url` of the job. With any of these four, `job` has no `webhook`.",
    "webhook_endpoint": "For forms: `webhook.endpoint` of the job.",
    "webhook_events": "For forms: `webhook.events` of the job, separated by commas.",
    "webhook_secret": "For forms: `webhook.secret` of the job.",
}
LINKS: Final[JsonObject] = {
    **{
        name: {"operationId": operation, "parameters": {"job_id": "$response.body#/id"}, "description": text}
        for name, operation, text in (
            ("GetJob", "getJob", "See what became of it."),
            ("CancelJob", "cancelJob", "Do without the answer."),
            ("DeleteJob", "deleteJob", "Remove it with all that belongs to it."),
            ("WatchJob", "watchJob", "Have its changes told."),
            ("CreateEventsToken", "createEventsToken", "Let a browser watch it."),
            ("GetSpectrogram", "getSpectrogram", "See the song."),
        )
    },
    "GetDeletedJob": {
        "operationId": "getJob",
        "parameters": {"job_id": "$request.path.job_id"},
        "description": "It is gone: 410.",
    },
    "WatchJobByToken": {
        "operationId": "watchJob",
        "parameters": {"job_id": "$request.path.job_id", "token": "$response.body#/token"},
        "description": "In the address, as a browser has to.",
    },
    "FirstJobListed": {
        "operationId": "getJob",
        "parameters": {"job_id": "$response.body#/jobs/0/id"},
        "description": "The youngest job of the page, with its timeline.",
    },
    **WEBHOOK_LINKS,
}


def _described(rules: Iterable[Rule]) -> Iterator[tuple[tuple[str, str], Operation]]:
    there = {
        (method, rule.rule)
        for rule in rules
        if rule.rule not in NOT_DESCRIBED
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    for missing in sorted(there ^ set(OPERATIONS)):
        raise LookupError(f"{' '.join(missing)} is no route, or stands not in api/openapi/operations.py")
    # In the order in which they are told, not that in which blueprints are registered.
    yield from OPERATIONS.items()


def _paths(
    described: dict[tuple[str, str], Operation], shown: JsonObject, refusals: JsonObject
) -> JsonObject:
    """refusals: those that are referred to are put there."""
    paths: JsonObject = {}
    for (method, rule), operation in described.items():
        path = rule.replace("<", "{").replace(">", "}")
        paths.setdefault(path, {})[method.lower()] = _operation(method, rule, operation, shown, refusals)
    return paths


def _operation(
    method: str, rule: str, operation: Operation, shown: JsonObject, refusals: JsonObject
) -> JsonObject:
    is_open = rule in OPEN
    limits = () if is_open else RATE_LIMIT
    right = right_for(method, rule)
    names = (*operation.parameters, "RequestId", "Traceparent")
    written: JsonObject = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description + (f"\n\nNeeds the right `{right}`." if right else ""),
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in names],
    }
    if operation.takes_a_song:
        written["requestBody"] = _song()
    if operation.takes:
        written["requestBody"] = _taken(operation.takes, shown)
    answers = {status: _answer(answer, limits, shown) for status, answer in operation.answers.items()}
    written["responses"] = {
        str(status): answer
        for status, answer in sorted({**answers, **_refusals(operation, rule, limits, refusals)}.items())
    }
    written["security"] = [] if is_open else [{}, {"bearer": []}]
    return written


def _song() -> JsonObject:
    part = {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {
                "type": "string",
                "format": "binary",
                "contentMediaType": "application/octet-stream",
                "description": "The song, in any format that is decoded here, with a file name.",
            },
            "job": {"$ref": "#/components/schemas/JobRequest"},
            **{name: {"type": "string", "description": text} for name, text in FLAT_WEBHOOK.items()},
        },
        "additionalProperties": False,
    }
    return {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": part,
                "encoding": {"job": {"contentType": JSON}},
                "examples": {
                    "with_wishes": {
                        "summary": "A file, and what is wanted of it",
                        "value": {"file": "RIFF…", "job": examples.job_part()},
                    },
                    "with_a_webhook": {
                        "summary": "A file, and who is told what became of it, as curl sends it",
                        "value": {"file": "RIFF…", "webhook_url": examples.HOOK_URL},
                    },
                },
            },
            JSON: {
                "schema": {"$ref": "#/components/schemas/UrlJobRequest"},
                "examples": examples.requests(),
            },
        },
    }


def _taken(takes: Takes, shown: JsonObject) -> JsonObject:
    content = {
        "schema": {"$ref": f"#/components/schemas/{takes.body.__name__}"},
        "examples": {name: _example(takes.examples, name) for name in shown[takes.examples]},
    }
    return {"required": takes.required, "content": dict.fromkeys(takes.media, content)}


def _answer(answer: Answer, limits: tuple[str, ...], shown: JsonObject) -> JsonObject:
    content: JsonObject = {media: dict(each) for media, each in answer.media.items()}
    if answer.body is not None:
        content[JSON] = {"schema": {"$ref": f"#/components/schemas/{answer.body.__name__}"}}
    if answer.examples:
        for each in content.values():
            each["examples"] = {
                name: _example(answer.examples, name) for name in answer.only or shown[answer.examples]
            }
    written: JsonObject = {
        "description": answer.description,
        "headers": headers_named("RequestId", *answer.headers, *limits),
    }
    if content:
        written["content"] = content
    if answer.links:
        written["links"] = {name: {"$ref": f"#/components/links/{name}"} for name in answer.links}
    return written


def _refusals(
    operation: Operation, rule: str, limits: tuple[str, ...], refusals: JsonObject
) -> dict[int, JsonObject]:
    """Of each status a problem, and all codes that it may have."""
    by_status: dict[int, set[str]] = {}
    for kind in (*operation.errors, MalformedRequest, *(() if rule in OPEN else GUARDED)):
        by_status.setdefault(HTTP_STATUS[kind], set()).add(kind.code)
    by_status[500] = {SURPRISE}
    if "<" in rule:  # what stands in the path may be another path, or none
        by_status.setdefault(404, set()).add(NOT_FOUND)
    written = {}
    for status, kinds in by_status.items():
        name = "_or_".join(sorted(kinds)) + ("" if limits else "_of_open_route")
        refusals[name] = _refusal(status, sorted(kinds), limits)
        written[status] = {"$ref": f"#/components/responses/{name}"}
    return written


def _example(group: str, name: str) -> JsonObject:
    return {"$ref": f"#/components/examples/{group}_{name}"}


def _refusal(status: int, codes: list[str], limits: tuple[str, ...]) -> JsonObject:
    types = catalogue()
    headers = ["RequestId", *limits]
    if status in (429, 503):
        headers.append("RetryAfter")
    if status == HTTP_STATUS[Unauthorized]:
        headers.append("WwwAuthenticate")
    return {
        "description": " ".join(f"`{code}`: {types[code].meaning}" for code in codes),
        "headers": headers_named(*headers),
        "content": {
            MIMETYPE: {
                "schema": {
                    "allOf": [
                        {"$ref": "#/components/schemas/Problem"},
                        {
                            "type": "object",
                            "properties": {"status": {"const": status}, "code": {"enum": codes}},
                        },
                    ]
                },
                "examples": {code: _example("problem", code) for code in codes},
            }
        },
    }


def _problem(told: bodies.ProblemType, kind: type[GenreWizError] | None) -> JsonObject:
    body = problem_body(
        status=told.status or 0,
        code=told.code,
        title=told.title,
        detail=told.meaning,
        retryable=told.retryable,
        request_id="req_0f5c1b2d3e4a5968",
    )
    if kind and (issubclass(kind, NoRoom) or kind in RETRY_AFTER_SECONDS):
        body["retry_after_seconds"] = RETRY_AFTER_SECONDS.get(kind, RETRY_SECONDS)
    if kind is InvalidRequest:
        body["errors"] = [{"pointer": "/options/top", "detail": "Input should be less than or equal to 10"}]
    return body


def _schemas() -> JsonObject:
    kinds: list[type[BaseModel]] = [JobRequest, UrlJobRequest, bodies.Problem, *FOR_EVENTS, *EVENT_BODIES]
    for operation in OPERATIONS.values():
        kinds += [operation.takes.body] if operation.takes else []
        kinds += [answer.body for answer in operation.answers.values() if answer.body]
    _, whole = models_json_schema(
        [(kind, "validation") for kind in dict.fromkeys(kinds)],
        ref_template="#/components/schemas/{model}",
        schema_generator=_Schemas,
    )
    schemas: JsonObject = whole["$defs"]
    for name, example in URLS.items():
        schemas[name]["properties"]["url"] |= {
            "format": "uri",
            "maxLength": MAX_URL_CHARACTERS,
            "examples": [example],
        }
    return schemas


def _examples(released: ModelCard | None) -> dict[str, JsonObject]:
    """Groups of examples, by their name in an answer."""

    def one(value: Any, summary: str) -> JsonObject:
        return {"example": {"summary": summary, "value": value}}

    types = catalogue()
    kinds = {kind.code: kind for kind in HTTP_STATUS}
    card = examples.card(released) if released else None
    return {
        "problem": {
            code: {"summary": types[code].title, "value": _problem(types[code], kinds.get(code))}
            for code in sorted({*kinds, NOT_FOUND, SURPRISE})
        },
        "job": examples.jobs(),
        "page": one(examples.page(), "A page with one job, and more behind it"),
        "token": one(examples.token(), "For a minute"),
        "event": one(examples.event(), "A window's answer"),
        "models": one({"models": [card]}, "The released model") if card else {},
        "model": one(card, "The released model") if card else {},
        "problem_type": one(types["queue_full"].model_dump(mode="json"), "A full queue"),
        "alive": one({"status": "alive"}, "It works"),
        **webhook_examples.groups(),
        "event_sent": event_examples(),
        "ready": one({"status": "ready", "workers_ready": 1}, "With one worker"),
    }
