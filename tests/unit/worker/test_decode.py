"""From bytes, however hostile, to a waveform or to a reason."""

import io
import subprocess
import sys

import librosa
import numpy as np
import pytest
import soundfile

from shared.errors import (
    AudioSilent,
    AudioTooLong,
    AudioTooShort,
    CorruptAudio,
    JobFailure,
    NoAudioStream,
    UnsupportedFormat,
)
from support.attempts import OK, attempt
from support.audio import FORMATS, OPUS_SAMPLE_RATE, SAMPLE_RATE, encode, music_like, noise, sine
from support.muxing import mux, quantised
from worker.decode import decode
from worker.song import Hearing

RATE = 22_050
LOSSLESS = [kind for kind in FORMATS if kind.startswith(("wav", "rf64", "flac", "aiff", "au"))]
OPUS = ("opus", "webm")
ID3V1 = b"TAG" + b"A title".ljust(125, b"\0")


def decoded(file, *, max_seconds=600.0, sample_rate=RATE):
    return decode(io.BytesIO(file), sample_rate=sample_rate, max_seconds=max_seconds)


def check_audible(*pieces, sample_rate):
    hearing = Hearing(sample_rate)
    for piece in pieces:
        hearing.feed(piece)
    hearing.check()


def by_librosa(file, sample_rate=RATE):
    return librosa.load(io.BytesIO(file), sr=sample_rate, mono=True)[0]


def signal_to_noise_decibels(signal, other):
    samples = min(len(signal), len(other))
    signal, other = signal[:samples].astype(float), other[:samples].astype(float)
    return 10 * np.log10((signal**2).sum() / max(((signal - other) ** 2).sum(), 1e-30))


# What comes out of good files


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_audio_is_bit_for_bit_what_librosa_loads(kind, channels):
    file = encode(music_like(seconds=3.1, channels=channels), kind)

    audio = decoded(file)

    assert np.array_equal(audio.waveform, by_librosa(file))
    assert audio.waveform.dtype == np.float32
    assert (audio.channels, audio.source_sample_rate) == (channels, SAMPLE_RATE)
    assert audio.duration_seconds == pytest.approx(3.1)
    assert not audio.truncated


@pytest.mark.parametrize(
    "sample_rate", [8_000, 11_025, 16_000, 22_050, 24_000, 48_000, 88_200, 96_000, 192_000]
)
def test_any_sample_rate_is_resampled_bit_for_bit_as_librosa_does(sample_rate):
    # The odd number of samples makes some of these end between two samples of the target.
    file = encode(music_like(seconds=3.00013, sample_rate=sample_rate), "wav24", sample_rate=sample_rate)

    audio = decoded(file)

    assert np.array_equal(audio.waveform, by_librosa(file))
    assert audio.source_sample_rate == sample_rate


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", ["mp3", "mp3_ffmpeg"])
def test_mp3_is_within_120_decibels_of_libsndfile(kind, channels):
    file = encode(music_like(seconds=5, channels=channels), kind)

    waveform = decoded(file).waveform

    theirs = by_librosa(file)
    assert len(waveform) == len(theirs)
    assert signal_to_noise_decibels(theirs, waveform) > 120


def test_a_tone_on_one_channel_is_half_as_loud_in_the_mean():
    left = sine(1_000, seconds=4, amplitude=0.8)
    stereo = np.stack([left, np.zeros_like(left)])

    waveform = decoded(encode(stereo, "wav_float"), sample_rate=SAMPLE_RATE).waveform

    # FFmpeg's own down-mix would give 0.57 (-3 dB) here.
    assert np.abs(waveform).max() == pytest.approx(0.4, abs=1e-3)


def test_channels_in_an_order_of_their_own_do_not_end_the_process():
    eight = music_like(seconds=3.1, sample_rate=RATE, channels=8)
    file = mux(quantised(eight, "s16"), "aiff", "pcm_s16be", "s16", sample_rate=RATE)

    # With every frame PyAV would give the memory that names the channels back once more.
    assert attempt(file) == OK


def test_more_channels_than_eight_are_refused():
    file = encode(np.stack([sine(500, seconds=4)] * 9), "wav16")

    with pytest.raises(UnsupportedFormat):
        decoded(file)


def test_a_sample_rate_of_one_hertz_is_refused():
    file = encode(music_like(seconds=0.1), "wav16", sample_rate=1)

    with pytest.raises(UnsupportedFormat):
        decoded(file, max_seconds=1e6)


