"""Makes the bundled recordings and the plan anew: `python -m infra.samples.make`.

Needs Debian's `flite`, and the tools that `make test` installs.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from fpdf import FPDF

from infra.samples import PLAN, SITE_NOTE, WALKTHROUGH

VOICES = {"Hendricks": "rms", "Carter": "slt"}
BIT_RATE = 24_000
PAUSE = 0.6
"""Seconds of silence after each turn."""


def main() -> None:
    """Speak both texts and draw the plan. The same texts and voices give the same words, not the same bytes."""
    _draw(PLAN)
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


def _draw(target: Path) -> None:
    """A page for each part of the text; the first line of each is its heading."""
    made = FPDF(format="letter")
    made.set_title("Plan of the boiler room")
    made.set_creation_date(datetime(2026, 11, 2, tzinfo=UTC))
    for page in target.with_suffix(".txt").read_text().split("---\n"):
        heading, _, text = page.partition("\n")
        made.add_page()
        made.set_font("helvetica", "B", 16)
        made.multi_cell(0, 12, heading, new_x="LMARGIN", new_y="NEXT")
        made.set_font("helvetica", size=11)
        made.multi_cell(0, 7, text.strip())
    target.write_bytes(made.output())


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
