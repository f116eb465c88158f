"""Errors as HTTP answers: the one table of status codes, and RFC 9457 problems.

What a client sent is never repeated, and nobody sees a traceback.
"""

import http
from typing import Any

import structlog
from flask import Flask, Response, g, json
from werkzeug.exceptions import HTTPException

from shared.errors import (
    EndpointDisabled,
    GenreWizError,
    IdempotencyKeyReused,
    InvalidRequest,
    JobFinished,
    JobRunning,
    MalformedRequest,
    MissingRight,
    NoRoom,
    NoSpectrogram,
    NotAcceptable,
    QueueFull,
    QuotaExceeded,
    RateLimited,
    ResultGone,
    StoreUnavailable,
    TooManyEndpoints,
    TooManyWatchers,
    Unauthorized,
    UnknownDelivery,
    UnknownEndpoint,
    UnknownJob,
    UnknownModel,
    UnknownProblem,
    UnsupportedFormat,
    UnsupportedMediaType,
    UploadTooLarge,
    UploadTooSlow,
    UrlBlocked,
    Wrong,
)
from shared.wire import problem_type

HTTP_STATUS: dict[type[GenreWizError], int] = {
    MalformedRequest: 400,
    Unauthorized: 401,
    MissingRight: 403,
    UnknownJob: 404,
    UnknownModel: 404,
    UnknownProblem: 404,
    UnknownEndpoint: 404,
    UnknownDelivery: 404,
    NoSpectrogram: 404,
    NotAcceptable: 406,
    JobFinished: 409,
    JobRunning: 409,
    TooManyEndpoints: 409,
    EndpointDisabled: 409,
    ResultGone: 410,
    UploadTooSlow: 408,
    UploadTooLarge: 413,
    UnsupportedMediaType: 415,
    UnsupportedFormat: 415,
    InvalidRequest: 422,
    IdempotencyKeyReused: 422,
    UrlBlocked: 422,
    QuotaExceeded: 429,
    RateLimited: 429,
    QueueFull: 503,
    TooManyWatchers: 503,
    StoreUnavailable: 503,
}
MIMETYPE = "application/problem+json"
DETAILS: dict[int, str] = {
    404: "Nothing is found at this path.",
    405: "This path is not asked by this method; the header `Allow` names those that it is.",
    500: "Something went wrong on our side.",
}
"""Of Flask's own refusals: what it says of them is meant for a page."""
SURPRISE = "internal_error"
SURPRISE_TITLE = "Internal error"
RETRY_AFTER_SECONDS: dict[type[GenreWizError], int] = {StoreUnavailable: 5}
HEADERS: dict[type[GenreWizError], dict[str, str]] = {Unauthorized: {"WWW-Authenticate": "Bearer"}}

log = structlog.get_logger(__name__)


def install(app: Flask) -> None:
    """Let every error of the application leave as a problem."""
    app.register_error_handler(GenreWizError, _of_our_error)
    app.register_error_handler(HTTPException, of_http_error)
    app.register_error_handler(Exception, _of_surprise)


def unreadable_request(request_id: str) -> bytes:
    """The whole answer, header and all, to what a server could not read as HTTP."""
    error = MalformedRequest("The request is no HTTP that can be read here.")
    status = http.HTTPStatus(HTTP_STATUS[type(error)])
    body = problem_body(
        status=status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        retryable=error.retryable,
        request_id=request_id,
    )
    text = json.dumps(body)
    return (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nContent-Type: {MIMETYPE}\r\n"
        f"Content-Length: {len(text)}\r\nX-Request-Id: {request_id}\r\n\r\n{text}"
    ).encode("ascii")


def _of_our_error(error: GenreWizError) -> Response:
    status = HTTP_STATUS.get(type(error), 500)
    response = _problem(
        status=status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        retryable=error.retryable,
        retry_after_seconds=_retry_after_seconds(error),
        errors=_errors(error),
    )
    response.headers.update(HEADERS.get(type(error), {}))
    return response


def _retry_after_seconds(error: GenreWizError) -> int | None:
    return error.retry_after_seconds if isinstance(error, NoRoom) else RETRY_AFTER_SECONDS.get(type(error))


def _errors(error: GenreWizError) -> tuple[Wrong, ...]:
    if isinstance(error, InvalidRequest):
        return error.errors
    if isinstance(error, UrlBlocked):
        return (Wrong("pointer", error.pointer, error.detail),)
    return ()


def of_http_error(error: HTTPException) -> Response:
    """Flask's own refusals: no such route, no such method."""
    status = error.code or 500
    response = _problem(
        status=status,
        code=http.HTTPStatus(status).name.lower(),
        title=error.name,
        detail=DETAILS.get(status, f"{error.name}."),
    )
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _of_surprise(error: Exception) -> Response:
    log.exception("unexpected error", error=type(error).__name__)
    return _problem(status=500, code=SURPRISE, title=SURPRISE_TITLE, detail=DETAILS[500])


def _problem(
    *,
    status: int,
    code: str,
    title: str,
    detail: str,
    retryable: bool = False,
    retry_after_seconds: int | None = None,
    errors: tuple[Wrong, ...] = (),
) -> Response:
    body = problem_body(
        status=status,
        code=code,
        title=title,
        detail=detail,
        retryable=retryable,
        request_id=g.get("request_id"),
    )
    if retry_after_seconds is not None:
        body["retry_after_seconds"] = retry_after_seconds
    if errors:
        body["errors"] = [{each.where: each.name, "detail": each.detail} for each in errors]
    response = Response(json.dumps(body), status=status, mimetype=MIMETYPE)
    if retry_after_seconds is not None:
        response.headers["Retry-After"] = str(retry_after_seconds)
    return response


def problem_body(
    *, status: int, code: str, title: str, detail: str, retryable: bool, request_id: str | None
) -> dict[str, Any]:
    """The JSON of a problem, less what only some have."""
    return {
        "type": problem_type(code),
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "retryable": retryable,
        "request_id": request_id,
    }