def test_the_codec_is_named():
    named = {kind: decoded(encode(music_like(seconds=3.1), kind)).codec for kind in ("mp3", "flac16", "m4a")}

    assert named == {"mp3": "mp3", "flac16": "flac", "m4a": "aac"}


def test_tags_in_any_encoding_do_not_matter():
    title = b"\xc3\x28 \xff\xfe"  # no UTF-8
    frame = b"TIT2" + (len(title) + 1).to_bytes(4, "big") + b"\0\0\x03" + title
    tag = b"ID3\x03\0\0" + bytes((0, 0, 0, len(frame))) + frame

    audio = decoded(tag + encode(music_like(seconds=4), "mp3"))

    assert audio.duration_seconds == pytest.approx(4, abs=0.1)


def test_the_first_of_two_audio_streams_is_decoded(tmp_path):
    import av

    with av.open(tmp_path / "two.mkv", "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=RATE, layout="mono") for _ in range(2)]
        for stream, loudness in zip(streams, (8_000, 100), strict=True):
            array = np.full((1, 4 * RATE), loudness, np.int16)
            frame = av.AudioFrame.from_ndarray(array, format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, 0
            container.mux(stream.encode(frame))

    audio = decoded((tmp_path / "two.mkv").read_bytes())

    assert audio.waveform.max() == 8_000 / 2**15


# Streams that change on the way


def test_two_songs_of_different_rates_in_one_stream_follow_each_other():
    halves = [
        encode(sine(440, seconds=3, sample_rate=rate), "mp3", sample_rate=rate) for rate in (44_100, 32_000)
    ]

    audio = decoded(b"".join(halves))

    assert audio.duration_seconds == pytest.approx(6, abs=0.3)
    assert len(audio.waveform) == pytest.approx(6 * RATE, abs=0.3 * RATE)


def test_a_change_from_stereo_to_mono_is_followed():
    stereo, mono = np.stack([sine(440, seconds=3)] * 2), sine(440, seconds=3)

    audio = decoded(encode(stereo, "mp3") + encode(mono, "mp3"))

    assert audio.duration_seconds == pytest.approx(6, abs=0.3)


def test_chained_ogg_is_decoded_to_its_end():
    chain = encode(sine(440, seconds=3), "ogg") + encode(sine(660, seconds=3), "ogg")

    audio = decoded(chain)

    assert audio.duration_seconds == pytest.approx(6, abs=0.1)
    assert not audio.truncated


def test_chained_ogg_whose_rate_changes_is_truncated_to_its_first_link():
    chain = encode(sine(440, seconds=3), "ogg") + encode(
        sine(660, seconds=3, sample_rate=32_000), "ogg", sample_rate=32_000
    )

    audio = decoded(chain)

    assert audio.duration_seconds == pytest.approx(3, abs=0.1)
    assert audio.truncated


# What is no song


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\0" * 100_000, id="zeros"),
        pytest.param(b"Lorem ipsum dolor sit amet. " * 2_000, id="text"),
        pytest.param(b"<!doctype html><title>Not found</title>", id="html"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" * 99, id="png"),
        pytest.param(b"%PDF-1.7\n" * 999, id="pdf"),
    ],
)
def test_what_is_no_audio_is_an_unsupported_format(file):
    with pytest.raises(UnsupportedFormat):
        decoded(file)


def test_noise_for_bytes_ends_in_a_reason():
    random = np.random.default_rng(7)

    for size in (10, 1_000, 100_000):
        with pytest.raises(JobFailure):
            decoded(random.bytes(size))


@pytest.mark.parametrize("container", ["W64", "CAF", "VOC"])
def test_a_container_that_is_not_on_the_list_is_refused_whatever_it_holds(container):
    file = io.BytesIO()
    soundfile.write(file, sine(440, seconds=4), SAMPLE_RATE, format=container, subtype="PCM_16")

    with pytest.raises(UnsupportedFormat):
        decoded(file.getvalue())


class Named(io.BytesIO):
    """A file in memory that claims to be one on disk."""

    def __init__(self, content, name):
        super().__init__(content)
        self.name = str(name)


PLAYLISTS = {
    "playlist.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{secret}\n#EXT-X-ENDLIST\n",
    "song.mp3": "ffconcat version 1.0\nfile {name}\n",
    "script.ffconcat": "ffconcat version 1.0\nfile {secret}\n",
    "description.sdp": "v=0\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
    "manifest.mpd": '<?xml version="1.0"?><MPD><Period><BaseURL>{secret}</BaseURL></Period></MPD>',
    "songs.m3u": "{secret}\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_is_refused_and_what_it_names_is_not_decoded(name, tmp_path):
    secret = tmp_path / "secret.mp3"
    secret.write_bytes(encode(music_like(seconds=4), "mp3"))
    playlist = PLAYLISTS[name].format(secret=secret, name=secret.name).encode()
    (tmp_path / name).write_bytes(playlist)

    # Without a list of containers FFmpeg follows the first two to the song, and there is a waveform.
    with pytest.raises(UnsupportedFormat):
        decode(Named(playlist, tmp_path / name), sample_rate=RATE, max_seconds=600)


def test_a_picture_in_a_container_has_no_audio_stream(tmp_path):
    import av

    with av.open(tmp_path / "silent.mp4", "w") as container:
        stream = container.add_stream("mpeg4", rate=5, width=32, height=32, pix_fmt="yuv420p")
        frame = av.VideoFrame.from_ndarray(np.zeros((48, 32), np.uint8), format="yuv420p")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))

    with pytest.raises(NoAudioStream):
        decoded((tmp_path / "silent.mp4").read_bytes())


