"""An untrusted file object -> pieces of mono waveform at the source's own rate.

All that touches PyAV (FFmpeg) on the way in, and only to decode: the mean over channels is ours, because
FFmpeg's down-mix of stereo is 3 dB louder than the mean, and so is the resampling (`resample.py`).
"""

import os
from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO

import av
import av.logging
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from numpy.typing import NDArray

from shared.errors import AudioTooLong, CorruptAudio, NoAudioStream, UnsupportedFormat
from shared.sniff import HEAD_BYTES, looks_like_audio
from worker.completeness import TOLERANCE_SECONDS
from worker.song import LOUDEST, Waveform

# A playlist or an ffconcat script would make FFmpeg open the files it names, and no protocol_whitelist keeps
# it from that. Those demuxers are not on this list.
_CONTAINERS = "mp3,flac,ogg,wav,aiff,mov,matroska,aac,asf,wv,au"
_SAMPLE_RATES = range(4_000, 768_001)  # Hz; outside, a few bytes are hours or the resampler needs gigabytes
_MOST_CHANNELS = 8  # of planar frames with more PyAV would read past the end of a table
_INVALID_DATA = -1_094_995_529  # AVERROR_INVALIDDATA
_SAMPLES_PER_PIECE = 2**18  # resampling in large pieces takes half the time of frame by frame
_MOST_EMPTY_PACKETS = 50_000  # a second of work: so many that hold nothing are no song's

_INTEGER_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "s64": 2.0**63}  # full scale, as libsndfile's
_DTYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}

av.logging.set_level(None)  # FFmpeg's log would carry what the file says into ours


class _Nameless:
    """A file object without its name, from whose extension FFmpeg would draw conclusions."""

    def __init__(self, audio: BinaryIO) -> None:
        self.read = audio.read
        self.tell = audio.tell
        self._seek = audio.seek

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """To wherever a header says; a place that no file has is answered with one of FFmpeg's own errors."""
        try:
            return self._seek(offset, whence)
        except (OSError, ValueError):
            return _INVALID_DATA


def open_container(audio: BinaryIO) -> InputContainer:
    """audio: seekable. Raises UnsupportedFormat, or CorruptAudio where the head is that of a container."""
    audio.seek(0)
    head = audio.read(HEAD_BYTES)
    audio.seek(0)
    try:
        return av.open(
            _Nameless(audio),
            mode="r",
            options={"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"},
            metadata_errors="replace",  # a title in some forgotten encoding is no reason to refuse a song
        )
    except av.FFmpegError as error:
        raise (CorruptAudio if looks_like_audio(head) else UnsupportedFormat) from error


