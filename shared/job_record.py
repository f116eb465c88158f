"""A job's record: the fields of its Redis hash, to and from values.

Pure. Which of the fields change, and when, is the scripts' business (`lua/`).
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar, cast

from shared.classification import Classification, ModelIdentity, TimelineEntry
from shared.eta import eta_of_running, eta_of_waiting
from shared.job import (
    Job,
    JobError,
    JobId,
    JobOptions,
    JobStatus,
    NewJob,
    Outcome,
    Progress,
    Source,
    StageSeconds,
)
from shared.job_webhook import JobWebhook
from shared.names import QueueName
from shared.trace import kept_origin
from shared.wire import dump, load

HEARD = "heard"
"""Of a job that was answered at once: the source of the job that its answer is from."""

T = TypeVar("T")


def read_record(text: str) -> dict[str, str]:
    """A hash as the scripts tell it, in one text; nothing of none."""
    flat = json.loads(text) if text else []
    return dict(zip(flat[::2], flat[1::2], strict=True))


def of_new_job(job: NewJob) -> dict[str, str]:
    """The fields that acceptance adds to those that the script writes itself."""
    fields = {
        "max_attempts": str(job.max_attempts),
        "result_ttl_seconds": str(job.result_ttl_seconds),
        "tombstone_ttl_seconds": str(job.tombstone_ttl_seconds),
        "options": dump(job.options),
        "source": dump(job.source),
        "metadata": dump(dict(job.metadata)),
    }
    if job.origin is not None:
        fields |= {"request_id": job.origin.request_id, "traceparent": job.origin.span.traceparent}
    if job.webhook is not None:
        fields |= _of_webhook(job.webhook)
    # In no other field: the end of the job removes this one, and nothing that shows a job reads it.
    return fields if job.url is None else fields | {"url": job.url}


def _of_webhook(webhook: JobWebhook) -> dict[str, str]:
    """Read by the scripts alone, and removed at the end of the job: a secret may be in it."""
    fields = {"webhook_lane": webhook.lane}
    if webhook.endpoint is not None:
        return fields | {"webhook_endpoint": webhook.endpoint}
    assert webhook.destination is not None
    return fields | {
        "webhook_events": " ".join(webhook.events),
        "webhook_url": webhook.shown_url,
        "webhook_destination": dump(webhook.destination),
    }


def of_outcome(outcome: Outcome) -> dict[str, str]:
    """The fields that the end of a run adds."""
    fields = {
        "source": dump(outcome.source),
        "model": dump(outcome.model),
        "stage_seconds": dump(outcome.stage_seconds),
    }
    if outcome.result is not None:
        # Apart, for it may be long, and most who look at an answer do not look at it.
        fields["result"] = dump(replace(outcome.result, timeline=()))
        fields["timeline"] = dump(list(outcome.result.timeline))
    if outcome.error is not None:
        fields["error"] = dump(outcome.error)
    return fields


def to_job(
    record: Mapping[str, str], *, queue_position: int | None = None, drained_in_a_minute: int = 0
) -> Job:
    """The job that a record describes; the rest is of the queue that it waits in, if it does."""
    return Job(
        id=JobId(record["id"]),
        status=JobStatus(record["status"]),
        queue=cast(QueueName, record["queue"]),
        attempt=int(record["attempt"]),
        max_attempts=int(record["max_attempts"]),
        options=load(JobOptions, record["options"]),
        source=_source(record),
        metadata=load(dict, record["metadata"]),
        progress=Progress(
            stage=record.get("stage") or None,
            fraction=float(record.get("fraction", 0)),
            queue_position=queue_position,
            eta_seconds=_eta_seconds(record, queue_position, drained_in_a_minute),
        ),
        accepted_at=float(record["accepted_at"]),
        started_at=_seconds(record, "started_at"),
        finished_at=_seconds(record, "finished_at"),
        expires_at=_seconds(record, "expires_at"),
        cancel_requested="cancel_requested" in record,
        cached=HEARD in record,
        model=_part(ModelIdentity, record, "model"),
        result=_result(record),
        stage_seconds=_part(StageSeconds, record, "stage_seconds"),
        error=_part(JobError, record, "error"),
        origin=kept_origin(record.get("request_id"), record.get("traceparent")),
    )


def _eta_seconds(record: Mapping[str, str], queue_position: int | None, drained: int) -> int | None:
    if queue_position is not None:
        return eta_of_waiting(queue_position=queue_position, drained_in_a_minute=drained)
    if record["status"] != JobStatus.RUNNING or not {"claimed_at", "progressed_at"} <= record.keys():
        return None
    # As of the last word of its worker, so that nothing changes while nothing is known anew.
    ran_seconds = float(record["progressed_at"]) - float(record["claimed_at"])
    return eta_of_running(ran_seconds=ran_seconds, fraction=float(record["fraction"]))


def _source(record: Mapping[str, str]) -> Source:
    source = load(Source, record["source"])
    if HEARD not in record:
        return source
    # The same bytes under another name: what was found in them holds here, too.
    heard = load(Source, record[HEARD])
    return replace(
        source,
        duration_seconds=heard.duration_seconds,
        sample_rate=heard.sample_rate,
        channels=heard.channels,
        codec=heard.codec,
        truncated=heard.truncated,
    )


def _result(record: Mapping[str, str]) -> Classification | None:
    result = _part(Classification, record, "result")
    if result is None or "timeline" not in record:
        return result
    return replace(result, timeline=tuple(load(list[TimelineEntry], record["timeline"])))


def _part(kind: type[T], record: Mapping[str, str], name: str) -> T | None:
    return load(kind, record[name]) if name in record else None


def _seconds(record: Mapping[str, str], name: str) -> float | None:
    return float(record[name]) if name in record else None
