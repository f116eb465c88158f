"""Takes the doorbells of URL jobs, in threads of their own beside Celery's.

Celery's worker cannot do it: it has one list of queues and one pool, and a second one in the process would
share kombu's event loop with the first. A thread here mostly waits for somebody's server.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import structlog
from celery import Celery
from kombu.connection import Connection
from kombu.message import Message
from kombu.messaging import Consumer
from kombu.mixins import ConsumerMixin
from kombu.transport.base import StdChannel

from shared.job import JobId
from shared.names import broker_queues

STOP_CHECK_SECONDS = 1.0

log = structlog.get_logger(__name__)


class FetchQueue:
    """Runs the jobs of URLs, `concurrency` at once, until it is stopped."""

    def __init__(self, celery: Celery, run: Callable[[JobId], None], *, concurrency: int) -> None:
        """run is called with each job's id, in one of the threads."""
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="fetch")
        self._listener = _Listener(celery, run, self._pool, slots=threading.Semaphore(concurrency))
        self._thread = threading.Thread(target=self._listener.listen, name="fetch-queue", daemon=True)

    def start(self) -> None:
        """Begin to take doorbells."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more. Safe in a signal's handler."""
        self._listener.should_stop = True

    def join(self) -> None:
        """Wait until what runs has ended; what waits stays in the broker."""
        self.stop()
        if self._thread.ident is not None:
            self._thread.join()
        self._pool.shutdown()


class _Listener(ConsumerMixin):
    """The loop on one connection, made anew when it is lost."""

    def __init__(
        self,
        celery: Celery,
        run: Callable[[JobId], None],
        pool: ThreadPoolExecutor,
        slots: threading.Semaphore,
    ) -> None:
        self.connection: Connection = celery.connection_for_read()
        self._queues = [celery.amqp.queues[name] for name in broker_queues("url")]
        self._run_job = run
        self._pool = pool
        self._slots = slots

    def listen(self) -> None:
        """Run until it is told to stop, whatever one connection meets."""
        while not self.should_stop:
            try:
                self.run()
            except Exception:
                # A thread that dies here would leave every URL job waiting for ever.
                log.exception("fetch queue broke off")
                time.sleep(STOP_CHECK_SECONDS)

    def get_consumers(self, consumer: Callable[..., Consumer], _channel: StdChannel) -> list[Consumer]:
        return [consumer(queues=self._queues, on_message=self._take, accept=["json"], prefetch_count=1)]

    def on_iteration(self) -> None:
        # Nothing is taken before there is a thread for it: what waits can be seen, and taken by others.
        while not self._slots.acquire(timeout=STOP_CHECK_SECONDS):
            if self.should_stop:
                return
        self._slots.release()

    def _take(self, message: Message) -> None:
        if self.should_stop:
            message.requeue()
            return
        # Acknowledged at once: it is only a doorbell, and a job that nobody has claimed is rung again.
        message.ack()
        try:
            [job_id], _, _ = message.payload
        except Exception:
            log.exception("doorbell that cannot be read")
            return
        self._slots.acquire()
        self._pool.submit(self._run_job, JobId(str(job_id))).add_done_callback(self._ended)

    def _ended(self, run: "Future[None]") -> None:
        self._slots.release()
        if error := run.exception():
            log.error("job broke its thread", exc_info=error)
