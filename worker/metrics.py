"""What Prometheus learns from a worker. Names stay; labels are few and fixed, never an id."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.classification import ModelIdentity
from shared.job import Job, Outcome
from shared.transitions import End, Sweep

SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
QUEUE_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64)


class WorkerMetrics:
    """The metrics of one worker process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._finished = self._counter("jobs_finished", "Jobs that ended here.", "status", "reason")
        self._queue_wait = self._histogram(
            "job_queue_wait_seconds", "From acceptance to the first claim.", QUEUE_BUCKETS
        )
        self._duration = self._histogram(
            "job_duration_seconds", "From the claim to the end of a job.", SECONDS_BUCKETS
        )
        self._stage = self._histogram(
            "stage_duration_seconds", "Time one stage of a job took.", SECONDS_BUCKETS, "stage"
        )
        self._audio = self._counter("audio_seconds", "Seconds of audio classified.")
        self._windows = self._counter("inference_windows", "Windows that the model has seen.")
        self._batches = self._counter("inference_batches", "Batches that the model has seen.")
        self._batch_size = self._histogram("batch_size", "Windows in a batch.", BATCH_BUCKETS)
        self._predictions = self._counter("predictions", "Songs by their likeliest genre.", "genre")
        self._lapsed = self._counter("lease_lapsed", "Leases that ran out, as seen by this reaper.")
        self._rerung = self._counter("jobs_rerung", "Doorbells that this reaper rang again.")
        self._rejected = self._counter("finish_rejected", "Results that came after the lease was lost.")
        self._model = Gauge(
            "genrewiz_model_info",
            "The model that this worker holds.",
            ["name", "version", "sha256"],
            registry=self.registry,
        )

    def model_loaded(self, model: ModelIdentity) -> None:
        """The worker is warm."""
        self._model.labels(model.name, model.version, model.sha256).set(1)

    def claimed(self, job: Job) -> None:
        """A run begins."""
        if job.attempt == 1 and job.started_at is not None:
            self._queue_wait.observe(job.started_at - job.accepted_at)

    def batch(self, size: int) -> None:
        """The model is about to see a batch."""
        self._batches.inc()
        self._windows.inc(size)
        self._batch_size.observe(size)

    def stored(self, seconds: float) -> None:
        """An outcome was written to Redis."""
        self._stage.labels("store").observe(seconds)

    def finished(self, outcome: Outcome, *, seconds: float) -> None:
        """A job ended here: called once a job."""
        self._finished.labels(outcome.status.value, outcome.error.code if outcome.error else "").inc()
        self._duration.observe(seconds)
        for stage, stage_seconds in vars(outcome.stage_seconds).items():
            if stage_seconds is not None:
                self._stage.labels(stage).observe(stage_seconds)
        if outcome.result is not None:
            self._audio.inc(outcome.source.duration_seconds or 0.0)
            self._predictions.labels(outcome.result.predictions[0].genre).inc()

    def ended(self, end: End, count: int = 1) -> None:
        """Jobs came to an end without a run."""
        self._finished.labels(end.status.value, end.reason).inc(count)

    def rejected(self) -> None:
        """A result came too late."""
        self._rejected.inc()

    def swept(self, sweep: Sweep) -> None:
        """The reaper found something."""
        self._lapsed.inc(sweep.lapsed)
        self._rerung.inc(len(sweep.rings))
        for end, count in sweep.ends:
            self.ended(end, count)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"genrewiz_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"genrewiz_{name}", text, labels, buckets=buckets, registry=self.registry)
