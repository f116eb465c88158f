"""Celery as a doorbell: a message holds one job id and nothing else.

Jobs are not lost with their messages: the record in Redis is the truth, and the reaper rings again.
"""

from celery import Celery
from kombu.entity import Exchange, Queue
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from shared.errors import StoreUnavailable
from shared.job import JobId
from shared.names import BROKER_QUEUES, CLASSIFY_TASK
from shared.settings import Settings

TRANSPORT_OPTIONS = {
    "queue_order_strategy": "priority",
    # A second net only: leases bring a lost job back long before.
    "visibility_timeout": 600,
    "unacked_restore_interval": 15,
    "unacked_restore_throttle": 1,
    # Without these a black-holed connection hangs the worker for ever.
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 5,
}


def make_celery(settings: Settings) -> Celery:
    """The Celery application of api and workers; it knows no tasks yet."""
    celery = Celery("genrewiz", broker=str(settings.redis_url), set_as_current=False)
    celery.conf.update(
        task_ignore_result=True,  # results live in the job's record
        task_serializer="json",
        accept_content=["json"],
        # A worker killed in mid-song leaves its message unacknowledged; the lease, not the message, brings
        # the job back, and its late second doorbell finds nothing to do.
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        task_create_missing_queues=False,
        # Each queue has its own exchange and key: with the default ones a message can arrive several times.
        task_queues=[Queue(name, Exchange(name), routing_key=name) for name in BROKER_QUEUES],
        task_publish_retry=False,  # the api must answer; the reaper rings again
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=TRANSPORT_OPTIONS,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
    )
    return celery


class CeleryDoorbell:
    """Sends the task by name, so that the api needs none of the worker's code."""

    def __init__(self, celery: Celery) -> None:
        self._celery = celery

    def ring(self, job_id: JobId, broker_queue: str) -> None:
        """One message with one id; StoreUnavailable where the broker is away."""
        try:
            self._celery.send_task(CLASSIFY_TASK, args=[job_id], queue=broker_queue, ignore_result=True)
        except (OperationalError, RedisError, OSError) as error:
            raise StoreUnavailable("The broker does not answer.") from error
