"""Recordings of which no two are the same."""

import itertools
from collections.abc import Callable
from pathlib import Path

import av
from av.audio.resampler import AudioResampler

from infra.samples import SITE_NOTE

BIT_RATE = 24_000


def recordings(folder: Path) -> Callable[[], bytes]:
    """The bundled site note as a phone sends it, 23 s in 68 KB, each time with another tag in front of the sound."""
    numbers = itertools.count(1)
    sound = _mp3(folder / "note.mp3")
    return lambda: _tag(next(numbers)) + sound


def _tag(n: int) -> bytes:
    """An ID3 tag with a title."""
    text = b"\3" + f"Note {n:>8}".encode()
    frame = b"TIT2" + len(text).to_bytes(4) + b"\0\0" + text
    return (
        b"ID3\4\0\0" + len(frame).to_bytes(4) + frame
    )  # shorter than 128 bytes: seven bits a byte need no care


def _mp3(target: Path) -> bytes:
    resampler = AudioResampler(format="s16p", layout="mono", rate=16_000)
    options = {"write_xing": "0", "id3v2_version": "0"}
    with av.open(str(SITE_NOTE)) as note, av.open(str(target), "w", format="mp3", options=options) as out:
        stream = out.add_stream("libmp3lame", rate=16_000, layout="mono", bit_rate=BIT_RATE)
        for frame in note.decode(audio=0):
            frame.pts = None
            for resampled in resampler.resample(frame):
                out.mux(stream.encode(resampled))
        out.mux(stream.encode(None))
    return target.read_bytes()
