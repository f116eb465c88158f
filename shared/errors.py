"""Every way in which GenreWiz says no: one tree, a stable code each.

It knows nothing of HTTP (`api/errors.py` has that table) and nothing of how an error is shown.
"""

from dataclasses import dataclass
from typing import Literal


class GenreWizError(Exception):
    """An error that a user may see. Its message is one sentence and never repeats what the user sent."""

    code = "internal_error"
    title = "Something went wrong"
    retryable = False

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or f"{self.title}."
        super().__init__(self.detail)


class JobFailure(GenreWizError):
    """The song's own fault: its job ends as failed with this code, on the first try."""


class UnsupportedFormat(JobFailure):
    """The bytes are no audio container that we decode."""

    code = "unsupported_format"
    title = "Unsupported audio format"


class CorruptAudio(JobFailure):
    """A container that we know, but nothing usable can be decoded from it."""

    code = "corrupt_audio"
    title = "Corrupt audio"


class NoAudioStream(JobFailure):
    """A container without any audio in it."""

    code = "no_audio_stream"
    title = "No audio stream"


class AudioTooShort(JobFailure):
    """Fewer seconds than a genre can be told from."""

    code = "audio_too_short"
    title = "Audio too short"


class AudioTooLong(JobFailure):
    """More seconds than the limit."""

    code = "audio_too_long"
    title = "Audio too long"


class AudioSilent(JobFailure):
    """Nothing in it is loud enough to be heard."""

    code = "audio_silent"
    title = "Audio is silent"


class DecodeCrashed(JobFailure):
    """The decoder's process died of this file; nothing else did."""

    code = "decode_crashed"
    title = "Decoder crashed"


class DecodeTimeout(JobFailure):
    """Decoding took more time than the limit, of the processor or of the clock."""

    code = "decode_timeout"
    title = "Decoding took too long"
    retryable = True


class UrlBlocked(JobFailure):
    """A URL that is not fetched from: a scheme or a spelling that we refuse, or an address inside."""

    code = "url_blocked"
    title = "URL blocked"

    def __init__(self, detail: str | None = None, *, pointer: str = "/url") -> None:
        """pointer: where in a request it stands."""
        super().__init__(detail)
        self.pointer = pointer


class FetchFailed(JobFailure):
    """The URL's server cannot be reached, refuses, or breaks off."""

    code = "fetch_failed"
    title = "Fetch failed"

    def __init__(self, detail: str | None = None, *, retryable: bool = True) -> None:
        """retryable: False where the server has said no for good (404, 403, 410)."""
        super().__init__(detail)
        self.retryable = retryable


class FetchTimeout(JobFailure):
    """The URL's server is too slow."""

    code = "fetch_timeout"
    title = "Fetch took too long"
    retryable = True


class PredictionFailed(JobFailure):
    """The pipeline broke on this song in a way nobody foresaw; the worker's log has the traceback."""

    code = "prediction_failed"
    title = "Prediction failed"
    retryable = True


class DeadlineExceeded(JobFailure):
    """One run took longer than the limit."""

    code = "deadline_exceeded"
    title = "Run took too long"
    retryable = True


class TooManyAttempts(JobFailure):
    """Every attempt ended with its worker lost."""

    code = "too_many_attempts"
    title = "Too many attempts"
    retryable = True


class RequestError(GenreWizError):
    """The request's own fault."""


class MalformedRequest(RequestError):
    """The request cannot be read as what it claims to be."""

    code = "malformed_request"
    title = "Malformed request"


@dataclass(frozen=True)
class Wrong:
    """One thing that is wrong with a request, and where.

    name: of a `pointer`, a JSON pointer into the body ("" is all of it); of the others, what they are called.
    """

    where: Literal["pointer", "parameter", "header"]
    name: str
    detail: str


class InvalidRequest(RequestError):
    """The request can be read, but what it asks for cannot be done; `errors` names each place."""

    code = "invalid_request"
    title = "Invalid request"

    def __init__(self, detail: str | None = None, *, errors: tuple[Wrong, ...] = ()) -> None:
        super().__init__(detail)
        self.errors = errors


class NotAcceptable(RequestError):
    """The request takes no kind of answer that this route gives."""

    code = "not_acceptable"
    title = "Not acceptable"


class UnsupportedMediaType(RequestError):
    """The request's content type is none that this route reads."""

    code = "unsupported_media_type"
    title = "Unsupported media type"


class UploadTooLarge(RequestError):
    """More bytes than the limit."""

    code = "upload_too_large"
    title = "Upload too large"


class UploadTooSlow(RequestError):
    """The upload comes in below the least rate, or takes longer than the limit."""

    code = "upload_too_slow"
    title = "Upload too slow"
    retryable = True


