"""Looks at the Redis server before gunicorn starts, in a child process of its own.

It imports no client here: gevent has not patched anything yet, and a client that slept unpatched would stop
the loop of every gunicorn worker.
"""

import os
from contextlib import suppress
from typing import NoReturn

from shared.errors import SetupError
from shared.settings import Settings


def check_server_apart(settings: Settings) -> None:
    """SetupError where the server must not be entrusted with jobs."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _check(settings, writing)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answer:
        refusal = answer.read()
    with suppress(
        ChildProcessError
    ):  # gunicorn, asked to load its configuration again, may have been quicker
        os.waitpid(child, 0)
    if refusal:
        raise SetupError(refusal)


def _check(settings: Settings, writing: int) -> NoReturn:
    import structlog

    from shared.errors import StoreUnavailable
    from shared.logs import configure_logs
    from shared.redis_api_keys import RedisApiKeys
    from shared.redis_client import connect
    from shared.redis_keys import Keys
    from shared.server_check import check_server

    log = structlog.get_logger(__name__)
    try:
        configure_logs(settings.log_format, settings.log_level, process="api")
        with connect(settings, retries=0) as redis:
            check_server(redis)
            with suppress(StoreUnavailable):  # that it is away was said
                if RedisApiKeys(redis, Keys()).keys_on():
                    log.info("requests need an api key")
                else:
                    log.warning("the api is open to all: no api key was made")
    except SetupError as error:
        os.write(writing, error.detail.encode())
    except Exception:
        # A question that nobody foresaw the answer to keeps no api from starting.
        log.exception("redis server not checked")
    finally:
        os._exit(0)
