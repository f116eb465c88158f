"""gunicorn for an api of the fleet: the real configuration, with crash points put around its steps."""

import os
from pathlib import Path

_real = Path(__file__).parents[2] / "deploy" / "gunicorn.conf.py"
exec(compile(_real.read_text(), str(_real), "exec"))


def post_worker_init(worker):
    """The application is loaded and gevent has patched: only now may its modules be looked at."""
    from faults.crash import CrashPoints
    from faults.hooks import after
    from faults.journal import Journal
    from shared.audio_store import FileSink
    from shared.celery_queue import CeleryDoorbell
    from shared.redis_jobs import RedisJobStore

    journal = Journal(Path(os.environ["FAULTS_JOURNAL"]), os.environ["FAULTS_NAME"])
    points = CrashPoints(Path(os.environ["FAULTS_ARMED"]), journal)
    after(FileSink, "commit", lambda *_: points.reach("after_audio_durable"))
    after(RedisJobStore, "accept", lambda *_: points.reach("after_accept"))
    after(CeleryDoorbell, "ring", lambda *_: points.reach("after_ring"))
    journal.write("ready")