# Too long, too short, too quiet


def test_a_song_over_the_limit_is_refused_and_one_at_the_limit_is_not():
    file = encode(noise(seconds=10), "wav16")

    assert decoded(file, max_seconds=10).duration_seconds == pytest.approx(10)
    with pytest.raises(AudioTooLong):
        decoded(file, max_seconds=9.99)


@pytest.mark.parametrize(("limit", "words"), [(120, "2 minutes"), (90, "90 seconds")])
def test_the_limit_is_said_as_people_say_it(limit: float, words: str):
    with pytest.raises(AudioTooLong, match=f"^At most {words} of audio"):
        decoded(
            encode(noise(seconds=limit + 1, sample_rate=8_000), "wav8", sample_rate=8_000), max_seconds=limit
        )


def test_a_song_over_the_limit_is_refused_long_before_its_end():
    file = io.BytesIO(encode(noise(seconds=100), "wav16"))

    with pytest.raises(AudioTooLong):
        decode(file, sample_rate=RATE, max_seconds=5)

    assert file.tell() < 0.2 * len(file.getbuffer())


def test_a_header_that_promises_hours_is_not_believed():
    file = bytearray(encode(noise(seconds=4), "flac16"))
    file[21] |= 0x0F  # the upper bits of STREAMINFO's total samples
    file[22:26] = b"\xff" * 4

    audio = decoded(bytes(file))

    assert audio.duration_seconds == pytest.approx(4)
    assert audio.truncated


@pytest.mark.parametrize("kind", ["wav16", "mp3", "flac16"])
def test_under_three_seconds_is_too_short(kind):
    audio = decoded(encode(noise(seconds=2.5), kind))

    with pytest.raises(AudioTooShort):
        check_audible(audio.waveform, sample_rate=RATE)


def test_a_file_without_a_single_sample_is_too_short():
    audio = decoded(encode(np.zeros(0, np.float32), "wav16"))

    with pytest.raises(AudioTooShort):
        check_audible(audio.waveform, sample_rate=RATE)


def test_three_seconds_are_enough():
    audio = decoded(encode(noise(seconds=3), "wav16"))

    check_audible(audio.waveform, sample_rate=RATE)


def test_a_song_is_silent_where_no_sample_reaches_minus_sixty_decibels():
    just_under, just_over = (sine(440, seconds=4, sample_rate=RATE, amplitude=a) for a in (0.00099, 0.00101))

    check_audible(just_over, sample_rate=RATE)
    for silent in (just_under, np.zeros(4 * RATE, np.float32)):
        with pytest.raises(AudioSilent):
            check_audible(silent, sample_rate=RATE)


def test_a_song_that_is_loud_once_is_heard_though_the_rest_is_silent():
    quiet, loud = np.zeros(RATE, np.float32), sine(440, seconds=1, sample_rate=RATE)

    check_audible(quiet, loud, quiet, sample_rate=RATE)


# Damage


