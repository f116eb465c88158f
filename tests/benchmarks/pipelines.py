"""What pipelines get done together: seconds a song for one thread, and for one thread a core."""

import io
import os
import threading
import time
from pathlib import Path

from record import record

from shared.settings import Settings
from worker.build import open_pipeline
from worker.pipeline import Pipeline

SONG = Path(__file__).parents[2] / "api" / "static" / "samples" / "nightdrive.mp3"
SONGS_PER_THREAD = 40


def main() -> None:
    song = SONG.read_bytes()
    cores = len(os.sched_getaffinity(0))
    one, many = seconds_per_song(song, 1), seconds_per_song(song, cores)
    record(
        "pipelines",
        {"seconds_per_song_one_thread": one, "seconds_per_song_all_cores": many, "speed_up": one / many},
    )


def seconds_per_song(song: bytes, threads: int) -> float:
    # Torch has one thread in either case.
    settings = Settings(concurrency=len(os.sched_getaffinity(0)))
    with open_pipeline(settings) as pipeline:
        classify_many(pipeline, song, 5)  # warm
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
