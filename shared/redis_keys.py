"""The names of all Redis keys, in Python and, generated from the same place, in Lua.

No other module spells a key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.job import JobId
from shared.names import (
    KEY_PREFIX,
    QUEUE_NAMES,
    SOURCE_KINDS,
    QueueName,
    SourceKind,
    broker_queue,
    recovered_queue,
)


@dataclass(frozen=True)
class Keys:
    """Key names under one prefix; another prefix is another GenreWiz on the same server."""

    prefix: str = KEY_PREFIX

    @property
    def running(self) -> str:
        """Sorted set: id of a running job -> when its lease ends."""
        return f"{self.prefix}:running"

    @property
    def active(self) -> str:
        """Sorted set: id of every job that has not finished -> when it was accepted."""
        return f"{self.prefix}:active"

    @property
    def rung(self) -> str:
        """Sorted set: id of every queued job -> when its doorbell was last rung or found ringing."""
        return f"{self.prefix}:rung"

    @property
    def deadlines(self) -> str:
        """Sorted set: id of every queued job that has a deadline -> that deadline."""
        return f"{self.prefix}:deadlines"

    @property
    def waiting(self) -> str:
        """Hash: `jobs` and `bytes` that are queued, in all and, behind a colon, of each caller."""
        return f"{self.prefix}:waiting"

    @property
    def served(self) -> str:
        """Hash: Celery queue -> when the youngest of its jobs that were ever claimed was accepted."""
        return f"{self.prefix}:served"

    @property
    def spent(self) -> str:
        """Sorted set: id of every finished job whose audio may still be there -> when it finished."""
        return f"{self.prefix}:spent"

    @property
    def workers(self) -> str:
        """Sorted set: every worker that takes messages -> until when that is believed."""
        return f"{self.prefix}:workers"

    @property
    def model(self) -> str:
        """String: SHA-256 of the model that a worker spoke of last."""
        return f"{self.prefix}:model"

    def job(self, job_id: JobId | str) -> str:
        """Hash: the record of a job."""
        return f"{self.prefix}:job:{job_id}"

    def queued(self, queue: QueueName, kind: SourceKind = "upload") -> str:
        """Sorted set: id of every job of a kind that waits in a queue -> when it was accepted."""
        return f"{self.prefix}:queued:{'fetch:' if kind == 'url' else ''}{queue}"

    def jobs_of(self, caller: str) -> str:
        """Sorted set: id of every job of a caller, and of some that are gone -> when it was accepted."""
        return f"{self.prefix}:jobs_of:{caller}"

    def gone(self, job_id: JobId | str) -> str:
        """String, the caller: there was such a job; it outlives the record."""
        return f"{self.prefix}:gone:{job_id}"

    def events(self, job_id: JobId | str) -> str:
        """Stream: what happened to a job since its first claim; also the channel that says so."""
        return f"{self.prefix}:events:{job_id}"

    def job_of_events(self, channel: str) -> JobId:
        """The job whose stream or channel this is."""
        return JobId(channel.removeprefix(self.events("")))

    def events_token(self, digest: str) -> str:
        """String: id of the job that a token lets watch, a space, the caller that it was issued to."""
        return f"{self.prefix}:events-token:{digest}"

    def idempotency(self, key: str) -> str:
        """String: id of the job that a caller's idempotency key has made."""
        return f"{self.prefix}:idempotency:{key}"

    def answer(self, model: str, key: str) -> str:
        """String: id of a job whose answer, by a model, holds for the same audio and options, too."""
        return f"{self._answers}{model}:{key}"

    @property
    def _answers(self) -> str:
        return f"{self.prefix}:answer:"

    def drained(self, slot: int | str) -> str:
        """String: how many runs ended in a slot of time."""
        return f"{self.prefix}:drained:{slot}"

    @property
    def api_keys(self) -> str:
        """Sorted set: id of every API key -> when it was made."""
        return f"{self.prefix}:api-keys"

    @property
    def keys_on(self) -> str:
        """String: an API key was made here; it outlives the last of them."""
        return f"{self.prefix}:keys-on"

    def api_key(self, key_id: str) -> str:
        """Hash: what is kept of an API key."""
        return f"{self.prefix}:api-key:{key_id}"

    def rate(self, caller: str, seconds: int | str) -> str:
        """String: how many requests of a caller are counted in a window of so many seconds."""
        return f"{self._rates}{seconds}:{caller}"

    @property
    def _rates(self) -> str:
        return f"{self.prefix}:rate:"

    @property
    def outbox(self) -> str:
        """Sorted set: id of every webhook delivery that has not ended -> when it is, or was, due."""
        return f"{self.prefix}:outbox"

    @property
    def outbox_bell(self) -> str:
        """List: rings for dispatchers that wait for something to send."""
        return f"{self.prefix}:outbox-bell"

    @property
    def lanes(self) -> str:
        """Sorted set: every proven lane in which a delivery waits -> when to look there."""
        return f"{self.prefix}:webhook-lanes"

    @property
    def unproven_lanes(self) -> str:
        """Sorted set: the same of lanes whose last answer was slow or none, or is still to come."""
        return f"{self.prefix}:webhook-lanes-unproven"

    @property
    def delivery_leases(self) -> str:
        """Sorted set: id of every delivery that is being sent -> when its lease ends."""
        return f"{self.prefix}:webhook-leases"

    @property
    def instance_secrets(self) -> str:
        """String: the secrets of the instance itself."""
        return f"{self.prefix}:webhook-secrets"

    def lane(self, lane: str) -> str:
        """Hash: how a lane does: failures in a row, until when it is paused, since when it only fails."""
        return f"{self.prefix}:webhook-lane:{lane}"

    def waiting_of_lane(self, lane: str) -> str:
        """Sorted set: id of every delivery that waits in a lane -> when it is due."""
        return f"{self.prefix}:webhook-waiting:{lane}"

    def held_of_lane(self, lane: str) -> str:
        """Sorted set: id of every delivery of a lane that is being sent -> when its lease ends."""
        return f"{self.prefix}:webhook-held:{lane}"

    def endpoint(self, endpoint_id: str) -> str:
        """Hash: what is kept of an endpoint."""
        return f"{self.prefix}:webhook-endpoint:{endpoint_id}"

    def endpoints_of(self, caller: str) -> str:
        """Sorted set: id of every endpoint of a caller -> when it was made."""
        return f"{self.prefix}:webhook-endpoints-of:{caller}"

    def delivery(self, delivery_id: str) -> str:
        """Hash: what is kept of a delivery."""
        return f"{self.prefix}:webhook-delivery:{delivery_id}"

    def attempts(self, delivery_id: str) -> str:
        """List: the attempts of a delivery, the newest last."""
        return f"{self.prefix}:webhook-attempts:{delivery_id}"

    def deliveries_of(self, caller: str) -> str:
        """Sorted set: id of every delivery of a caller, and of some that are gone -> when it was written."""
        return f"{self.prefix}:webhook-deliveries-of:{caller}"

    def deliveries_at(self, endpoint_id: str) -> str:
        """Sorted set: the same of an endpoint."""
        return f"{self.prefix}:webhook-deliveries-at:{endpoint_id}"

    def lua(self) -> str:
        """The same names as Lua locals."""
        recovered = _table({kind: f"'{recovered_queue(kind)}'" for kind in SOURCE_KINDS})
        return "\n".join(
            [
                f"local RUNNING, ACTIVE = '{self.running}', '{self.active}'",
                f"local RUNG, WORKERS = '{self.rung}', '{self.workers}'",
                f"local DEADLINES, WAITING = '{self.deadlines}', '{self.waiting}'",
                f"local SPENT, MODEL, SERVED = '{self.spent}', '{self.model}', '{self.served}'",
                f"local RECOVERED_QUEUE = {recovered}",
                f"local BROKER_QUEUE = {_by_kind_and_queue(broker_queue)}",
                f"local QUEUED = {_by_kind_and_queue(self.queued)}",
                f"local function job_key(id) return '{self.job('')}' .. id end",
                f"local function gone_key(id) return '{self.gone('')}' .. id end",
                f"local function jobs_of_key(caller) return '{self.jobs_of('')}' .. caller end",
                f"local function events_key(id) return '{self.events('')}' .. id end",
                f"local function events_token_key(digest) return '{self.events_token('')}' .. digest end",
                f"local function idempotency_key(key) return '{self.idempotency('')}' .. key end",
                f"local ANSWERS = '{self._answers}'",
                "local function answer_key(model, key) return ANSWERS .. model .. ':' .. key end",
                f"local function drained_key(slot) return '{self.drained('')}' .. slot end",
                f"local function api_key(id) return '{self.api_key('')}' .. id end",
                f"local RATES = '{self._rates}'",
                "local function rate_key(caller, seconds) return RATES .. seconds .. ':' .. caller end",
                f"local OUTBOX, OUTBOX_BELL = '{self.outbox}', '{self.outbox_bell}'",
                f"local LANES, UNPROVEN_LANES = '{self.lanes}', '{self.unproven_lanes}'",
                f"local DELIVERY_LEASES = '{self.delivery_leases}'",
                f"local INSTANCE_SECRETS = '{self.instance_secrets}'",
                f"local function lane_key(lane) return '{self.lane('')}' .. lane end",
                f"local function waiting_of_lane_key(lane) return '{self.waiting_of_lane('')}' .. lane end",
                f"local function held_of_lane_key(lane) return '{self.held_of_lane('')}' .. lane end",
                f"local function endpoint_key(id) return '{self.endpoint('')}' .. id end",
                f"local function endpoints_of_key(caller) return '{self.endpoints_of('')}' .. caller end",
                f"local function delivery_key(id) return '{self.delivery('')}' .. id end",
                f"local function attempts_key(id) return '{self.attempts('')}' .. id end",
                f"local function deliveries_of_key(caller) return '{self.deliveries_of('')}' .. caller end",
                f"local function deliveries_at_key(id) return '{self.deliveries_at('')}' .. id end",
                "local function queued_key(kind, queue) return QUEUED[kind or 'upload'][queue] end",
            ]
        )


def _by_kind_and_queue(name: Callable[[QueueName, SourceKind], str]) -> str:
    return _table(
        {kind: _table({queue: f"'{name(queue, kind)}'" for queue in QUEUE_NAMES}) for kind in SOURCE_KINDS}
    )


def _table(values: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"['{key}'] = {value}" for key, value in values.items()) + " }"
