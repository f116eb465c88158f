"""Log-mel windows of a NumPy archive -> calibrated probabilities as CSV, a batch at a time.

It computes no spectrogram and hears no audio: what the windows hold is believed once its kind, shape and
range are checked.
"""

import codecs
import csv
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray
from torch import Tensor

from shared.errors import MelsUnusable
from worker.checkpoint import Checkpoint
from worker.features import FeatureSettings
from worker.whole_file import whole_file

KEY = "X"
DECIBELS_PER_LEVEL = 80 / 255  # levels 0 ... 255 are -80 ... 0 dB
ROUNDING_DB = 0.01  # above 0 that is no mistake: 255 levels in single precision are not quite 80 dB
WINDOWS_AT_ONCE = 16
DECIMALS = 8
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError, SyntaxError),
    *(RuntimeError, EOFError, ValueError, LookupError, TypeError, AttributeError, OverflowError),
)
"""What NumPy may raise over an archive that is damaged; it reads an array's header as Python's tokens."""

Windows = NDArray[Any]  # (windows, frames, bands), uint8 levels or floating dB
Report = Callable[[int, int], None]
"""Hears of each batch: windows that are done, and all."""


def predict_mels(
    source: Path,
    output: Path,
    *,
    checkpoint: Checkpoint,
    device: torch.device,
    report: Report = lambda *_: None,
) -> None:
    """Write a row of probabilities for each window of `source`; MelsUnusable says why there is none.

    The output is written whole or not at all.
    """
    target = _target(source, output)
    windows = read_windows(source, checkpoint.features)
    model = checkpoint.build().to(device)
    with whole_file(target) as file:
        writer = csv.writer(codecs.getwriter("utf-8")(file), lineterminator="\n")
        writer.writerow(("index", *checkpoint.genres))
        done = 0
        for batch in _batches(windows):
            with torch.inference_mode():
                logits = model(decibels(batch, checkpoint.features).unsqueeze(1).to(device)).double().cpu()
            if not logits.isfinite().all():
                raise MelsUnusable(f"The model gives no finite answer for windows from {done} on.")
            for shares in (logits / checkpoint.temperature).softmax(dim=1).tolist():
                writer.writerow((done, *(f"{share:.{DECIMALS}f}" for share in shares)))
                done += 1
            report(done, len(windows))


def read_windows(source: Path, features: FeatureSettings) -> Windows:
    """X of a NumPy archive, checked; memory beyond X itself does not grow with it."""
    try:
        with source.open("rb") as file:
            windows = _array(file)
    except OSError as error:
        raise MelsUnusable(f"{source} cannot be read: {error.strerror or error}.") from error
    except MelsUnusable as error:
        raise MelsUnusable(f"{source} {error.detail}") from error
    try:
        _check(windows, features)
    except MelsUnusable as error:
        raise MelsUnusable(f"X of {source} {error.detail}") from error
    return windows


def decibels(windows: Windows, features: FeatureSettings) -> Tensor:
    """(windows, frames, bands) in dB under their maximum, as the model was trained on.

    Levels say where their 0 dB is, and are taken as they are. Floats may have it anywhere: they are brought
    to their own maximum, as the service does.
    """
    if windows.dtype == np.uint8:
        spread = torch.from_numpy(windows.astype(np.float32)) * DECIBELS_PER_LEVEL - 80
    else:
        exact = torch.from_numpy(windows.astype(np.float64))  # half precision would round twice
        spread = (exact - exact.amax(dim=(1, 2), keepdim=True)).float()
    return spread.clamp(-features.top_db, 0.0)


def _array(file: IO[bytes]) -> Windows:
    """X of this archive; MelsUnusable, without the file's name, where there is none."""
    try:
        archive = np.load(file, allow_pickle=False)
        if not isinstance(archive, NpzFile):
            raise MelsUnusable("is a single array; an archive is needed (numpy.savez with X).")
        with archive:
            if KEY not in archive.files:
                raise MelsUnusable(f"has no array X; it has {', '.join(archive.files) or 'none'}.")
            array: Windows = archive[KEY]
    except UNREADABLE as error:
        raise MelsUnusable("is damaged, or no NumPy archive of plain numbers.") from error
    except MemoryError as error:
        raise MelsUnusable("has an X that does not fit into memory.") from error
    if not isinstance(array, np.ndarray):
        raise MelsUnusable("has an X that is no array.")
    return array


def _check(windows: Windows, features: FeatureSettings) -> None:
    frames, bands = features.window_frames, features.n_mels
    if windows.dtype != np.uint8 and windows.dtype.kind != "f":
        raise MelsUnusable(f"is {windows.dtype}; uint8 levels or floating dB are needed.")
    if windows.shape[1:] != (frames, bands):
        raise MelsUnusable(f"has shape {windows.shape}; (windows, {frames}, {bands}) is needed.")
    if not len(windows):
        raise MelsUnusable("is empty.")
    if windows.dtype == np.uint8:
        return
    for number, window in enumerate(windows):
        if not np.isfinite(window).all():
            raise MelsUnusable(f"has a value in window {number} that is not finite.")
        if window.max() > ROUNDING_DB:
            raise MelsUnusable(
                f"reaches {float(window.max()):g} in window {number}; dB under a maximum are at most 0."
            )


def _batches(windows: Windows) -> Iterator[Windows]:
    for start in range(0, len(windows), WINDOWS_AT_ONCE):
        yield windows[start : start + WINDOWS_AT_ONCE]


def _target(source: Path, output: Path) -> Path:
    """Where the rows go, known to be possible before an hour of work."""
    target = output.resolve()  # of a link its end, which is then replaced and not the link
    if not target.parent.is_dir():
        raise MelsUnusable(f"The folder {output.parent} of the output is missing.")
    if target.exists() and not target.is_file():
        raise MelsUnusable(f"The output {output} is there and is no file.")
    if target == source.resolve():
        raise MelsUnusable("The output would replace the input.")
    return target