@pytest.mark.parametrize(
    "kind",
    [
        "wav16",
        "rf64",
        "flac16",
        "mp3",
        "mp3_ffmpeg",
        "ogg",
        "opus",
        "aac",
        "aiff16",
        "au16",
        "webm",
        "wma",
        "wv",
    ],
)
def test_a_file_cut_in_the_middle_is_truncated_to_what_is_there(kind):
    sample_rate = OPUS_SAMPLE_RATE if kind in OPUS else SAMPLE_RATE
    file = encode(music_like(seconds=10, sample_rate=sample_rate), kind, sample_rate=sample_rate)

    audio = decoded(file[: len(file) // 2])

    assert audio.truncated
    assert 3 < audio.duration_seconds < 7
    assert len(audio.waveform) == pytest.approx(audio.duration_seconds * RATE, abs=1)


def test_a_file_cut_before_the_third_second_is_corrupt():
    file = encode(music_like(seconds=10), "wav16")

    with pytest.raises(CorruptAudio):
        decoded(file[: len(file) // 5])


def test_an_mp4_without_its_index_is_corrupt():
    file = encode(music_like(seconds=10), "m4a")

    with pytest.raises(CorruptAudio):
        decoded(file[: len(file) // 2])


def test_a_song_goes_on_behind_a_damaged_passage():
    file = bytearray(encode(music_like(seconds=20), "mp3"))
    middle = len(file) // 2
    file[middle : middle + len(file) // 8] = bytes(len(file) // 8)

    audio = decoded(bytes(file))

    assert audio.truncated
    assert audio.duration_seconds > 15


@pytest.mark.parametrize("kind", ["mp3", "mp3_ffmpeg", "aac", "flac16", "wav16", "ogg"])
def test_tags_behind_the_song_are_no_damage(kind):
    ape_tag = b"APETAGEX" + np.random.default_rng(3).bytes(2_000)
    trailer = ape_tag + ID3V1 if kind.startswith("mp3") else ID3V1

    audio = decoded(encode(music_like(seconds=5), kind) + trailer)

    assert not audio.truncated
    assert audio.duration_seconds == pytest.approx(5, abs=0.1)


def test_a_wav_that_was_written_into_a_pipe_is_whole():
    file = bytearray(encode(music_like(seconds=5), "wav16"))
    file[4:8] = file[40:44] = b"\xff" * 4

    audio = decoded(bytes(file))

    assert not audio.truncated
    assert audio.duration_seconds == pytest.approx(5)


def test_an_mp3_without_a_count_of_its_frames_is_whole():
    file = encode(music_like(seconds=5), "mp3_ffmpeg", options={"write_xing": "0"})
    padding = bytes(40_000)  # from the size of the file FFmpeg would take it for 2.5 s more

    audio = decoded(file + padding)

    assert audio.duration_seconds == pytest.approx(5, abs=0.1)
    assert not audio.truncated


def test_an_ogg_cut_between_two_pages_is_truncated():
    file = encode(music_like(seconds=10), "ogg")

    audio = decoded(file[: file.rindex(b"OggS", 0, len(file) * 2 // 3)])

    assert audio.truncated


@pytest.mark.parametrize("unusable", [np.nan, np.inf, -np.inf, 1e30])
def test_samples_that_no_sound_has_are_silence(unusable):
    song = music_like(seconds=4, sample_rate=RATE)
    damaged = song.copy()
    damaged[1_000:1_100] = unusable

    audio = decoded(encode(damaged, "wav_float", sample_rate=RATE))

    assert (audio.waveform[1_000:1_100] == 0).all()
    assert np.array_equal(audio.waveform[1_100:], song[1_100:])
    assert not audio.truncated


def test_a_file_of_nothing_but_nan_is_damaged_and_silent():
    audio = decoded(encode(np.full(4 * RATE, np.nan, np.float32), "wav_float", sample_rate=RATE))

    assert audio.truncated
    with pytest.raises(AudioSilent):
        check_audible(audio.waveform, sample_rate=RATE)


@pytest.mark.parametrize("kind", ["wav16", "mp3", "flac16", "ogg", "m4a", "webm", "wma", "wv", "aiff16"])
def test_a_mutated_file_ends_in_a_finite_waveform_or_in_a_reason(kind):
    sample_rate = OPUS_SAMPLE_RATE if kind in OPUS else SAMPLE_RATE
    file = encode(music_like(seconds=4, sample_rate=sample_rate), kind, sample_rate=sample_rate)
    random = np.random.default_rng(11)

    for _ in range(8):
        mutated = bytearray(file)
        for place in random.integers(0, random.choice([200, len(file)]), 20):
            mutated[place] = random.integers(256)
        try:
            audio = decoded(bytes(mutated), max_seconds=60)
        except JobFailure:
            continue

        assert np.isfinite(audio.waveform).all()


# What it costs to have it


def test_decoding_loads_neither_torch_nor_librosa():
    script = (
        "import sys, worker.decode; sys.exit(bool({'torch', 'librosa', 'numba', 'scipy'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_ffmpeg_writes_nothing_to_the_log(capfd):
    file = encode(music_like(seconds=10), "mp3")

    decoded(file[: len(file) // 2] + b"garbage" * 500)

    assert capfd.readouterr() == ("", "")
