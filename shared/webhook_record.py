"""Endpoints and deliveries as their Redis hashes keep them, to and from values.

Pure. Which of the fields change, and when, is the scripts' business (`lua/`).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from shared.job import JobId
from shared.job_record import read_record, to_job
from shared.job_webhook import BasicAuth, EndpointId, EventName, InlineDestination
from shared.trace import kept_origin
from shared.webhook_wire import event_body, webhook_test_data
from shared.webhooks import (
    TEST_EVENT,
    Attempt,
    Delivery,
    DeliveryId,
    DeliveryStatus,
    Destination,
    DisabledBecause,
    DueDelivery,
    Endpoint,
    FailedBecause,
    NewEndpoint,
    SigningSecret,
)
from shared.wire import dump, event_data_body, load

Record = Mapping[str, str]


def of_new_endpoint(new: NewEndpoint, secret: str) -> dict[str, str]:
    """The fields that an endpoint begins with, beside those that the script writes itself."""
    return {
        "url": new.url,
        "events": " ".join(new.events),
        "description": new.description,
        "secrets": json.dumps([{"text": secret}]),
        **({"basic_auth": dump(new.basic_auth)} if new.basic_auth else {}),
    }


def of_changes(changes: Mapping[str, Any]) -> dict[str, str]:
    """The fields that a change of an endpoint writes; an empty one is removed."""
    fields: dict[str, str] = {}
    for name, value in changes.items():
        match name:
            case "url" | "description":
                fields[name] = value
            case "events":
                fields[name] = " ".join(value)
            case "basic_auth":
                fields[name] = dump(value) if value else ""
            case "enabled":
                fields["disabled_because"] = "" if value else "on_request"
            case _:
                raise TypeError(f"An endpoint has no {name}.")
    return fields


def to_endpoint(record: Record, failing_since: str) -> Endpoint:
    """The endpoint that a record describes."""
    return Endpoint(
        id=EndpointId(record["id"]),
        caller=record["caller"],
        url=record["url"],
        events=cast(tuple[EventName, ...], tuple(record["events"].split())),
        description=record.get("description", ""),
        basic_auth=_basic_auth(record.get("basic_auth", "")),
        secrets=to_secrets(record["secrets"]),
        created_at=float(record["created_at"]),
        updated_at=float(record["updated_at"]),
        disabled_because=cast(DisabledBecause | None, record.get("disabled_because")),
        failing_since=float(failing_since) if failing_since else None,
    )


def to_secrets(text: str) -> tuple[SigningSecret, ...]:
    """Secrets as they are kept; none of nothing."""
    return tuple(load(list[SigningSecret], text)) if text else ()


def to_delivery(record: Record, due_at: str, attempts: Sequence[str]) -> Delivery:
    """The delivery that a record describes."""
    return Delivery(
        id=DeliveryId(record["id"]),
        caller=record["caller"],
        endpoint=_endpoint(record),
        url=record["url"],
        event=record["event"],
        job_id=_job_id(record),
        sequence=int(record["sequence"]),
        status=DeliveryStatus(record["status"]),
        failed_because=cast(FailedBecause | None, record.get("failed_because") or None),
        created_at=float(record["created_at"]),
        next_attempt_at=float(due_at) if due_at else None,
        finished_at=float(record["finished_at"]) if "finished_at" in record else None,
        attempts_made=int(record["attempts"]),
        attempts=tuple(load(Attempt, text) for text in attempts),
    )


def to_due_delivery(
    record: Record,
    *,
    token: int,
    is_suspect: bool,
    url: str,
    secrets: str,
    basic_auth: str,
    instance_secrets: str,
) -> DueDelivery:
    """What is to be sent now. url, secrets and basic_auth: of its endpoint, '' where it has none."""
    now = float(record["claimed_at"])
    if record["destination"]:
        inline = load(InlineDestination, record["destination"])
        own = (inline.secret,) if inline.secret else _in_force(instance_secrets, now)
        destination = Destination(url=inline.url, secrets=own, basic_auth=inline.basic_auth)
    else:
        destination = Destination(
            url=url, secrets=_in_force(secrets, now), basic_auth=_basic_auth(basic_auth)
        )
    number = int(record["attempts"]) + 1
    return DueDelivery(
        id=DeliveryId(record["id"]),
        token=token,
        number=number,
        tries=int(record["tries"]),
        event=record["event"],
        endpoint=_endpoint(record),
        job_id=_job_id(record),
        created_at=float(record["created_at"]),
        claimed_at=now,
        destination=destination,
        body=_body(record),
        retry_reason=record.get("retry_reason") if number > 1 else None,
        origin=kept_origin(record.get("request_id"), record.get("traceparent")),
        is_suspect=is_suspect,
    )


def _body(record: Record) -> bytes:
    """What is sent: at every attempt the same, also where the code has changed since the first."""
    if "body" in record:
        return record["body"].encode()
    is_test = record["event"] == TEST_EVENT
    event = event_body(
        record["event"],
        at=float(record["created_at"]),
        sequence=int(record["sequence"]),
        data=webhook_test_data(record["endpoint"])
        if is_test
        else event_data_body(to_job(read_record(record["job"]))),
    )
    return json.dumps(event, separators=(",", ":")).encode("ascii")


def _in_force(secrets: str, now: float) -> tuple[str, ...]:
    return tuple(each.text for each in to_secrets(secrets) if each.until is None or each.until > now)


def _basic_auth(text: str) -> BasicAuth | None:
    return load(BasicAuth, text) if text else None


def _endpoint(record: Record) -> EndpointId | None:
    return EndpointId(record["endpoint"]) if "endpoint" in record else None


def _job_id(record: Record) -> JobId | None:
    return JobId(record["job_id"]) if "job_id" in record else None
