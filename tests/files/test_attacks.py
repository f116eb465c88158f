"""Files made to do harm: each ends in a typed error or in the right answer, and touches nothing."""

import pytest

from support.attacks import bombs, lies, references
from support.attacks.canary import canary
from support.attempts import OK, attempt, attempted
from support.audio import encode, music_like
from support.muxing import mux, quantised

RATE = 16_000
SONG = music_like(seconds=3.2, sample_rate=RATE)


@pytest.fixture(scope="module")
def mp3():
    return encode(SONG, "mp3", sample_rate=RATE)


@pytest.fixture(scope="module")
def mp4():
    return mux(quantised(SONG[None], "s16"), "mov", "pcm_s16le", "s16", sample_rate=RATE)


@pytest.fixture
def bird(tmp_path, mp3, monkeypatch):
    monkeypatch.chdir(tmp_path)  # so that a neighbour's bare name is enough to find it
    with canary(tmp_path, mp3) as bird:
        yield bird


# Files that name others


def test_the_canary_notices_who_opens_or_connects(bird):
    import socket

    bird.path.read_bytes()
    socket.create_connection(("127.0.0.1", bird.port)).close()

    assert {"opened secret.mp3", "read secret.mp3", "connected"} <= set(bird.sang())
    assert bird.sang() == []


@pytest.mark.parametrize("kind", ["playlists", "spellings"])
def test_text_that_names_files_or_servers_is_no_song_and_nothing_is_followed(kind, bird):
    outcomes = {name: attempt(file) for name, file in getattr(references, kind)(bird).items()}

    assert bird.sang() == []
    assert set(outcomes.values()) == {"unsupported_format"}, outcomes


def test_a_playlist_in_disguise_is_no_song_and_nothing_is_followed(bird):
    outcomes = {name: attempt(file) for name, file in references.disguises(bird).items()}

    assert bird.sang() == []
    assert set(outcomes.values()) <= {"unsupported_format", "corrupt_audio"}, outcomes


def test_media_that_is_said_to_be_elsewhere_is_not_fetched(bird, mp4):
    files = references.with_external_media(bird, mp4)

    outcomes = {name: attempt(file) for name, file in files.items()}

    assert bird.sang() == []
    assert set(outcomes.values()) <= {OK, "corrupt_audio", "no_audio_stream"}, outcomes


def test_a_cover_that_is_a_link_is_left_alone(bird, mp3):
    outcomes = {name: attempt(file) for name, file in references.pictures_by_link(bird, mp3).items()}

    assert bird.sang() == []
    assert set(outcomes.values()) == {OK}, outcomes


# Headers that lie: what the song itself says wins, or there is no song


REFUSED = {
    "unsupported_format": {
        *("wav-rate-1", "wav-channels-255", "wav-bits-0", "wav-bits-65535", "wav-codec-unknown"),
        *("wav-codec-that-is-no-audio", "aiff-channels-255", "aiff-rate-1", "au-channels-255"),
    },
    "corrupt_audio": {
        *("wav-rate-0", "wav-rate-2^31", "wav-rate-2^32-1", "wav-channels-0", "wav-channels-65535"),
        *("wav-fmt-of-4-gib", "rf64-all-ones", "rf64-negative", "aiff-frames-2^32", "aiff-offset-of-4-gib"),
        *("aiff-channels-0", "aiff-bits-65535", "aiff-rate-0", "aiff-rate-2^31", "aiff-rate-infinite"),
        *("aiff-rate-negative", "au-data-of-4-gib", "au-offset-0", "au-rate-0", "au-rate-2^31"),
        *("au-channels-2^32-1", "flac-block-sizes-0", "flac-metadata-of-16-mib", "mp3-tag-of-256-mb"),
        *("mp4-stts-billions", "mp4-stts-2^28", "mp4-stsc-billions", "mp4-stsc-2^28", "mp4-stsz-billions"),
        *("mp4-stsz-2^28", "mp4-samples-of-4-gib", "mp4-samples-of-one-byte", "mp4-samples-behind-the-end"),
        *("mp4-timescale-0", "mp4-timescale-2^32", "mp4-edit-far-behind", "matroska-rate-zero"),
        *("matroska-channels-2^32", "matroska-bits-2^32", "matroska-timescale-2^63"),
    },
    "audio_too_short": {
        *("mp4-stts-none", "mp4-stsc-none", "mp4-stsz-none", "mp4-stco-none", "mp4-durations-2^32"),
        *("mp4-durations-0", "mp4-edit-before-zero"),
    },
}


