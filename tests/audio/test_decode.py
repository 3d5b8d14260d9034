"""Decoding in a process of its own: every kind comes out the same, and nothing can hurt who asks."""

import asyncio
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from infra.audio import decode
from infra.audio.decoder import answer
from infra.audio.decoding import _outcome
from infra.samples import SITE_NOTE
from infra.speech import SpeechUnavailable, UnusableAudio
from tests.audio.recordings import MEDIA_TYPES, SECONDS, cut, one_hertz, record, silence


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "decoded.wav"


@pytest.fixture(autouse=True)
async def leaves_nothing_behind(target: Path, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """After every test, whatever happened in it: no process, and a whole target or none."""
    yield
    assert not [child for child in psutil.Process().children() if "infra.audio.decoder" in child.cmdline()]
    assert absent(target.with_name("decoded.wav.part"))


def absent(path: Path) -> bool:
    return not path.exists()


async def refused(source: Path, target: Path, **limits: float) -> str:
    """The code of the refusal."""
    with pytest.raises(UnusableAudio) as caught:
        await decode(source, target, **limits)  # type: ignore[arg-type]
    assert caught.value.detail.endswith(".")
    assert str(source.parent) not in caught.value.detail
    assert absent(target)
    return caught.value.code


@pytest.mark.parametrize("suffix", MEDIA_TYPES)
async def test_every_kind_becomes_16_khz_mono_of_the_same_length(
    suffix: str, tmp_path: Path, target: Path
) -> None:
    seconds = await decode(record(tmp_path / f"note.{suffix}"), target)
    with wave.open(str(target)) as wav:
        assert wav.getparams()[:3] == (1, 2, 16_000)
        assert wav.getnframes() / 16_000 == seconds
    assert seconds == pytest.approx(SECONDS, abs=0.06)


async def test_an_empty_file_is_empty(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "empty.ogg"
    source.touch()
    assert await refused(source, target) == "AUDIO_EMPTY"


async def test_a_text_with_an_audio_name_is_not_decodable(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "talk.mp3"
    source.write_text("#EXTM3U\nfile:///etc/passwd\n" * 100)
    assert await refused(source, target) == "AUDIO_UNDECODABLE"


async def test_a_truncated_file_says_so(recordings: dict[str, Path], tmp_path: Path, target: Path) -> None:
    assert await refused(cut(recordings["m4a"], tmp_path, 0.5), target) == "AUDIO_TRUNCATED"


async def test_a_recording_of_hours_in_few_bytes_is_stopped(tmp_path: Path, target: Path) -> None:
    source = record(tmp_path / "live.webm", options={"live": "1"}, frames=silence(120))
    assert source.stat().st_size < 120_000
    assert await refused(source, target, max_seconds=60.0) == "AUDIO_TOO_LONG"


async def test_a_file_that_takes_too_much_processor_time_is_stopped(tmp_path: Path, target: Path) -> None:
    source = one_hertz(tmp_path / "slow.wav", seconds=400_000)
    assert await refused(source, target, timeout=1.0, max_seconds=1e6) == "AUDIO_DECODE_TIMEOUT"


async def test_a_file_that_swells_is_stopped(tmp_path: Path, target: Path) -> None:
    source = one_hertz(tmp_path / "bomb.wav", seconds=100_000)
    assert await refused(source, target, memory=150 << 20, max_seconds=1e6) == "AUDIO_DECODE_MEMORY"


async def test_cancelling_stops_the_work(tmp_path: Path, target: Path) -> None:
    work = asyncio.create_task(
        decode(one_hertz(tmp_path / "slow.wav", seconds=400_000), target, max_seconds=1e6)
    )
    async with asyncio.timeout(60):
        while absent(target.with_name("decoded.wav.part")):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
    assert absent(target)


async def test_a_missing_file_is_not_the_recordings_fault(tmp_path: Path, target: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await decode(tmp_path / "gone.ogg", target)


async def test_a_folder_that_cannot_be_written_is_not_the_recordings_fault(tmp_path: Path) -> None:
    with pytest.raises(SpeechUnavailable, match="FileNotFoundError"):
        await decode(SITE_NOTE, tmp_path / "nowhere" / "decoded.wav")


def test_the_decoder_tells_the_recordings_faults_from_the_machines(tmp_path: Path) -> None:
    text = tmp_path / "text.mp3"
    text.write_text("not sound")
    assert answer(SITE_NOTE, tmp_path / "out.wav", 60.0) == {"seconds": SECONDS}
    assert answer(text, tmp_path / "out.wav", 60.0)["code"] == "AUDIO_UNDECODABLE"
    assert answer(SITE_NOTE, tmp_path, 60.0) == {"trouble": "IsADirectoryError: Is a directory"}


async def test_a_decoder_that_cannot_even_start_is_not_the_recordings_fault(target: Path) -> None:
    with pytest.raises(SpeechUnavailable, match="without an answer"):
        await decode(SITE_NOTE, target, memory=60 << 20)


@pytest.mark.parametrize(("exit_code", "code"), [(-11, "AUDIO_UNDECODABLE"), (-6, "AUDIO_UNDECODABLE")])
def test_a_file_that_crashes_the_decoder_is_not_decodable(exit_code: int, code: str) -> None:
    with pytest.raises(UnusableAudio) as caught:
        _outcome(exit_code, b"")
    assert caught.value.code == code


def test_a_decoder_killed_by_the_system_is_not_the_recordings_fault() -> None:
    with pytest.raises(SpeechUnavailable, match="exit code -9"):
        _outcome(-9, b"")
