"""What pipelines get done together: seconds a song for one thread, and for one thread a core."""

import io
import os
import statistics
import threading
import time
from pathlib import Path

from record import record

from shared.settings import Settings
from worker.build import open_pipeline
from worker.pipeline import Pipeline

SONG = Path(__file__).parents[2] / "api" / "static" / "samples" / "nightdrive.mp3"
ROUNDS = 9
SONGS_PER_THREAD = 10


def main() -> None:
    song = SONG.read_bytes()
    cores = len(os.sched_getaffinity(0))
    # In turns, so that a busy machine slows both; torch has one thread in either case.
    with open_pipeline(Settings(concurrency=cores)) as pipeline:
        classify_many(pipeline, song, 5)  # warm
        rounds = [
            (seconds_per_song(pipeline, song, 1), seconds_per_song(pipeline, song, cores))
            for _ in range(ROUNDS)
        ]
    record(
        "pipelines",
        {
            "seconds_per_song_one_thread": statistics.median(one for one, _ in rounds),
            "seconds_per_song_all_cores": statistics.median(many for _, many in rounds),
            "speed_up": statistics.median(one / many for one, many in rounds),
        },
    )


def seconds_per_song(pipeline: Pipeline, song: bytes, threads: int) -> float:
    crowd = [
        threading.Thread(target=classify_many, args=(pipeline, song, SONGS_PER_THREAD))
        for _ in range(threads)
    ]
    start = time.perf_counter()
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    return (time.perf_counter() - start) / (threads * SONGS_PER_THREAD)


def classify_many(pipeline: Pipeline, song: bytes, times: int) -> None:
    for _ in range(times):
        pipeline.run(io.BytesIO(song))


if __name__ == "__main__":
    main()
