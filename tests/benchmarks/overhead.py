"""What the service costs beside the pipeline alone: CPU seconds a job, end to end, and CPU while idle.

The same song is classified by the whole service (upload, queue, worker, result, polling) and by the same
pipeline in a plain loop, in turns, so that a busy machine slows both.
"""

import io
import statistics
import tempfile
import time
from pathlib import Path

from processes import ROLES, cpu_seconds

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
        open_pipeline(Settings(concurrency=1)) as pipeline,
    ):
        run_service(service, song), run_loop(pipeline, song)  # both warm
        costs = [(run_service(service, song), run_loop(pipeline, song)) for _ in range(ROUNDS)]
        idle = idle_percent(service)
    by_role = {role: statistics.median(cost[role] for cost, _ in costs) for role in ROLES}
    loop = statistics.median(cost for _, cost in costs)
    total = statistics.median(sum(cost.values()) for cost, _ in costs)
    print(f"CPU seconds a job ({SONG.name}, median of {ROUNDS} rounds of {JOBS} jobs)")
    print(f"  service  {total:.4f}  ({', '.join(f'{role} {by_role[role]:.4f}' for role in ROLES)})")
    print(f"  loop     {loop:.4f}")
    print(f"  ratio    {total / loop:.2f}")
    print(f"idle CPU over {IDLE_SECONDS} s, percent of a core: {idle}")


def run_service(service: Service, song: bytes) -> dict[str, float]:
    before = cpu_seconds(service)
    ids = [service.submit("song.mp3", song) for _ in range(JOBS)]
    while ids:
        ids = [job_id for job_id in ids if service.get(job_id)["status"] != "succeeded"]
        time.sleep(0.5)
    after = cpu_seconds(service)
    return {role: (after[role] - before[role]) / JOBS for role in ROLES}


def run_loop(pipeline: Pipeline, song: bytes) -> float:
    before = time.process_time()
    for _ in range(JOBS):
        pipeline.run(io.BytesIO(song))
    return (time.process_time() - before) / JOBS


def idle_percent(service: Service) -> str:
    before = cpu_seconds(service)
    time.sleep(IDLE_SECONDS)
    after = cpu_seconds(service)
    return ", ".join(f"{role} {100 * (after[role] - before[role]) / IDLE_SECONDS:.2f}" for role in ROLES)


if __name__ == "__main__":
    main()
