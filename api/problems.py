"""What each kind of problem means and what to do about it: the catalogue behind the `type` of every problem.

It answers no request and raises nothing: `errors.py` does.
"""

import http
from collections.abc import Iterator
from typing import Final

from api.errors import DETAILS, HTTP_STATUS, SURPRISE, SURPRISE_TITLE
from shared import errors
from shared.bodies import ProblemType
from shared.errors import GenreWizError, JobFailure
from shared.wire import problem_type

AGAIN: Final = "Send the same request again later: after `Retry-After`, where the answer has one."
CHANGE: Final = "Change the request as the detail says. The same again gets the same answer."
ANOTHER_SONG: Final = "Submit another file: this one ends in the same way every time."
SONG_AGAIN: Final = "Submit the song again: another run may succeed."
WHAT_TO_DO: Final[dict[type[GenreWizError], str]] = {
    errors.Unauthorized: "Send a key in the header `Authorization: Bearer gw_…`. The operator makes keys.",
    errors.MissingRight: "Use a key that has the right which the detail names, or ask for one.",
    errors.UnknownJob: "Look at the id. Another caller's job is not told from one that never was.",
    errors.ResultGone: "Submit the song again: results are kept for some days, or until they are deleted.",
    errors.UnknownEndpoint: "Look at the id. Another caller's endpoint is not told from one that never was.",
    errors.UnknownDelivery: "Look at the id, and at how long deliveries are kept: some days.",
    errors.TooManyEndpoints: "Delete an endpoint that nobody needs any more, or change one.",
    errors.EndpointDisabled: "Enable the endpoint: change its `enabled` to true. Then recover.",
    errors.NoSpectrogram: "Ask for one by `options.spectrogram`, and wait until the job has succeeded.",
    errors.JobFinished: "Nothing: its result can be read, and the job deleted.",
    errors.JobRunning: "Cancel the job, wait until it has stopped, then delete it.",
    errors.NotAcceptable: "Leave out `Accept`, or name the media type that the detail does.",
    errors.UnsupportedMediaType: "Send JSON as `application/json`, and an upload as `multipart/form-data`.",
    errors.UploadTooLarge: "Send a shorter or better compressed file.",
    errors.IdempotencyKeyReused: "Use a new key for every new request, the old one for repetitions alone.",
    errors.QuotaExceeded: "Wait until some of your jobs have ended, for `Retry-After` seconds at least.",
    errors.RateLimited: "Ask less often; `RateLimit-Reset` says when you may ask again.",
    errors.UrlBlocked: "Use a public https URL, or upload the file.",
    errors.AudioTooLong: "Cut the song, or send a part of it.",
    errors.AudioTooShort: "Send some seconds more.",
}


def catalogue() -> dict[str, ProblemType]:
    """Every kind of problem by its code, those that only jobs fail with among them."""
    ours = {kind.code: _of_kind(kind) for kind in _kinds()}
    return {**dict(_of_http()), **ours}


def _kinds() -> Iterator[type[GenreWizError]]:
    yield from HTTP_STATUS
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, JobFailure) and kind is not JobFailure:
            yield kind


def _of_kind(kind: type[GenreWizError]) -> ProblemType:
    if issubclass(kind, JobFailure):
        usual = SONG_AGAIN if kind.retryable else ANOTHER_SONG
    else:
        usual = AGAIN if kind.retryable else CHANGE
    return ProblemType(
        type=problem_type(kind.code),
        code=kind.code,
        title=kind.title,
        status=HTTP_STATUS.get(kind),
        retryable=kind.retryable,
        meaning=" ".join((kind.__doc__ or kind.title).split()),
        what_to_do=WHAT_TO_DO.get(kind, usual),
    )


def _of_http() -> Iterator[tuple[str, ProblemType]]:
    """Flask's own refusals, and ours where we broke: each has the code of its status."""
    for status in http.HTTPStatus:
        if status < http.HTTPStatus.BAD_REQUEST:
            continue
        is_surprise = status == http.HTTPStatus.INTERNAL_SERVER_ERROR
        code = SURPRISE if is_surprise else status.name.lower()
        yield (
            code,
            ProblemType(
                type=problem_type(code),
                code=code,
                title=SURPRISE_TITLE if is_surprise else status.phrase,
                status=status,
                retryable=False,
                meaning=DETAILS.get(status, f"{status.phrase}."),
                what_to_do="Tell who runs the service the `request_id`."
                if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR
                else CHANGE,
            ),
        )
