"""gunicorn for the api: gevent workers, two ports, one metrics directory."""

import gc
import os
import resource
import shutil
import sys
from pathlib import Path

from api.connections import most_connections
from api.preflight import check_server_apart
from shared.errors import SetupError
from shared.logs import configure_logs, refuse_to_start
from shared.settings import read_settings, wants_json_logs
from shared.strays import log_strays

try:
    settings = read_settings()
    configure_logs(settings.log_format, settings.log_level, process="api")
    log_strays()
    check_server_apart(settings)
except SetupError as error:
    refuse_to_start("api", error.detail, as_json=wants_json_logs())
    sys.exit(1)

wsgi_app = "api.wsgi:app"
bind = [f"{settings.host}:{settings.port}", f"{settings.metrics_host}:{settings.api_metrics_port}"]
workers = settings.api_workers
worker_class = "api.gevent_worker.Worker"
logger_class = "api.gunicorn_log.GunicornLog"
worker_tmp_dir = "/dev/shm"  # noqa: S108  the heartbeat file of a worker: never on a slow disk
graceful_timeout = settings.soft_stop_seconds
keepalive = 5  # seconds for a header, in all, and for an idle connection; it holds up a stop for as long
# Whoever shares this host is no proxy: no header may say which path, scheme or server a request is for.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers = {}
control_socket_disable = True  # it would be written into the home folder

_, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
files = 2**16 if most_files == resource.RLIM_INFINITY else min(most_files, 2**16)
resource.setrlimit(resource.RLIMIT_NOFILE, (files, most_files))
worker_connections = most_connections()  # of each worker at each port; more wait in the backlog

# Each worker writes its counters into files here, and any of them answers for all. One folder a metrics port,
# which only one api can listen on.
metrics_dir = (
    Path(worker_tmp_dir) / f"genrewiz-{os.getuid()}-{settings.metrics_host}-{settings.api_metrics_port}"
)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics_dir)


def when_ready(server):
    """Both ports are ours now, and no worker runs yet: what a killed predecessor left is removed."""
    shutil.rmtree(metrics_dir, ignore_errors=True)
    metrics_dir.mkdir(mode=0o700)


def post_worker_init(worker):
    """What is loaded by now stays: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


def child_exit(server, worker):
    """The gauges of a worker that is gone count no more."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def on_exit(server):
    """The counters go with the service."""
    shutil.rmtree(metrics_dir, ignore_errors=True)
