"""Looks at the Redis server once, before a process relies on it: one that would forget jobs is refused.

It changes nothing there. What a server does not let us see is a warning, and so is a server that is away.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from shared.errors import SetupError

LEAST_VERSION = (7, 0)
"""Before it, a refusal inside a script hides its reason ("Error running script … -OOM"), and a full server
would pass for a fault of ours. Valkey was never older."""

INFO_FIELDS = {
    "cluster-enabled": "cluster_enabled",
    "maxmemory-policy": "maxmemory_policy",
    "appendonly": "aof_enabled",
}
"""Parameters of the server's configuration that INFO tells, too: CONFIG is more often forbidden."""
PARAMETERS = (*INFO_FIELDS, "appendfsync")
YES = ("yes", "1")  # as CONFIG says it, and as INFO does

NO_DATABASE = ("DB index", "SELECT")
"""How a server begins its answer that does not have the database of the URL."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What is to be said of a server: a sentence each, with what to do about it."""

    name: str  # with its version
    refusals: tuple[str, ...] = ()  # nothing would work, or jobs would be lost in everyday use
    risks: tuple[str, ...] = ()  # jobs would be lost when the server or its machine goes down
    unseen: tuple[str, ...] = ()  # what it does not let us look at


def check_server(redis: "Redis") -> None:
    """SetupError where jobs must not be entrusted to this server; only a warning where it is away."""
    try:
        findings = look_at(redis)
    except RedisError as error:
        log.warning("redis server not checked: it is away", error=str(error))
        return
    if findings.refusals:
        raise SetupError(findings.refusals[0])
    for risk in findings.risks:
        log.warning("redis server can lose accepted jobs", reason=risk)
    if findings.unseen:
        log.warning("redis server not checked in full: it may not be asked", unseen=findings.unseen)


def look_at(redis: "Redis") -> Findings:
    """What there is to say; SetupError where the server does not let us in, RedisError where it is away."""
    info = _answer(redis.info)
    seen = {name: str(info[field]) for name, field in INFO_FIELDS.items() if field in info}
    for name in PARAMETERS:
        if name not in seen:
            seen |= _answer(lambda name=name: redis.config_get(name))  # type: ignore[misc]
    return judge(info, seen)


def judge(info: Mapping[str, Any], parameters: Mapping[str, str]) -> Findings:
    """INFO, and the parameters that could be seen, as findings."""
    version = str(info.get("redis_version", ""))
    unseen = [name for name in PARAMETERS if name not in parameters]
    return Findings(
        name=_name(info),
        refusals=tuple(_refusals(_name(info), version, parameters)),
        risks=tuple(_risks(parameters)),
        unseen=tuple(unseen if version else ["version", *unseen]),
    )


def _refusals(name: str, version: str, parameters: Mapping[str, str]) -> Iterator[str]:
    if version and _numbers(version) < LEAST_VERSION:
        yield f"{name} is too old: Redis 7.0 or newer is needed, or any Valkey."
    if parameters.get("cluster-enabled") in YES:
        yield (
            "The server of GENREWIZ_REDIS_URL is a Redis Cluster, which is not supported: "
            "name a server with cluster-enabled no."
        )
    policy = parameters.get("maxmemory-policy", "noeviction")
    if policy != "noeviction":
        yield f"The Redis server forgets jobs when it is full: set maxmemory-policy {policy} to noeviction."


def _risks(parameters: Mapping[str, str]) -> Iterator[str]:
    fsync = parameters.get("appendfsync", "always")
    if parameters.get("appendonly", "yes") not in YES:
        yield (
            "appendonly no: a restart of the server loses all jobs since its last snapshot, if it makes any; "
            "set appendonly yes and appendfsync always"
        )
    elif fsync == "everysec":
        yield "appendfsync everysec: a power cut loses the jobs of the last two seconds; set it to always"
    elif fsync != "always":
        yield f"appendfsync {fsync}: a power cut loses the jobs of the last half minute; set it to always"


def _answer(ask: Callable[[], Any]) -> dict[str, Any]:
    """Nothing where the server refuses the question: managed ones forbid or rename INFO and CONFIG."""
    try:
        return dict(ask())
    except AuthenticationError as error:
        raise SetupError(
            f"The Redis server refuses the user or password of GENREWIZ_REDIS_URL: {error}"
        ) from None
    except ResponseError as error:
        if str(error).startswith(NO_DATABASE):
            raise SetupError(f"The Redis server lacks the database of GENREWIZ_REDIS_URL: {error}.") from None
        return {}


def _name(info: Mapping[str, Any]) -> str:
    if "valkey_version" in info:
        return f"Valkey {info['valkey_version']}"
    return f"Redis {info.get('redis_version', 'of unknown version')}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
