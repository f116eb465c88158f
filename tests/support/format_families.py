"""What each format of the service can hold; tests and docs/formats.md are made from this table."""

from support.formats import RATES, Family

_UP_TO_48 = tuple(rate for rate in RATES if rate <= 48_000)
_UP_TO_96 = tuple(rate for rate in RATES if rate <= 96_000)


def _wma_delay(sample_rate: int) -> int:
    """FFmpeg's decoder takes off two frames, and its encoder has put in one."""
    return -512 if sample_rate <= 16_000 else -1_024 if sample_rate <= 22_050 else -2_048


def _wma1_delay(sample_rate: int) -> int:
    return -1_024 if 22_050 < sample_rate <= 32_000 else _wma_delay(sample_rate)


FAMILIES = (
    Family(
        name="WAV",
        container="wav",
        depths=(
            ("pcm_s16le", "s16", 16),
            ("pcm_u8", "u8", 8),
            ("pcm_s24le", "s32", 24),
            ("pcm_s32le", "s32", 32),
            ("pcm_s64le", "s64", 64),
            ("pcm_f32le", "flt", 32),
            ("pcm_f64le", "dbl", 64),
        ),
    ),
    Family(
        name="RF64",
        container="rf64",
        depths=(("pcm_s16le", "s16", 16), ("pcm_s24le", "s32", 24), ("pcm_f32le", "flt", 32)),
    ),
    Family(
        name="WAV, µ-law and A-law",
        container="wav",
        depths=(("pcm_mulaw", "s16", 0), ("pcm_alaw", "s16", 0)),
        bound=-35,
        cannot="other depths: 8 bits on a logarithmic scale",
    ),
    Family(
        name="WAV, ADPCM",
        container="wav",
        depths=(("adpcm_ima_wav", "s16p", 0), ("adpcm_ms", "s16", 0)),
        channels=(1, 2),
        bound=-21,
        cannot="over 2 channels (FFmpeg writes none)",
    ),
    Family(
        name="AIFF, AIFF-C",
        container="aiff",
        depths=(
            ("pcm_s16be", "s16", 16),
            ("pcm_s8", "u8", 8),
            ("pcm_s24be", "s32", 24),
            ("pcm_s32be", "s32", 32),
            ("pcm_s16le", "s16", 16),
            ("pcm_f32be", "flt", 32),
            ("pcm_f64be", "dbl", 64),
        ),
    ),
    Family(
        name="AU",
        container="au",
        depths=(
            ("pcm_s16be", "s16", 16),
            ("pcm_s8", "u8", 8),
            ("pcm_s24be", "s32", 24),
            ("pcm_s32be", "s32", 32),
            ("pcm_f32be", "flt", 32),
            ("pcm_f64be", "dbl", 64),
        ),
    ),
    Family(
        name="FLAC",
        container="flac",
        depths=(("flac", "s16", 16), ("flac", "u8", 8), ("flac", "s32", 24), ("flac", "s32", 32)),
        cannot="floating point; over 8 channels",
    ),
    Family(name="FLAC in Ogg", container="ogg", depths=(("flac", "s16", 16), ("flac", "s32", 24))),
    Family(
        name="WavPack",
        container="wv",
        depths=(
            ("wavpack", "s16p", 16),
            ("wavpack", "u8p", 8),
            ("wavpack", "s32p", 24),
            ("wavpack", "s32p", 32),
            ("wavpack", "fltp", 32),
        ),
        cannot="64-bit floating point",
    ),
    Family(
        name="ALAC (m4a)",
        container="ipod",
        depths=(("alac", "s16p", 16), ("alac", "s32p", 24)),
        layouts={8: "7.1(wide)"},
        cannot="8 bits, floating point; 7.1 is 7.1(wide)",
    ),
    Family(
        name="QuickTime, PCM",
        container="mov",
        depths=(
            ("pcm_s16le", "s16", 16),
            ("pcm_u8", "u8", 8),
            ("pcm_s8", "u8", 8),
            ("pcm_s16be", "s16", 16),
            ("pcm_s24le", "s32", 24),
            ("pcm_s32be", "s32", 32),
            ("pcm_f32le", "flt", 32),
            ("pcm_f64be", "dbl", 64),
        ),
    ),
    Family(
        name="Matroska, PCM",
        container="matroska",
        depths=(
            ("pcm_s16le", "s16", 16),
            ("pcm_u8", "u8", 8),
            ("pcm_s24le", "s32", 24),
            ("pcm_s32le", "s32", 32),
            ("pcm_f32le", "flt", 32),
            ("pcm_f64le", "dbl", 64),
        ),
    ),
    Family(
        name="FLAC in Matroska",
        container="matroska",
        depths=(("flac", "s16", 16), ("flac", "s32", 24)),
    ),
    Family(
        name="MP3 (layer III)",
        container="mp3",
        depths=(("libmp3lame", "fltp", 0),),
        channels=(1, 2),
        rates=_UP_TO_48,
        bound=-23,
        cannot="over 2 channels; over 48 kHz",
    ),
    Family(
        name="MP2 (layer II)",
        container="mp2",
        depths=(("mp2", "s16", 0),),
        channels=(1, 2),
        rates=tuple(rate for rate in _UP_TO_48 if rate >= 16_000),
        bound=-42,
        delay=lambda _: 481,
        cannot="over 2 channels; under 16 and over 48 kHz",
    ),
    Family(
        name="Ogg Vorbis",
        container="ogg",
        depths=(("vorbis", "flt", 0),),
        bound=-18,
    ),
    Family(
        name="Opus",
        container="ogg",
        depths=(("libopus", "flt", 0),),
        rates=(8_000, 12_000, 16_000, 24_000, 48_000),
        ordinary_rate=48_000,
        layouts={4: "quad"},
        bound=-29,
        cannot="other rates than these: an encoder resamples before it, and every Opus is decoded at 48 kHz",
    ),
    Family(
        name="WebM, Opus",
        container="webm",
        depths=(("libopus", "flt", 0),),
        rates=(8_000, 12_000, 16_000, 24_000, 48_000),
        ordinary_rate=48_000,
        layouts={4: "quad"},
        bound=-29,
        cannot="as Opus",
    ),
    Family(name="WebM, Vorbis", container="webm", depths=(("vorbis", "flt", 0),), bound=-18),
    Family(
        name="AAC (m4a)",
        container="ipod",
        depths=(("aac", "fltp", 0),),
        rates=_UP_TO_96,
        bound=-23,
        cannot="over 96 kHz",
    ),
    Family(
        name="AAC (ADTS)",
        container="adts",
        depths=(("aac", "fltp", 0),),
        rates=_UP_TO_96,
        bound=-23,
        delay=lambda _: 1_024,
        cannot="over 96 kHz; its encoder's delay: no field tells it",
    ),
    Family(
        name="AAC in Matroska",
        container="matroska",
        depths=(("aac", "fltp", 0),),
        rates=_UP_TO_96,
        bound=-23,
        cannot="over 96 kHz",
    ),
    Family(
        name="WMA 2",
        container="asf",
        depths=(("wmav2", "fltp", 0),),
        channels=(1, 2),
        rates=_UP_TO_48,
        bound=-45,
        delay=_wma_delay,
        cannot="over 2 channels; over 48 kHz",
    ),
    Family(
        name="WMA 1",
        container="asf",
        depths=(("wmav1", "fltp", 0),),
        channels=(1, 2),
        rates=_UP_TO_48,
        bound=-45,
        delay=_wma1_delay,
        cannot="over 2 channels; over 48 kHz",
    ),
)
