"""Jobs as JSON, as a server sends them to the client."""

import copy
from typing import Any

_RESULT = {
    "genre": "rock",
    "confidence": 0.75,
    "abstained_because": None,
    "top": [{"genre": "rock", "probability": 0.75}],
    "timeline": [{"start_seconds": 0.0, "end_seconds": 29.7, "genre": "rock", "probabilities": [0.75, 0.25]}],
}
_ERROR = {"code": "corrupt_audio", "title": "Corrupt audio", "detail": "Nothing in it.", "retryable": False}
_BODY: dict[str, Any] = {
    "id": "job_1",
    "queue": "standard",
    "cancel_requested": False,
    "cached": False,
    "attempt": 1,
    "created_at": "2026-01-02T03:04:05.678Z",
    "started_at": None,
    "finished_at": None,
    "expires_at": None,
    "progress": {"stage": "predict", "fraction": 0.5, "queue_position": None, "eta_seconds": 2},
    "source": {"kind": "upload", "filename": "a.mp3", "bytes": 721_023},
    "model": None,
    "result": None,
    "timings_seconds": {"queue": 0.012, "total": 0.19},
    "error": None,
    "metadata": {},
    "links": {"self": "/jobs/job_1"},
}


def body(status: str = "running", **changes: Any) -> dict[str, Any]:
    """A job of this status."""
    ended = {"finished_at": "2026-01-02T03:04:06.500Z"} if status not in ("queued", "running") else {}
    if status == "succeeded":
        ended |= {"result": _RESULT, "model": {"name": "pcrnn", "version": "1", "sha256": "0" * 64}}
    if status == "failed":
        ended |= {"error": _ERROR}
    return copy.deepcopy(_BODY | {"status": status} | ended | changes)
