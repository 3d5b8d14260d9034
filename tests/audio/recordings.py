"""Makes recordings of every kind from the bundled sample, with the encoders that PyAV carries."""

import math
import struct
from array import array
from collections.abc import Iterator
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

from infra.samples import SITE_NOTE

SECONDS = 22.63
"""How long that sample is."""
KINDS = {
    "wav": ("wav", "pcm_s16le", 44_100, "stereo"),
    "mp3": ("mp3", "libmp3lame", 44_100, "stereo"),
    "m4a": ("ipod", "aac", 44_100, "mono"),
    "ogg": ("ogg", "libopus", 48_000, "mono"),
    "webm": ("webm", "libopus", 48_000, "mono"),
    "flac": ("flac", "flac", 44_100, "stereo"),
}
MEDIA_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "ogg": "audio/ogg",
    "webm": "audio/webm",
    "flac": "audio/flac",
}


def record(
    target: Path, *, options: dict[str, str] | None = None, frames: Iterator[AudioFrame] | None = None
) -> Path:
    """Encode the bundled site note, or other frames, as the target's suffix says."""
    container_format, codec, rate, layout = KINDS[target.suffix[1:]]
    resampler = AudioResampler(format="s16" if codec != "aac" else "fltp", layout=layout, rate=rate)
    with av.open(str(target), "w", format=container_format, options=options or {}) as out:
        stream = out.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(stream, AudioStream)
        for frame in frames or site_note():
            for resampled in resampler.resample(frame):
                out.mux(stream.encode(resampled))
        for resampled in resampler.resample(None):
            out.mux(stream.encode(resampled))
        out.mux(stream.encode(None))
    return target


def site_note() -> Iterator[AudioFrame]:
    """The bundled recording's sound."""
    with av.open(str(SITE_NOTE)) as container:
        for frame in container.decode(audio=0):
            frame.pts = None
            yield frame


def silence(seconds: int, rate: int = 48_000) -> Iterator[AudioFrame]:
    """As much silence as asked for, second by second."""
    for _ in range(seconds):
        frame = AudioFrame(format="s16", layout="mono", samples=rate)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.rate = rate
        yield frame


def cut(source: Path, folder: Path, share: float) -> Path:
    """A copy that ends early, as an upload or a download that broke off leaves it."""
    content = source.read_bytes()
    target = folder / source.name
    target.write_bytes(content[: math.ceil(len(content) * share)])
    return target


def noise(seconds: float) -> bytes:
    """Loud and unbroken: 16 kHz samples that a voice detector takes for speech throughout."""
    wave = (int(9000 * math.sin(n * n / 9000)) for n in range(int(seconds * 16_000)))
    return array("h", wave).tobytes()


def one_hertz(target: Path, *, seconds: int) -> Path:
    """A WAV of one sample a second, which swells 16,000-fold when it is decoded."""
    rate, width = 1, 2
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate, rate * width, width, 8 * width)
    size = seconds * rate * width
    target.write_bytes(
        b"RIFF" + struct.pack("<I", size + 36) + b"WAVEfmt " + form + b"data" + struct.pack("<I", size)
    )
    with target.open("ab") as file:
        file.write(bytes(size))
    return target
