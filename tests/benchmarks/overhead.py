"""What the service costs beside the pipeline alone: CPU seconds a job, end to end, and CPU while idle.

The same song is classified by the whole service (upload, queue, worker, result, polling) and by the same
pipeline in a plain loop, in turns, so that a busy machine slows both.
"""

import io
import statistics
import tempfile
import time
from pathlib import Path

from processes import ROLES, cpu_seconds, cpu_seconds_here
from record import record

from shared.settings import Settings
from support.service import Service, serving
from worker.build import open_pipeline
from worker.pipeline import Pipeline

SONG = Path(__file__).parents[2] / "api" / "static" / "samples" / "nightdrive.mp3"
ROUNDS = 5
JOBS = 40
IDLE_SECONDS = 30


def main() -> None:
    song = SONG.read_bytes()
    with (
        tempfile.TemporaryDirectory() as directory,
        serving(Path(directory)) as service,
        open_pipeline(Settings()) as pipeline,  # as the service: torch has as many threads in both
    ):
        run_service(service, song), run_loop(pipeline, song)  # both warm
        costs = [(run_service(service, song), run_loop(pipeline, song)) for _ in range(ROUNDS)]
        idle = idle_percent(service)
    service_seconds = statistics.median(sum(cost.values()) for cost, _ in costs)
    loop_seconds = statistics.median(cost for _, cost in costs)
    record(
        "overhead",
        {
            "service_cpu_seconds_per_job": service_seconds,
            "loop_cpu_seconds_per_job": loop_seconds,
            "service_to_loop_ratio": statistics.median(sum(cost.values()) / loop for cost, loop in costs),
            **{
                f"{role}_cpu_seconds_per_job": statistics.median(cost[role] for cost, _ in costs)
                for role in ROLES
            },
            **{f"{role}_idle_cpu_percent": percent for role, percent in idle.items()},
        },
    )


def run_service(service: Service, song: bytes) -> dict[str, float]:
    before = cpu_seconds(service)
    ids = [service.submit("song.mp3", song) for _ in range(JOBS)]
    while ids:
        ids = [job_id for job_id in ids if service.get(job_id)["status"] != "succeeded"]
        time.sleep(0.5)
    after = cpu_seconds(service)
    return {role: (after[role] - before[role]) / JOBS for role in ROLES}


def run_loop(pipeline: Pipeline, song: bytes) -> float:
    before = cpu_seconds_here()
    for _ in range(JOBS):
        pipeline.run(io.BytesIO(song))
    return (cpu_seconds_here() - before) / JOBS


def idle_percent(service: Service) -> dict[str, float]:
    """Percent of one core, by role."""
    before = cpu_seconds(service)
    time.sleep(IDLE_SECONDS)
    after = cpu_seconds(service)
    return {role: 100 * (after[role] - before[role]) / IDLE_SECONDS for role in ROLES}


if __name__ == "__main__":
    main()
