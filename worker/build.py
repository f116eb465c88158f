"""Builds the pipeline: the model loaded, on its device, and warm; for the worker and the command line."""

import contextlib
from collections.abc import Callable, Iterator

import structlog
import torch
from torch import Tensor, nn

from shared.errors import CheckpointError
from shared.settings import Settings
from worker.batcher import Batcher, worthwhile_batch
from worker.checkpoint import RELEASED, Checkpoint, load_checkpoint
from worker.device import choose_device, share_cores
from worker.pipeline import Pipeline
from worker.sandbox.client import DecodeSandbox
from worker.sandbox.limits import DecodeLimits

log = structlog.get_logger(__name__)


@contextlib.contextmanager
def open_pipeline(
    settings: Settings, *, on_batch: Callable[[int], None] = lambda _: None
) -> Iterator[Pipeline]:
    """A warm pipeline for `settings.concurrency` threads; a SetupError where it cannot be had."""
    checkpoint = load_checkpoint(settings.checkpoint or RELEASED)
    limits = decode_limits(settings)
    with (
        DecodeSandbox(sample_rate=checkpoint.features.sample_rate, limits=limits) as sandbox,
        _open(settings, checkpoint, sandbox, on_batch) as pipeline,
    ):
        walls = sandbox.wait_ready()  # it started while the model was loaded
        if missing := [name for name, stands in walls.items() if not stands]:
            log.warning("songs are decoded without some walls", missing=missing)
        yield pipeline


def decode_limits(settings: Settings) -> DecodeLimits:
    """What decoding one song may use."""
    return DecodeLimits(
        max_seconds=settings.max_audio_seconds,
        memory_bytes=settings.decode_memory_bytes,
        cpu_seconds=settings.decode_cpu_seconds,
        wait_seconds=settings.decode_seconds,
    )


@contextlib.contextmanager
def _open(
    settings: Settings, checkpoint: Checkpoint, sandbox: DecodeSandbox, on_batch: Callable[[int], None]
) -> Iterator[Pipeline]:
    device = choose_device(settings.device)
    share_cores(settings.concurrency)
    run = _runner(checkpoint.build().to(device))
    quiet = _quiet_window(checkpoint, device)
    try:
        run(quiet[None])  # the first call is slow: it happens before any song
    except RuntimeError as error:
        raise CheckpointError(f"The model cannot run on {device.type}: {error}") from error
    on_gpu = device.type == "cuda"
    batcher = Batcher(
        run,
        max_batch=worthwhile_batch(run, quiet, limit=settings.max_batch_windows) if on_gpu else 1,
        lanes=1 if on_gpu else settings.concurrency,
        on_batch=on_batch,
    )
    try:
        yield Pipeline(
            checkpoint=checkpoint,
            decode=sandbox.decode,
            batcher=batcher,
            device=device,
            at_once=settings.concurrency,
        )
    finally:
        batcher.close()


def _runner(model: nn.Module) -> Callable[[Tensor], Tensor]:
    def run(batch: Tensor) -> Tensor:
        with torch.inference_mode():
            logits: Tensor = model(batch.unsqueeze(1))
            return logits.cpu()

    return run


def _quiet_window(checkpoint: Checkpoint, device: torch.device) -> Tensor:
    features = checkpoint.features
    return torch.full((features.window_frames, features.n_mels), -features.top_db, device=device)
