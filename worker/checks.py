"""What `genrewiz doctor` asks of the worker's part: sandbox, model and device."""

from collections.abc import Iterator

Finding = tuple[str, bool, str]


def worker() -> Iterator[Finding]:
    """The model loads, warms up and answers on the device that is set."""
    import torch

    from shared.errors import SetupError
    from shared.settings import read_settings
    from worker.build import open_pipeline
    from worker.device import choose_device

    try:
        settings = read_settings()
        device = choose_device(settings.device)
        yield "device", True, f"{device.type} (GENREWIZ_DEVICE={settings.device}), torch {torch.__version__}"
        with open_pipeline(settings) as pipeline:
            model = pipeline.identity
            yield "model", True, f"{model.name} {model.version}, sha256 {model.sha256[:12]}…"
    except SetupError as error:
        yield "worker", False, error.detail


def sandbox() -> Iterator[Finding]:
    """Songs are decoded behind walls: which of them this kernel gives."""
    from shared.errors import SetupError
    from shared.settings import read_settings
    from worker.build import decode_limits
    from worker.features import FeatureSettings
    from worker.sandbox.client import DecodeSandbox

    try:
        limits = decode_limits(read_settings())
        with DecodeSandbox(sample_rate=FeatureSettings().sample_rate, limits=limits) as opened:
            walls = opened.wait_ready()
    except SetupError as error:
        yield "sandbox", False, error.detail
        return
    standing = ", ".join(name for name, stands in walls.items() if stands)
    missing = ", ".join(name for name, stands in walls.items() if not stands)
    yield "sandbox", True, f"{standing}{f'; this kernel does not give: {missing}' if missing else ''}"
