"""What an operator may change: read once from the environment, at the edge, then passed on.

Made by the entry points alone. `docs/operations.md` describes every field; a test compares.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    HttpUrl,
    IPvAnyNetwork,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    RedisDsn,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.admission import Limits
from shared.errors import SetupError
from shared.origins import parse_origins
from shared.rate_limit import RateLimit, parse_rate_limits

PREFIX = "GENREWIZ_"


class Settings(BaseSettings):
    """Every setting with its default; the variable is the upper-case name behind `GENREWIZ_`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    redis_url: RedisDsn = RedisDsn("redis://127.0.0.1:6379/0")
    audio_dir: Path = Path("/var/lib/genrewiz/audio")

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65_535)
    api_workers: PositiveInt = 2
    api_metrics_port: int = Field(default=9101, ge=1, le=65_535)
    worker_metrics_port: int = Field(default=9102, ge=1, le=65_535)
    dispatcher_metrics_port: int = Field(default=9103, ge=1, le=65_535)
    metrics_host: str = "127.0.0.1"

    device: Literal["auto", "cpu", "cuda"] = "auto"
    concurrency: PositiveInt = Field(default_factory=lambda: len(os.sched_getaffinity(0)))
    max_batch_windows: PositiveInt = 32
    checkpoint: Path | None = None

    max_upload_bytes: PositiveInt = 200 * 2**20
    max_audio_seconds: PositiveFloat = 15 * 60
    decode_memory_bytes: int = Field(default=2**30, ge=512 * 2**20)  # less, and some songs do not fit
    decode_cpu_seconds: PositiveInt = 60
    decode_seconds: PositiveFloat = 60

    upload_seconds: PositiveFloat = 900
    upload_min_bytes_per_second: PositiveInt = 2_000

    fetch_concurrency: PositiveInt = 8
    fetch_seconds: PositiveFloat = 120
    fetch_min_bytes_per_second: PositiveInt = 10_000
    egress_http: bool = False
    egress_allow: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = ()
    egress_proxy: HttpUrl | None = None

    webhook_concurrency: PositiveInt = 64
    webhook_concurrency_per_endpoint: PositiveInt = 4
    webhook_seconds: PositiveFloat = 15
    webhook_retry_seconds: Annotated[tuple[PositiveFloat, ...], NoDecode] = (
        5,
        5 * 60,
        30 * 60,
        2 * 3_600,
        5 * 3_600,
        10 * 3_600,
        14 * 3_600,
        20 * 3_600,
        24 * 3_600,
    )
    webhook_disable_seconds: PositiveFloat = 120 * 3_600
    webhook_log_seconds: PositiveInt = 7 * 24 * 60 * 60

    trusted_proxies: NonNegativeInt = 0
    max_waiting_jobs: PositiveInt = 100_000
    max_waiting_bytes: PositiveInt = 20 * 2**30
    max_waiting_jobs_per_caller: PositiveInt = 10_000
    max_waiting_bytes_per_caller: PositiveInt = 5 * 2**30

    max_watchers: PositiveInt | None = None
    rate_limit: str = "6000/minute"
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()

    max_attempts: PositiveInt = 3
    run_seconds: float = Field(default=300, gt=0, le=3_600)
    result_ttl_seconds: PositiveInt = 7 * 24 * 60 * 60
    tombstone_ttl_seconds: NonNegativeInt = 7 * 24 * 60 * 60
    result_cache: bool = True
    orphan_seconds: PositiveFloat = 3_600

    lease_seconds: PositiveFloat = 15
    heartbeat_seconds: PositiveFloat = 5
    reap_period_seconds: PositiveFloat = 1
    rering_seconds: PositiveFloat = 15
    soft_stop_seconds: NonNegativeInt = 30
    worker_stop_seconds: NonNegativeInt = 30

    log_format: Literal["auto", "console", "json"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def limits(self) -> Limits:
        """What may wait at once."""
        return Limits(
            jobs=self.max_waiting_jobs,
            bytes=self.max_waiting_bytes,
            caller_jobs=self.max_waiting_jobs_per_caller,
            caller_bytes=self.max_waiting_bytes_per_caller,
        )

    @property
    def rate_limits(self) -> tuple[RateLimit, ...]:
        """How often one caller may ask; empty where that is not limited."""
        return parse_rate_limits(self.rate_limit)

    @field_validator("rate_limit")
    @classmethod
    def _can_be_parsed(cls, value: str) -> str:
        parse_rate_limits(value)
        return value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _origins(cls, value: object) -> object:
        return parse_origins(value) if isinstance(value, str) else value

    @field_validator("egress_allow", "webhook_retry_seconds", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """Several, separated by commas."""
        if not isinstance(value, str):
            return value
        return [part.strip() for part in value.split(",") if part.strip()]

    @model_validator(mode="after")
    def _room_for_an_upload(self) -> Self:
        if self.max_upload_bytes > min(self.max_waiting_bytes, self.max_waiting_bytes_per_caller):
            raise ValueError(
                f"{PREFIX}MAX_UPLOAD_BYTES must be at most {PREFIX}MAX_WAITING_BYTES and "
                f"{PREFIX}MAX_WAITING_BYTES_PER_CALLER, or a large upload is told to come again for ever"
            )
        return self

    @model_validator(mode="after")
    def _beats_in_time(self) -> Self:
        if self.heartbeat_seconds > self.lease_seconds / 2:
            raise ValueError(
                f"{PREFIX}HEARTBEAT_SECONDS must be at most half of {PREFIX}LEASE_SECONDS, "
                "or a worker that misses one beat loses its jobs"
            )
        return self


def read_settings() -> Settings:
    """The settings of this process; SetupError names each variable that holds a wrong value."""
    try:
        return Settings()
    except ValidationError as error:
        raise SetupError(f"Wrong setting: {'; '.join(map(_sentence, error.errors()))}.") from None


def wants_json_logs() -> bool:
    """Whether JSON was asked for by name, also where another setting is wrong and there are none to read."""
    return os.environ.get(f"{PREFIX}LOG_FORMAT", "").lower() == "json"


def _sentence(problem: ErrorDetails) -> str:
    variable = "".join(f"{PREFIX}{str(name).upper()}: " for name in problem["loc"][:1])
    return f"{variable}{problem['msg']}"
