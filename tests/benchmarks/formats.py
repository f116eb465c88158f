"""Measures what decoding every format is off by, and writes docs/formats.md.

Run by `make formats`. The bounds are in tests/support/format_families.py; `make test` holds them.
"""

from pathlib import Path

from support.format_families import FAMILIES
from support.formats import CHANNELS, EXACT, Family, Form, error_decibels

_DOCUMENT = Path(__file__).parents[2] / "docs" / "formats.md"
_NAMES = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
_HEAD = """# Formats, and what decoding them is off by

Made by `make formats`; do not edit. The same signal, a rising tone of its own in each channel, goes into a
file and back through `worker.decode`, and is compared with the plain mean of the channels, resampled to
22,050 Hz in one piece. **exact** is bit for bit at the file's own depth; a number is the power of the error
in dB relative to the signal's, without the first and the last tenth of a second. – stands for what the format
cannot hold, or what no encoder here writes.

Of a lossy codec the error is mostly that of its encoder. −26.0 of MP3 is LAME's volume, measured as 0.95
of what went in, at the bit rates used below 32 kHz (and at 128 kbit/s, not at 320, above). Vorbis in 5.1 and
Opus in 5.1 and 7.1 are worse than in fewer channels; the sub-bass channel is the likely reason, not measured.
An encoder's delay is taken off before comparing where the container does not tell it: 1,024 samples of
AAC in ADTS and 481 of MP2. Of what FFmpeg's WMA encoder writes, its decoder drops the first frame (23 to 64
ms).

Refused: W64 (a demuxer of its own, which is not on the list), CAF and VOC. Not measured, because nothing here
writes them: WMA Pro and WMA Lossless, HE-AAC, DSD in WavPack.
"""


Errors = dict[Form, float]


def main() -> None:
    """Measures everything, some ten seconds of it, and writes the document."""
    measured = [
        (family, {form: error_decibels(form, family) for form in family.forms()}) for family in FAMILIES
    ]
    tables = [_by_channels(measured), _by_rate(measured), _by_depth(measured), _limits()]
    _DOCUMENT.write_text("\n".join([_HEAD, *tables]))


def _by_channels(measured: list[tuple[Family, Errors]]) -> str:
    rows = []
    for family, errors in measured:
        plain = next(iter(errors))
        at = {
            form.channels: error
            for form, error in errors.items()
            if (form.sample_rate, form.codec, form.bits) == (plain.sample_rate, plain.codec, plain.bits)
        }
        rows.append([family.name, *(_shown(at.get(channels)) for channels in CHANNELS)])
    heads = [_NAMES.get(channels, str(channels)) for channels in CHANNELS]
    return _table("Channels, at 44.1 kHz (Opus: 48)", ["format", *heads], rows)


def _by_rate(measured: list[tuple[Family, Errors]]) -> str:
    rates = sorted({form.sample_rate for _, errors in measured for form in errors})
    rows = []
    for family, errors in measured:
        at = {form.sample_rate: error for form, error in errors.items() if form.channels == 2}
        rows.append([family.name, *(_shown(at.get(rate)) for rate in rates)])
    heads = [f"{rate / 1_000:g}" for rate in rates]
    return _table("Sample rates in kHz, in stereo", ["format", *heads], rows)


def _by_depth(measured: list[tuple[Family, Errors]]) -> str:
    rows = []
    for family, errors in measured:
        mono = [(form, error) for form, error in errors.items() if form.channels == 1]
        cells = [
            f"{form.codec}{f' {form.bits} bits' if form.bits else ''}: {_shown(error)}"
            for form, error in mono
        ]
        rows.append([family.name, "; ".join(cells)])
    return _table("Codecs and bits of a sample, in mono", ["format", "error"], rows)


def _limits() -> str:
    rows = [
        [family.name, "exact" if family.bound == EXACT else f"{family.bound:g} dB", family.cannot]
        for family in FAMILIES
    ]
    return _table(
        "What a test allows, and what a format cannot hold", ["format", "at most", "cannot hold"], rows
    )


def _shown(error: float | None) -> str:
    if error is None:
        return "–"
    return "exact" if error == EXACT else f"{error:.1f}".replace("-", "−")


def _table(title: str, heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join([f"## {title}", "", *(f"| {' | '.join(line)} |" for line in lines), ""])


if __name__ == "__main__":
    main()
