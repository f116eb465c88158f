"""What `genrewiz doctor` asks of the stores."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.server_check import Findings

Finding = tuple[str, bool, str]


def redis_server() -> Iterator[Finding]:
    """The server of GENREWIZ_REDIS_URL answers, and is one that never forgets a job."""
    from redis.exceptions import RedisError

    from shared.errors import SetupError
    from shared.redis_client import connect
    from shared.server_check import look_at
    from shared.settings import read_settings

    try:
        settings = read_settings()
        if "redis_url" not in settings.model_fields_set:
            yield "redis", True, "GENREWIZ_REDIS_URL is not set: `genrewiz serve` starts its own server"
            return
        with connect(settings, retries=0) as redis:
            findings = look_at(redis)
    except SetupError as error:
        yield "redis", False, error.detail
        return
    except RedisError as error:
        yield "redis", False, f"GENREWIZ_REDIS_URL: {error}"
        return
    yield _of_server(findings)


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


def _of_server(findings: "Findings") -> Finding:
    """A server is well that keeps what it was given, as far as it lets us see."""
    wrong = (*findings.refusals, *findings.risks)
    if wrong:
        return "redis", False, f"{findings.name}: {' '.join(wrong)}"
    if findings.unseen:
        return "redis", True, f"{findings.name}; it does not let us see {', '.join(findings.unseen)}"
    return "redis", True, findings.name
