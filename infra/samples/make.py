"""Makes the bundled recordings anew: `python -m infra.samples.make`. Needs Debian's `flite`."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from infra.samples import SITE_NOTE, WALKTHROUGH

VOICES = {"Hendricks": "rms", "Carter": "slt"}
BIT_RATE = 24_000
PAUSE = 0.6
"""Seconds of silence after each turn."""


def main() -> None:
    """Speak both texts. The same texts and voices give the same words, not the same bytes."""
    for recording in (SITE_NOTE, WALKTHROUGH):
        turns = [line.split(": ", 1) for line in recording.with_suffix(".txt").read_text().splitlines()]
        with tempfile.TemporaryDirectory() as folder:
            clips = [
                _speak(Path(folder, f"{n}.wav"), VOICES[name], words) for n, (name, words) in enumerate(turns)
            ]
            _join(clips, recording)


def _speak(target: Path, voice: str, words: str) -> Path:
    subprocess.run(["flite", "-voice", voice, "-t", words, "-o", str(target)], check=True)  # noqa: S603, S607
    return target


def _join(clips: list[Path], target: Path) -> None:
    with av.open(str(target), "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libopus", rate=16_000, layout="mono", bit_rate=BIT_RATE)
        for frame in _frames(clips):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _frames(clips: list[Path]) -> Iterator[AudioFrame]:
    resampler = AudioResampler(format="s16", layout="mono", rate=16_000)
    for clip in clips:
        with av.open(str(clip)) as container:
            for frame in container.decode(audio=0):
                frame.pts = None
                yield from resampler.resample(frame)
        yield _silence()


def _silence() -> AudioFrame:
    frame = AudioFrame(format="s16", layout="mono", samples=int(PAUSE * 16_000))
    frame.planes[0].update(bytes(frame.planes[0].buffer_size))
    frame.rate = 16_000
    return frame


if __name__ == "__main__":
    main()
