"""What `genrewiz doctor` asks of the stores."""

from collections.abc import Iterator
from typing import Any

Finding = tuple[str, bool, str]


def redis_server() -> Iterator[Finding]:
    """The server of GENREWIZ_REDIS_URL answers, and is one that never forgets a job."""
    from redis.exceptions import RedisError

    from shared.errors import SetupError
    from shared.redis_client import connect
    from shared.settings import read_settings

    try:
        settings = read_settings()
        if "redis_url" not in settings.model_fields_set:
            yield "redis", True, "GENREWIZ_REDIS_URL is not set: `genrewiz serve` starts its own server"
            return
        info: dict[str, Any] = connect(settings, retries=0).info()
    except SetupError as error:
        yield "redis", False, error.detail
        return
    except RedisError as error:
        yield "redis", False, f"GENREWIZ_REDIS_URL: {error}"
        return
    yield _of_server(info)


def audio_store() -> Iterator[Finding]:
    """The audio directory can be written to."""
    from shared.audio_store import DirectoryAudioStore
    from shared.errors import SetupError
    from shared.settings import read_settings

    try:
        settings = read_settings()
        if "audio_dir" not in settings.model_fields_set:
            yield (
                "audio",
                True,
                "GENREWIZ_AUDIO_DIR is not set: `genrewiz serve` keeps audio under its --data",
            )
            return
        DirectoryAudioStore(settings.audio_dir)
    except SetupError as error:
        yield "audio", False, error.detail
    else:
        yield "audio", True, f"{settings.audio_dir} can be written to"


def _of_server(info: dict[str, Any]) -> Finding:
    """What INFO says of a server that is to keep jobs."""
    version = f"version {info.get('valkey_version') or info['redis_version']}"
    policy = info.get("maxmemory_policy", "unknown")
    if policy != "noeviction":
        return "redis", False, f"{version}, maxmemory-policy {policy}: it forgets jobs; set noeviction"
    if not info.get("aof_enabled"):
        return "redis", False, f"{version}, appendonly no: a restart loses jobs; set appendonly yes"
    return "redis", True, version
