"""From any container and codec to 16 kHz mono WAV, with a verdict on whether the recording is whole."""

import wave
from collections.abc import Iterator
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from infra.audio.kinds import media_type
from infra.audio.wholeness import is_cut, promised_seconds
from infra.speech import UnusableAudio

DEMUXERS = {
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/mp4": "mov",
    "audio/ogg": "ogg",
    "audio/webm": "matroska",
    "audio/flac": "flac",
}
RATE = 16_000
GAP = RATE // 4
"""Samples. A shorter hole in the timestamps is rounding, not silence."""
BROKEN_CLOCK = 3600 * RATE
"""Samples. A longer hole is a mistake in the timestamps, not silence."""


def convert(source: Path, target: Path, max_seconds: float) -> float:
    """Decode `source` to a 16 kHz mono WAV at `target`; the seconds. Raises UnusableAudio."""
    with source.open("rb") as file:
        kind = media_type(file.read(4096))
    if kind is None:
        raise UnusableAudio("AUDIO_UNDECODABLE", "The file is not a kind of audio we know.")
    try:
        with _open(source, kind) as container:
            if not container.streams.audio:
                raise UnusableAudio("AUDIO_NO_STREAM", "The file has no sound in it.")
            if not container.streams.audio[0].codec_context:
                raise UnusableAudio(
                    "AUDIO_UNDECODABLE", "Its sound is in a format that we have no decoder for."
                )
            return _Conversion(kind, source, container, max_seconds).write(target)
    except av.error.FFmpegError as error:
        _no_memory(error)
        if is_cut(kind, source):
            raise UnusableAudio("AUDIO_TRUNCATED", "The file ends before its sound can be read.") from None
        raise UnusableAudio("AUDIO_UNDECODABLE", f"The file cannot be read: {error.strerror}.") from None


def _open(source: Path, kind: str) -> InputContainer:
    """Only as what it is, and only itself: no playlist in disguise that names other files or addresses."""
    return av.open(
        f"file:{source}",
        format=DEMUXERS[kind],
        options={"protocol_whitelist": "file"},
        metadata_errors="ignore",
    )


def _no_memory(error: av.error.FFmpegError) -> None:
    if isinstance(error, MemoryError):
        raise MemoryError from None


class _Conversion:
    """One recording on its way: what was read and written, and how far its clock got."""

    def __init__(self, kind: str, source: Path, container: InputContainer, max_seconds: float) -> None:
        self._kind, self._source, self._container, self._max = kind, source, container, max_seconds
        self._promised = promised_seconds(kind, source, container)
        self._written = 0
        self._reached = 0.0
        self._good = self._bad = self._read = 0

    def write(self, target: Path) -> float:
        if self._promised > self._max:
            self._too_long()
        with target.open("wb") as file, wave.open(file, "wb") as wav:
            wav.setparams((1, 2, RATE, 0, "NONE", ""))
            for pcm in self._sound():
                self._written += len(pcm) // 2
                if self._written > self._max * RATE:
                    self._too_long()
                wav.writeframesraw(pcm)
        self._judge()
        return self._written / RATE

    def _too_long(self) -> None:
        raise UnusableAudio("AUDIO_TOO_LONG", f"The recording is longer than {self._max / 3600:g} hours.")

    def _sound(self) -> Iterator[bytes]:
        resampler, shape, start = None, None, None
        for frame in self._frames():
            if frame.time is not None:
                start = frame.time if start is None else start
                self._reached = max(self._reached, frame.time - start + frame.samples / frame.sample_rate)
                yield from self._silence_until(frame.time - start)
            if shape != (shape := (frame.format.name, frame.layout.name, frame.sample_rate)):
                yield from _samples(resampler, None)
                resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
            frame.pts = None
            yield from _samples(resampler, frame)
        yield from _samples(resampler, None)

    def _silence_until(self, second: float) -> Iterator[bytes]:
        missing = int(second * RATE) - self._written
        if GAP < missing < BROKEN_CLOCK:
            for _ in range(missing // RATE):
                yield bytes(2 * RATE)
            yield bytes(2 * (missing % RATE))

    def _frames(self) -> Iterator[AudioFrame]:
        stream = self._container.streams.audio[0]
        stream.codec_context.thread_count = 1
        for packet in self._packets(stream):
            try:
                yield from packet.decode()
                self._good += 1
            except av.error.FFmpegError as error:
                _no_memory(error)
                self._bad += 1

    def _packets(self, stream: AudioStream) -> "Iterator[Packet[AudioStream]]":
        try:
            for packet in self._container.demux(stream):
                self._read = max(self._read, (packet.pos or 0) + packet.size)
                yield packet
        except av.error.FFmpegError as error:
            _no_memory(error)
            self._bad += 1

    def _judge(self) -> None:
        there = max(self._reached, self._written / RATE)
        if there < 0.9 * self._promised:
            detail = f"Only {there:.0f} of the {self._promised:.0f} seconds its header promises are there."
            raise UnusableAudio("AUDIO_TRUNCATED", detail)
        if self._kind == "audio/ogg" and is_cut(self._kind, self._source):
            raise UnusableAudio("AUDIO_TRUNCATED", f"The file breaks off after {there:.0f} seconds.")
        unread = self._source.stat().st_size - self._read
        if self._bad > self._good or (not self._promised and unread > max(4096, self._read)):
            raise UnusableAudio("AUDIO_UNDECODABLE", "The file is damaged: most of its sound cannot be read.")
        if not self._written:
            raise UnusableAudio("AUDIO_EMPTY", "The recording has no sound in it: it is 0 seconds long.")


def _samples(resampler: AudioResampler | None, frame: AudioFrame | None) -> Iterator[bytes]:
    for resampled in resampler.resample(frame) if resampler else ():
        yield bytes(resampled.planes[0])[: resampled.samples * 2]
