"""What `genrewiz doctor` asks of the stores."""

import os
from collections.abc import Iterator
from typing import Any

Finding = tuple[str, bool, str]


def redis_server() -> Iterator[Finding]:
    """The server of GENREWIZ_REDIS_URL answers, and is one that never forgets a job."""
    if "GENREWIZ_REDIS_URL" not in os.environ:
        yield "redis", True, "GENREWIZ_REDIS_URL is not set: `genrewiz serve` starts its own server"
        return
    from redis.exceptions import RedisError

    from shared.errors import SetupError
    from shared.redis_client import connect
    from shared.settings import read_settings

    try:
        client = connect(read_settings(), retries=0)
        info: dict[str, Any] = client.info()
    except (SetupError, RedisError) as error:
        yield "redis", False, str(error)
        return
    policy = info.get("maxmemory_policy", "unknown")
    version = info.get("valkey_version") or info["redis_version"]
    if policy == "noeviction":
        yield "redis", True, f"version {version}"
    else:
        yield (
            "redis",
            False,
            f"version {version}, maxmemory-policy {policy}: it would forget jobs; set noeviction",
        )


def audio_store() -> Iterator[Finding]:
    """The audio directory can be written to."""
    if "GENREWIZ_AUDIO_DIR" not in os.environ:
        yield "audio", True, "GENREWIZ_AUDIO_DIR is not set: `genrewiz serve` keeps audio under its --data"
        return
    from shared.audio_store import DirectoryAudioStore
    from shared.errors import SetupError
    from shared.settings import read_settings

    try:
        directory = read_settings().audio_dir
        DirectoryAudioStore(directory)
    except SetupError as error:
        yield "audio", False, error.detail
    else:
        yield "audio", True, f"{directory} can be written to"