class Unauthorized(RequestError):
    """The request needs an API key, and has none that is known."""

    code = "unauthorized"
    title = "Unauthorized"


class MissingRight(RequestError):
    """The request's API key is known, but may not do this."""

    code = "missing_right"
    title = "Missing right"


class UnknownJob(RequestError):
    """No job has this id, or its result has expired."""

    code = "unknown_job"
    title = "Unknown job"


class ResultGone(RequestError):
    """The job was there, and its result is kept no longer."""

    code = "result_gone"
    title = "Result gone"


class UnknownModel(RequestError):
    """No model has this name here."""

    code = "unknown_model"
    title = "Unknown model"


class UnknownProblem(RequestError):
    """No problem has this code."""

    code = "unknown_problem"
    title = "Unknown problem"


class UnknownEndpoint(RequestError):
    """No webhook endpoint has this id."""

    code = "unknown_endpoint"
    title = "Unknown webhook endpoint"


class UnknownDelivery(RequestError):
    """No delivery of a webhook has this id, or it is kept no longer."""

    code = "unknown_delivery"
    title = "Unknown webhook delivery"


class TooManyEndpoints(RequestError):
    """The caller has as many webhook endpoints as anybody may have."""

    code = "too_many_endpoints"
    title = "Too many webhook endpoints"


class EndpointDisabled(RequestError):
    """The webhook endpoint is disabled: nothing but tests is sent there."""

    code = "endpoint_disabled"
    title = "Webhook endpoint disabled"


class NoSpectrogram(RequestError):
    """The job has no picture: none was asked for, or it has not succeeded."""

    code = "no_spectrogram"
    title = "No spectrogram"


class JobFinished(RequestError):
    """What was asked for can be done to jobs alone that have not finished."""

    code = "job_finished"
    title = "Job has finished"


class JobRunning(RequestError):
    """What was asked for cannot be done to a job in a worker's hands."""

    code = "job_running"
    title = "Job is running"
    retryable = True


class IdempotencyKeyReused(RequestError):
    """The idempotency key has made a job of another request."""

    code = "idempotency_key_reused"
    title = "Idempotency key reused"


class NoRoom(RequestError):
    """Too much waits already; nothing of the request was kept."""

    retryable = True

    def __init__(self, detail: str | None = None, *, retry_after_seconds: int) -> None:
        """retry_after_seconds: when there will be room, as quickly as jobs end now."""
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class QuotaExceeded(NoRoom):
    """Too much of this caller's waits."""

    code = "quota_exceeded"
    title = "Quota exceeded"


class TooManyWatchers(NoRoom):
    """One process holds as many open streams and waits as it may."""

    code = "too_many_watchers"
    title = "Too many watchers"


class QueueFull(NoRoom):
    """Too much waits in all."""

    code = "queue_full"
    title = "Queue is full"


class RateLimited(NoRoom):
    """The caller asks more often than the limit."""

    code = "rate_limited"
    title = "Rate limited"


class UnreadableFile(GenreWizError):
    """A file of the command line's that is not there or may not be read."""

    code = "unreadable_file"
    title = "File cannot be read"


class UnwritableFile(GenreWizError):
    """A file of the command line's that the disk does not take; what was there before is as it was."""

    code = "unwritable_file"
    title = "File cannot be written"


class TrainingStopped(GenreWizError):
    """A training run that cannot go on: its loss or its answers are no numbers any more."""

    code = "training_stopped"
    title = "Training stopped"


class MelsUnusable(GenreWizError):
    """A file of log-mel windows that cannot be read as one, or a place that cannot take their answers."""

    code = "mels_unusable"
    title = "Log-mel windows cannot be used"


class TransientError(GenreWizError):
    """Something that we depend on is away and may come back."""

    retryable = True


class StoreUnavailable(TransientError):
    """Redis or the audio store does not answer."""

    code = "store_unavailable"
    title = "Store unavailable"


class AudioMissing(StoreUnavailable):
    """The audio store has no audio of this job, as far as this process can see."""

    code = "audio_missing"
    title = "Audio missing"


class SetupError(GenreWizError):
    """The process cannot start as it is configured."""

    code = "setup_error"
    title = "Cannot start"


class CheckpointError(SetupError):
    """A checkpoint that is missing, damaged or made for another architecture."""

    code = "checkpoint_error"
    title = "Unusable checkpoint"


class DeviceUnavailable(SetupError):
    """The compute device that was asked for is not there."""

    code = "device_unavailable"
    title = "Device unavailable"


class DataUnavailable(SetupError):
    """A folder of training data that is missing or incomplete."""

    code = "data_unavailable"
    title = "Training data unavailable"
