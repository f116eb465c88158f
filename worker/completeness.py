"""Does a file hold all the audio that its container promises?

Reads the promises alone and decodes nothing. Promises are never used as limits or sizes: a forged one can
make a whole file look cut off, and nothing else.
"""

import os
from typing import BinaryIO

TOLERANCE_SECONDS = 1.0  # encoder delay, padding and edit lists stay far below

# Containers whose header tells how long the audio is, and where FFmpeg hands that on unchanged.
_DECLARES_SECONDS = ("flac", "mov", "aiff", "matroska", "wv", "au")
# What writers that cannot seek back leave as the size of a WAV: about 2 GiB, or all ones.
_UNKNOWN_SIZE = 2**31 - 2**16
_LARGEST_OGG_PAGE_BYTES = 65_307  # RFC 3533, section 6
_END_OF_STREAM = 0x04  # flag of an Ogg page
_LARGEST_MPEG_FRAME_BYTES = 4_096


def is_cut_off(
    audio: BinaryIO, *, container: str, declared_seconds: float | None, decoded_seconds: float
) -> bool:
    """Whether over TOLERANCE_SECONDS that the container promises are not in the file.

    container: FFmpeg's name of the demuxer; declared_seconds: FFmpeg's idea of the length, None if unknown.
    False where the container promises nothing: MP3 without a Xing header, AAC (ADTS), live WebM, piped WAV.
    For Ogg any missing end counts, since its pages do not tell how much is missing.
    """
    if container == "wav":
        return _missing_riff_seconds(audio, decoded_seconds) > TOLERANCE_SECONDS
    if container == "ogg":
        return not _ends_with_last_ogg_page(audio)
    if container.startswith(_DECLARES_SECONDS) or (container == "mp3" and _counts_its_frames(audio)):
        return declared_seconds is not None and declared_seconds - decoded_seconds > TOLERANCE_SECONDS
    return False


def _missing_riff_seconds(audio: BinaryIO, decoded_seconds: float) -> float:
    """Seconds by which the file is shorter than its header says; at the rate of what is there."""
    size = audio.seek(0, os.SEEK_END)
    audio.seek(0)
    header = audio.read(28)
    if header.startswith((b"RF64", b"BW64")):  # EBU Tech 3306: the size is in the ds64 chunk, in eight bytes
        promised = int.from_bytes(header[20:28], "little")
    else:
        promised = int.from_bytes(header[4:8], "big" if header.startswith(b"RIFX") else "little")
        promised = 0 if promised >= _UNKNOWN_SIZE else promised
    return decoded_seconds * (promised + 8 - size) / size


def _ends_with_last_ogg_page(audio: BinaryIO) -> bool:
    size = audio.seek(0, os.SEEK_END)
    audio.seek(max(0, size - 2 * _LARGEST_OGG_PAGE_BYTES))
    end = audio.read()
    page = end[max(0, end.rfind(b"OggS")) :]
    header_bytes = 27 + (page[26] if len(page) > 26 else 0)
    whole = len(page) >= header_bytes + sum(page[27:header_bytes])
    return whole and bool(page[5] & _END_OF_STREAM)


def _counts_its_frames(audio: BinaryIO) -> bool:
    """Whether the first frame of an MP3 is a Xing header; without one FFmpeg guesses from the bit rate."""
    audio.seek(0)
    tag = audio.read(10)
    tag_bytes = 10 + sum(
        (byte & 0x7F) << shift for byte, shift in zip(tag[6:10], (21, 14, 7, 0), strict=True)
    )
    audio.seek(tag_bytes if tag.startswith(b"ID3") else 0)
    first_frame = audio.read(_LARGEST_MPEG_FRAME_BYTES)
    return b"Xing" in first_frame or b"Info" in first_frame
