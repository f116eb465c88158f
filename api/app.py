"""The composition root of the api: joins stores, service and routes. It connects to nothing by itself."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from flask import Flask, Response, g, request

from api import built_page, cors, errors, request_log
from api.connections import most_watchers
from api.guard import Guard
from api.hub import Hub
from api.job_webhooks import JobWebhooks
from api.jobs import JobService, OffLoop
from api.key_cache import KeyCache
from api.metrics import ApiMetrics
from api.request_counts import RequestCounts
from api.request_log import method_name, route_pattern
from api.views.docs import docs_blueprint
from api.views.events import events_blueprint
from api.views.health import health_blueprint
from api.views.jobs import jobs_blueprint
from api.views.lifecycle import lifecycle_blueprint
from api.views.models import models_blueprint
from api.views.page import page_blueprint
from api.views.spectrogram import spectrogram_blueprint
from api.views.webhook_deliveries import webhook_deliveries_blueprint
from api.views.webhook_endpoints import webhook_endpoints_blueprint
from api.watching import HEARTBEAT_SECONDS, OnHangUp, Watching, never
from api.webhooks import WebhookService
from shared.audio_store import DirectoryAudioStore
from shared.celery_queue import CeleryDoorbell, make_celery
from shared.egress import Resolve, make_guard
from shared.errors import CheckpointError
from shared.model_card import RELEASED, ModelCard, read_model_card
from shared.picture_store import DirectoryPictureStore
from shared.reaper import Reaper
from shared.redis_api_keys import RedisApiKeys
from shared.redis_channel import RedisChannel
from shared.redis_client import connect
from shared.redis_events import RedisEvents
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.redis_rate_limits import RedisRateLimits
from shared.redis_webhooks import RedisWebhooks
from shared.resolve import resolve
from shared.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Api:
    """The application and what runs beside it."""

    app: Flask
    jobs: RedisJobStore
    metrics: ApiMetrics
    reaper: Reaper
    hub: Hub


class _Flask(Flask):
    """Flask for views and hooks of which none is a coroutine: it would look at each of them, each time."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_api(
    settings: Settings,
    *,
    off_loop: OffLoop = lambda call: call(),
    resolve: Resolve = resolve,
    on_hang_up: OnHangUp = never,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
    page_folder: Path = built_page.FOLDER,
) -> Api:
    """Everything of one api process; the caller starts the reaper."""
    metrics = ApiMetrics()
    redis, keys = connect(settings), Keys()
    jobs, events = RedisJobStore(redis, keys), RedisEvents(redis, keys)
    hub = Hub(
        RedisChannel(redis, keys), on_change=metrics.watchers, most=settings.max_watchers or most_watchers()
    )
    watching = Watching(
        events=events, jobs=jobs, hub=hub, on_hang_up=on_hang_up, heartbeat_seconds=heartbeat_seconds
    )
    audio = DirectoryAudioStore(settings.audio_dir)
    pictures = DirectoryPictureStore(settings.audio_dir)
    doorbell = CeleryDoorbell(make_celery(settings))
    guard = make_guard(settings, resolve)
    webhooks = RedisWebhooks(redis, keys)
    service = JobService(
        jobs=jobs,
        audio=audio,
        pictures=pictures,
        doorbell=doorbell,
        metrics=metrics,
        guard=guard,
        webhooks=JobWebhooks(guard=guard, webhooks=webhooks),
        settings=settings,
        off_loop=off_loop,
    )
    webhook_service = WebhookService(webhooks=webhooks, guard=guard)
    # What stands beside the samples has routes of its own, with headers that a file of this one would lack.
    app = _Flask("api", static_folder="static/samples", static_url_path="/static/samples")
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.url_map.merge_slashes = False  # a redirect to the path with one slash would be a page of HTML
    errors.install(app)
    request_log.install(app)
    _observe(app, metrics)
    cors.install(app, settings.cors_origins)
    limits = settings.rate_limits
    api_keys = KeyCache(RedisApiKeys(redis, keys))
    Guard(
        keys=api_keys,
        counts=RequestCounts(RedisRateLimits(redis, keys, limits)) if limits else None,
        jobs=jobs,
        trusted_proxies=settings.trusted_proxies,
        token_issued_to=events.issued_to,
    ).install(app)
    app.register_blueprint(jobs_blueprint(service, metrics, watching))
    app.register_blueprint(lifecycle_blueprint(service))
    app.register_blueprint(events_blueprint(watching, events, api_keys))
    app.register_blueprint(spectrogram_blueprint(service, pictures, off_loop=off_loop))
    app.register_blueprint(webhook_endpoints_blueprint(webhook_service))
    app.register_blueprint(webhook_deliveries_blueprint(webhook_service))
    app.register_blueprint(health_blueprint(jobs, audio, off_loop=off_loop))
    app.register_blueprint(page_blueprint(page_folder, max_upload_bytes=settings.max_upload_bytes))
    card = _card(settings)
    app.register_blueprint(models_blueprint(card))
    app.register_blueprint(docs_blueprint(card, off_loop=off_loop))
    # The workers look through the audio: here a long directory would hold up the loop.
    reaper = Reaper(jobs=jobs, doorbell=doorbell, settings=settings, on_sweep=metrics.swept)
    return Api(app=app, jobs=jobs, metrics=metrics, reaper=reaper, hub=hub)


def _card(settings: Settings) -> ModelCard | None:
    """Of the checkpoint that the workers use. Jobs do not need it here: without it the api serves, too."""
    try:
        return read_model_card(settings.checkpoint or RELEASED)
    except CheckpointError as error:
        log.warning("no model can be shown", error=error.detail)
        return None


def _observe(app: Flask, metrics: ApiMetrics) -> None:
    @app.before_request
    def begin() -> None:
        g.began_at = time.perf_counter()
        metrics.request_began()

    @app.after_request
    def end(response: Response) -> Response:
        metrics.request_ended(
            route=route_pattern(),
            method=method_name(request.method),
            code=response.status_code,
            seconds=time.perf_counter() - g.began_at,
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
