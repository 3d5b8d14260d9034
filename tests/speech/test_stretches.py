"""How a recording is divided before it is recognised."""

import wave
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest
from pocketsphinx import Decoder, set_loglevel

from infra.audio.conversion import convert
from infra.samples import SITE_NOTE
from infra.speech.sphinx_worker import LONGEST, listen, quietest, stretches
from tests.audio.recordings import noise


@pytest.fixture(scope="module")
def note(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The samples of the bundled site note."""
    target = tmp_path_factory.mktemp("stretches") / "note.wav"
    convert(SITE_NOTE, target, 60.0)
    return target.read_bytes()[44:]


def divided(path: Path, pcm: bytes) -> list[tuple[float, float]]:
    """Start and end of each stretch of speech."""
    with wave.open(str(path), "wb") as wav:
        wav.setparams((1, 2, 16_000, 0, "NONE", ""))
        wav.writeframes(pcm)
    with wave.open(str(path)) as wav:
        return [(start, start + len(speech) / 32_000) for start, speech in stretches(wav)]


def test_pauses_divide_speech(note: bytes, tmp_path: Path) -> None:
    assert rounded(divided(tmp_path / "note.wav", note)) == [(0, 3), (3, 12), (12, 17), (18, 22)]


@pytest.mark.parametrize("more", [0, 2, 958])
def test_speech_that_ends_with_the_recording_is_not_lost(note: bytes, more: int, tmp_path: Path) -> None:
    half = note[: 160 * 960 + more]
    assert rounded(divided(tmp_path / "half.wav", half)) == [(0, 3), (3, 5)]


def test_noise_without_a_pause_is_cut_into_parts_that_leave_nothing_out(tmp_path: Path) -> None:
    parts = divided(tmp_path / "noise.wav", noise(100.0))
    assert len(parts) > 3
    assert all(end - start <= LONGEST + 1 for start, end in parts)
    assert all(abs(end - start) < 0.001 for (_, end), (start, _) in pairwise(parts))
    assert parts[0][0] < 1
    assert parts[-1][1] > 99


def test_the_cut_is_where_it_is_quiet() -> None:
    loud, quiet = noise(1.0), bytes(6400)
    pcm = bytearray(loud * 8 + quiet + loud)
    assert 8 * 32_000 <= quietest(pcm) <= 8 * 32_000 + 6400


def test_silence_and_nothing_have_no_stretches(tmp_path: Path) -> None:
    assert divided(tmp_path / "silence.wav", bytes(320_000)) == []
    assert divided(tmp_path / "nothing.wav", b"") == []


def test_each_stretch_becomes_a_line_and_then_the_end(note: bytes, tmp_path: Path) -> None:
    set_loglevel("FATAL")
    divided(tmp_path / "start.wav", note[: 3 * 32_000])
    first, last = listen(Decoder(samprate=16_000), str(tmp_path / "start.wav"))
    assert first.segment
    assert first.segment.text.startswith("job maple street")
    assert first.segment.words[0].start > 0.1
    assert (last.done, last.heard, last.total) == (True, 3.0, 3.0)


def rounded(parts: Iterable[tuple[float, float]]) -> list[tuple[int, int]]:
    return [(round(start), round(end)) for start, end in parts]
