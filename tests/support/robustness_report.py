"""docs/robustness.json -> docs/robustness.md: what becomes of answers on the way to the service.

Pure: it measures nothing. `tests/benchmarks/robustness.py` does.
"""

from typing import Any

Figures = dict[str, Any]  # what the benchmark wrote as JSON

_HEAD = (
    "# Robustness: the same song by other ways",
    "Made by `make robustness` from [robustness.json](robustness.json); do not edit. Checkpoint: {name} "
    "{version}, SHA-256 `{sha256}`.",
    "{tracks} clips of GTZAN with real audio, 30 seconds each, 22,050 Hz, mono, go through the service's own "
    "pipeline as they are and, once more, by each of these ways. A row says how many of the {tracks} get "
    "another genre, how far the probability of the genre that was named first moves and how far the log-mel "
    "window moves (means of absolute changes), and by how much its highest band changes. The question is "
    "whether answers stay, not whether they are right. {tracks} clips are few: one is {one:.0f} per cent of "
    "them, and where none changes, up to {most:.0f} per cent of songs still may (95 %).",
    "{train} of the clips are songs that the released checkpoint learned from (their rebuilt spectrograms), "
    "{valid} chose its epoch, {test} are on the test list and {none} is on none: answers to songs that it "
    "knows may hold better than others. Its training imitates some of these ways (`coding`), by constants "
    "that were measured on the same resampler and codecs: ways that it does not imitate may change more.",
    "The codecs take the song at 44.1 kHz (Opus: 48), stereo with both channels alike, so that they have an "
    "easier task than with a record. The first row is the same without a codec: what the service's "
    "resampler does to any song that is not at 22,050 Hz already.",
)

_BANDS = (
    "Mean change in dB, by eighths of the 128 mel bands from low to high, of what is less than {below:g} dB "
    'under the window\'s loudest. Codecs are compared with the row "{reference}", the others with the clip '
    "itself."
)

_SIMULATED = (
    "Real audio is there for few songs; the {songs} of the validation list have spectrograms alone. Here a "
    "way is its gain in each mel band, as white noise shows it, or the excerpt's frames repeated. The last "
    "column is the check: for how many of the {tracks} clips above this gives the same answer as the real "
    "way did. On this list the epoch and the temperature were chosen; unchanged, its accuracy is "
    "{accuracy:.1f} %."
)


def report(figures: Figures) -> str:
    """The whole document."""
    parts = [_head(figures), _ways(figures), _bands(figures), _simulated(figures)]
    return "\n\n".join(parts) + "\n"


def _head(figures: Figures) -> str:
    tracks = figures["tracks"]
    # Where the share of songs that change is p, none of n does with probability (1 - p)^n: here 5 %.
    return "\n\n".join(_HEAD).format(
        **figures["checkpoint"],
        **figures["tracks_on_lists"],
        tracks=tracks,
        one=100 / tracks,
        most=100 * (1 - 0.05 ** (1 / tracks)),
    )


def _ways(figures: Figures) -> str:
    rows = [
        [
            each["what"],
            str(each["answers_changed"]),
            f"{100 * each['winner_probability_change']:.1f} %",
            _db(each["mel_change_db"]),
            _db(each["highest_band_db"]),
        ]
        for each in figures["ways"].values()
    ]
    return _table(
        ["way", "answers that change", "probability moves by", "window, dB", "highest band, dB"], rows
    )


def _bands(figures: Figures) -> str:
    rows = [
        [each["what"], *map(_db, each["shift_by_eighth_db"])]
        for each in figures["ways"].values()
        if each["shift_by_eighth_db"] is not None
    ]
    reference = figures["ways"][figures["reference"]]["what"]
    text = _BANDS.format(below=-figures["loud_above_db"], reference=reference)
    return f"## Where the spectrogram moves\n\n{text}\n\n" + _table(["way", *map(str, range(1, 9))], rows)


def _simulated(figures: Figures) -> str:
    simulated = figures["simulated"]
    rows = [
        [
            figures["ways"][name]["what"],
            f"{100 * each['answers_changed_share']:.1f} %",
            f"{100 * each['accuracy']:.1f} %",
            f"{each['same_as_real']} of {figures['tracks']}",
        ]
        for name, each in simulated["ways"].items()
    ]
    text = _SIMULATED.format(
        songs=simulated["songs"], tracks=figures["tracks"], accuracy=100 * simulated["accuracy"]
    )
    heading = "## The validation list, simulated"
    return f"{heading}\n\n{text}\n\n" + _table(
        ["way", "answers that change", "accuracy", "as with real audio"], rows
    )


def _db(value: float | None) -> str:
    return "–" if value is None else f"{value + 0.0:.1f}".replace("-0.0", "0.0").replace("-", "−")


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