class AudioSource:
    """The first audio stream of a container. What it knows of the song is right once its pieces are read."""

    def __init__(self, container: InputContainer, *, max_seconds: float) -> None:
        """Raises NoAudioStream, or UnsupportedFormat where FFmpeg has no decoder."""
        if not container.streams.audio:
            raise NoAudioStream
        self._container = container
        self._stream: AudioStream = container.streams.audio[0]
        context = self._stream.codec_context
        if context is None:
            raise UnsupportedFormat("No decoder for this audio codec.")
        context.thread_count = 1  # a song a thread; FFmpeg's own threads would take the neighbours' cores
        self._max_seconds = max_seconds
        self._lost_seconds = 0.0  # unusable, with usable audio behind
        self._lost_at_end_seconds = 0.0
        self._ends_broken = False
        self._unreadable = False
        self._empty_packets = 0
        self.codec = context.codec.canonical_name
        self.sample_rate = context.sample_rate  # Hz, of the latest frame
        self.channels = _channels_without_names(context)  # of the latest frame
        self._decoded_seconds = Fraction(0)  # exact: a song as long as the limit is within it

    @property
    def seconds(self) -> float:
        """How much of the stream is decoded so far."""
        return float(self._decoded_seconds)

    @property
    def declared_seconds(self) -> float | None:
        """How long the container says that the stream is."""
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base)
        # The container's own length is that of its longest stream.
        alone = len(self._container.streams) == 1
        return self._container.duration / av.time_base if alone and self._container.duration else None

    @property
    def is_damaged(self) -> bool:
        """Whether over a second could not be decoded, or the last of it.

        What ends an MP3 is often no audio (tags of three kinds) and reads as broken frames.
        """
        cut = self._ends_broken and self._container.format.name != "mp3"
        return self._unreadable or cut or self._lost_seconds > TOLERANCE_SECONDS

    def pieces(self) -> Iterator[tuple[Waveform, int]]:
        """Pieces of mono waveform and their sample rate in Hz, which may change within a stream.

        Raises AudioTooLong with the first frame beyond max_seconds, and UnsupportedFormat.
        """
        frames: list[Waveform] = []
        rate = samples = 0
        for frame in self._frames():
            if frames and (frame.sample_rate != rate or samples >= _SAMPLES_PER_PIECE):
                yield np.concatenate(frames), rate
                frames, samples = [], 0
            rate = frame.sample_rate
            frames.append(self._accounted(frame))
            samples += frame.samples
        if frames:
            yield np.concatenate(frames), rate

    def _frames(self) -> Iterator[AudioFrame]:
        try:
            for packet in self._container.demux(self._stream):
                frames = self._decoded(packet)
                yield from frames
                self._empty_packets += not frames
                if self._empty_packets > _MOST_EMPTY_PACKETS:
                    self._unreadable = True
                    return
        except av.FFmpegError:
            self._unreadable = True

    def _decoded(self, packet: "Packet[AudioStream]") -> list[AudioFrame]:
        """A broken packet is left out, as players do: the song goes on behind it."""
        try:
            frames = [frame for frame in packet.decode() if frame.samples]
        except av.FFmpegError:
            self._ends_broken = True
            self._lost_at_end_seconds += float((packet.duration or 0) * (packet.time_base or 0))
            return []
        if frames and packet.size:  # the empty packet at the end only flushes the decoder
            self._ends_broken = False
            self._lost_seconds += self._lost_at_end_seconds
            self._lost_at_end_seconds = 0.0
        return frames

    def _accounted(self, frame: AudioFrame) -> Waveform:
        if frame.sample_rate not in _SAMPLE_RATES:
            raise UnsupportedFormat("The sample rate is out of range.")
        self._decoded_seconds += Fraction(frame.samples, frame.sample_rate)
        if self._decoded_seconds > self._max_seconds:
            raise AudioTooLong(f"At most {_spoken(self._max_seconds)} of audio are accepted.")
        self.sample_rate, self.channels = frame.sample_rate, frame.layout.nb_channels
        waveform = mono(frame)
        usable = np.abs(waveform) <= LOUDEST  # false for NaN, too
        if not usable.all():
            self._lost_seconds += float(np.count_nonzero(~usable)) / frame.sample_rate
            waveform = np.where(usable, waveform, np.float32(0))
        return waveform


def _channels_without_names(context: AudioCodecContext) -> int:
    """How many channels; afterwards the decoder knows no more of them.

    A layout with a name for each channel (AIFF, MOV and WAV may have any) lies in memory that PyAV frees with
    every Python object that shows it: reading it once here is one time, and at the second the process dies.
    """
    channels = context.channels
    if channels:
        context.layout = f"{channels} channels"
    return channels


def mono(frame: AudioFrame) -> Waveform:
    """The mean over channels, (samples,), full scale 1: exactly as libsndfile reads and librosa averages.

    Raises UnsupportedFormat for over 8 channels.
    """
    channels = frame.layout.nb_channels
    kind = frame.format.name.removesuffix("p")
    if channels > _MOST_CHANNELS or kind not in _DTYPES:
        raise UnsupportedFormat(f"At most {_MOST_CHANNELS} channels are supported.")
    # Not to_ndarray(): given exactly 8 planes PyAV counts the table's neighbour as a ninth.
    planes = frame.planes[:channels] if frame.format.is_planar else frame.planes[:1]
    count = frame.samples if frame.format.is_planar else frame.samples * channels
    numbers: NDArray[np.generic] = np.stack(
        [np.frombuffer(memoryview(plane), _DTYPES[kind], count) for plane in planes]
    )
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is found among the unusable samples
        samples = numbers.astype(np.float32)
        if kind in _INTEGER_SCALE:
            scale = np.float32(_INTEGER_SCALE[kind])
            samples = (samples - scale if kind == "u8" else samples) / scale
        if not frame.format.is_planar:  # contiguous channels halve the time of the mean
            samples = np.ascontiguousarray(samples.reshape(-1, channels).T)
        waveform: Waveform = samples.mean(axis=0)
    return waveform


def _spoken(seconds: float) -> str:
    """In minutes where those are whole."""
    return f"{seconds:g} seconds" if seconds % 60 else f"{seconds / 60:g} minutes"
