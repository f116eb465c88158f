"""Small valid files of every format: what the mutations begin with."""

from functools import cache

import numpy as np

from support.audio import encode, music_like
from support.muxing import mux, quantised

SECONDS = 3.3
_RATE = 11_025  # Hz; where a format cannot hold it, 16,000 or 48,000

# Name: container, codec, sample format, channels, Hz.
_BY_FFMPEG: dict[str, tuple[str, str, str, int, int]] = {
    "wav": ("wav", "pcm_s16le", "s16", 1, _RATE),
    "wav8": ("wav", "pcm_u8", "u8", 2, 8_000),
    "wav24": ("wav", "pcm_s24le", "s32", 3, 8_000),
    "wav_float": ("wav", "pcm_f32le", "flt", 1, 8_000),
    "wav_double": ("wav", "pcm_f64le", "dbl", 1, 8_000),
    "wav_adpcm": ("wav", "adpcm_ima_wav", "s16p", 2, _RATE),
    "wav_ms_adpcm": ("wav", "adpcm_ms", "s16", 2, _RATE),
    "wav_mulaw": ("wav", "pcm_mulaw", "s16", 1, 8_000),
    "wav_mp3": ("wav", "libmp3lame", "s16p", 1, 16_000),
    "rf64": ("wav", "pcm_s16le", "s16", 1, _RATE),
    "aiff": ("aiff", "pcm_s16be", "s16", 1, _RATE),
    "aifc": ("aiff", "pcm_f32be", "flt", 2, 8_000),
    "aiff_51": ("aiff", "pcm_s8", "u8", 6, 8_000),
    "au": ("au", "pcm_s16be", "s16", 1, _RATE),
    "mp3": ("mp3", "libmp3lame", "s16p", 2, 44_100),
    "mp3_low": ("mp3", "libmp3lame", "s16p", 1, 16_000),
    "mp2": ("mp2", "mp2", "s16", 1, 16_000),
    "flac": ("flac", "flac", "s16", 2, _RATE),
    "flac24": ("flac", "flac", "s32", 1, 8_000),
    "ogg_flac": ("ogg", "flac", "s16", 1, _RATE),
    "opus": ("ogg", "libopus", "flt", 2, 48_000),
    "opus_51": ("ogg", "libopus", "flt", 6, 48_000),
    "m4a": ("ipod", "aac", "fltp", 2, 44_100),
    "m4a_fragments": ("mp4", "aac", "fltp", 1, 16_000),
    "alac": ("ipod", "alac", "s16p", 1, _RATE),
    "mov": ("mov", "pcm_s16le", "s16", 1, _RATE),
    "mov_ima": ("mov", "adpcm_ima_qt", "s16p", 1, 22_050),
    "aac": ("adts", "aac", "fltp", 2, 44_100),
    "aac_51": ("adts", "aac", "fltp", 6, 16_000),
    "wma": ("asf", "wmav2", "fltp", 2, 44_100),
    "wma1": ("asf", "wmav1", "fltp", 1, 16_000),
    "webm": ("webm", "libopus", "flt", 2, 48_000),
    "mka_pcm": ("matroska", "pcm_s16le", "s16", 1, _RATE),
    "mka_aac": ("matroska", "aac", "fltp", 1, 16_000),
    "mka_flac": ("matroska", "flac", "s16", 1, _RATE),
    "mka_mp3": ("matroska", "libmp3lame", "s16p", 1, 16_000),
    "mka_ac3": ("matroska", "ac3", "fltp", 2, 44_100),
    "mka_tta": ("matroska", "tta", "s16", 1, _RATE),
    "wv": ("wv", "wavpack", "s16p", 2, _RATE),
    "wv_float": ("wv", "wavpack", "fltp", 1, 8_000),
}
_OPTIONS = {
    "rf64": {"rf64": "always"},
    "m4a_fragments": {"movflags": "frag_keyframe+empty_moov", "frag_duration": "500000"},
}
_BY_SOUNDFILE = {
    "vorbis": "ogg",
    "aiff_soundfile": "aiff24",
    "mp3_soundfile": "mp3",
    "flac_soundfile": "flac16",
}
NAMES = (*_BY_FFMPEG, *_BY_SOUNDFILE)


@cache
def valid_file(name: str) -> bytes:
    """One of NAMES: SECONDS of a song, 10 to 110 KB."""
    if name in _BY_SOUNDFILE:
        song = music_like(seconds=SECONDS, sample_rate=_RATE, channels=1 + (name == "vorbis"))
        return encode(song, _BY_SOUNDFILE[name], sample_rate=_RATE)
    container, codec, sample_format, channels, rate = _BY_FFMPEG[name]
    song = np.atleast_2d(music_like(seconds=SECONDS, sample_rate=rate, channels=channels))
    numbers = quantised(song, sample_format, bits=24 if sample_format == "s32" else None)
    return mux(
        numbers, container, codec, sample_format,
        sample_rate=rate, bit_rate=48_000, options=_OPTIONS.get(name),
    )  # fmt: skip