def all_lies():
    song = music_like(seconds=4, sample_rate=RATE)
    rf64 = mux(
        quantised(song[None], "s16"), "wav", "pcm_s16le", "s16", sample_rate=RATE, options={"rf64": "always"}
    )
    of = {"wav16": lies.of_wav, "aiff16": lies.of_aiff, "au16": lies.of_au, "flac16": lies.of_flac}
    of |= {"mp3": lies.of_mp3, "m4a": lies.of_mp4, "ogg": lies.of_ogg}
    files = lies.of_rf64(rf64) | lies.of_matroska()
    for kind, lies_of in of.items():
        files |= lies_of(encode(song, kind, sample_rate=RATE))
    return files


def test_a_header_that_lies_ends_in_the_song_that_is_there_or_in_a_reason():
    files = all_lies()

    ended = {name: attempted(file) for name, file in files.items()}

    expected = dict.fromkeys(files, OK)
    for code, names in REFUSED.items():
        expected |= dict.fromkeys(names, code)
    assert {name: ending.outcome for name, ending in ended.items()} == expected
    peaks = [ending.peak_bytes for ending in ended.values()]
    assert max(peaks) - min(peaks) < 64 * 2**20


@pytest.mark.parametrize(("rate", "channels"), [(32_000, 1), (16_000, 1), (16_000, 6)])
def test_a_stream_may_change_its_rate_and_its_channels_on_the_way(rate, channels):
    first = encode(music_like(seconds=3.2, channels=2), "aac")
    second = encode(music_like(seconds=3.2, sample_rate=rate, channels=channels), "aac", sample_rate=rate)

    assert attempt(first + second) == OK


@pytest.mark.parametrize("name", lies.nested())
def test_boxes_in_boxes_without_end_are_no_song(name):
    assert attempt(lies.nested()[name], limit_seconds=20) in {"corrupt_audio", "no_audio_stream"}


# Files that are far more than they look


@pytest.mark.parametrize("bomb", ["ogg_opus", "flac", "ogg_flac", "matroska_opus_laced", "mp4_same_bytes"])
def test_kilobytes_that_are_hours_are_too_long(bomb):
    ended = attempted(getattr(bombs, bomb)(), limit_seconds=20)

    assert ended.outcome == "audio_too_long"
    assert ended.peak_bytes < 2**29


@pytest.mark.parametrize(
    "bomb",
    [
        "matroska_compressed",
        "mp4_compressed_index",
        "wav_of_tiny_blocks",
        "ogg_of_many_streams",
        "flac_of_many_pictures",
    ],
)
def test_kilobytes_that_claim_gigabytes_are_no_song(bomb):
    ended = attempted(getattr(bombs, bomb)(), limit_seconds=30)

    assert ended.outcome in {"corrupt_audio", "audio_silent"}
    assert ended.peak_bytes < 2**29


def test_an_index_that_is_played_a_million_times_ends_in_a_reason():
    # A gigabyte of index from twelve megabytes of edits: the limit of memory is what ends it.
    assert attempted(bombs.mp4_same_bytes(chunks=1_000, edits=1_000_000), limit_seconds=30).is_good


def test_millions_of_packets_that_hold_nothing_are_no_song():
    silence_of_adts = b"\xff\xf1\x50\x80\x00\xe0\x00" * 3_000_000

    assert attempt(silence_of_adts, limit_seconds=30) == "corrupt_audio"
