"""pocketsphinx in its processes: what it understands, and what becomes of processes that are killed or unwanted."""

import asyncio
import os
import subprocess
import sys
import time
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from infra.audio import decode
from infra.samples import SITE_NOTE, spoken
from infra.speech import SpeechUnavailable, UnusableAudio
from infra.speech.sphinx import Sphinx
from tests.speech.word_errors import word_error_rate


@pytest.fixture(scope="module")
async def note(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled site note as 16 kHz mono WAV."""
    target = tmp_path_factory.mktemp("sphinx") / "note.wav"
    await decode(SITE_NOTE, target)
    return target


@pytest.fixture
def silence(tmp_path: Path) -> Path:
    """Three seconds in which nobody speaks."""
    return write_silence(tmp_path / "silence.wav", 3)


@pytest.fixture
async def sphinx() -> AsyncIterator[Sphinx]:
    speech = Sphinx(processes=1)
    yield speech
    await speech.close()


def processes(parent: int | None = None) -> list[psutil.Process]:
    children = psutil.Process(parent).children(recursive=True)
    return [child for child in children if "infra.speech.sphinx_worker" in " ".join(child.cmdline())]


def kill() -> None:
    (worker,) = processes()
    worker.kill()


def after_first_words(act: Callable[[], object]) -> Callable[[float], None]:
    """A progress callback that acts once, in the middle of the work."""
    done: list[float] = []

    def progress(share: float) -> None:
        if 0 < share < 1 and not done:
            done.append(share)
            act()

    return progress


async def test_the_site_note_is_understood(sphinx: Sphinx, note: Path) -> None:
    progress: list[float] = []
    heard = await sphinx.transcribe(note, progress=progress.append)
    assert word_error_rate(spoken(SITE_NOTE), heard) < 0.25
    assert (heard.language, heard.model, round(heard.seconds, 1)) == ("en", "pocketsphinx-en-us", 22.6)
    assert progress[0] == 0.0
    assert progress[-1] == 1.0
    assert progress == sorted(progress)
    assert len(progress) > 3
    words = [word for segment in heard.segments for word in segment.words]
    assert [(w.start, w.end) for w in words] == sorted((w.start, w.end) for w in words)
    assert all(0 <= w.start < w.end <= heard.seconds and 0 <= (w.confidence or 0) <= 1 for w in words)


async def test_the_same_recording_has_the_same_words_again(
    sphinx: Sphinx, note: Path, tmp_path: Path
) -> None:
    with wave.open(str(note), "rb") as whole, wave.open(str(tmp_path / "begin.wav"), "wb") as begin:
        begin.setparams(whole.getparams())
        begin.writeframes(whole.readframes(4 * whole.getframerate()))
    heard = [await sphinx.transcribe(tmp_path / "begin.wav", progress=lambda _: None) for _ in range(2)]
    assert heard[0].segments
    assert heard[0] == heard[1]
    assert len(processes()) == 1


async def test_a_killed_process_costs_one_attempt_and_is_replaced(
    sphinx: Sphinx, note: Path, silence: Path
) -> None:
    with pytest.raises(SpeechUnavailable, match=r"exit code -9"):
        await sphinx.transcribe(note, progress=after_first_words(kill))
    assert (await sphinx.transcribe(silence, progress=lambda _: None)).segments == ()


async def test_an_idle_process_that_is_killed_is_replaced(sphinx: Sphinx, silence: Path) -> None:
    await sphinx.transcribe(silence, progress=lambda _: None)
    kill()
    with suppress(SpeechUnavailable):  # when it is asked before its death is known
        await sphinx.transcribe(silence, progress=lambda _: None)
    assert (await sphinx.transcribe(silence, progress=lambda _: None)).seconds == 3.0


async def test_cancelling_frees_the_processor(sphinx: Sphinx, note: Path) -> None:
    begun = asyncio.Event()
    work = asyncio.create_task(sphinx.transcribe(note, progress=after_first_words(begun.set)))
    await begun.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert processes() == []


async def test_closing_ends_what_runs_and_refuses_more(note: Path) -> None:
    speech = Sphinx(processes=1)
    begun = asyncio.Event()
    work = asyncio.create_task(speech.transcribe(note, progress=after_first_words(begun.set)))
    await begun.wait()
    start = time.monotonic()
    await speech.close()
    assert time.monotonic() - start < 10
    with pytest.raises(SpeechUnavailable):
        await work
    with pytest.raises(SpeechUnavailable, match="shutting down"):
        await speech.transcribe(note, progress=lambda _: None)
    assert processes() == []


async def test_what_is_no_wav_is_the_recordings_fault(sphinx: Sphinx, tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("not sound")
    with pytest.raises(UnusableAudio, match="cannot be read"):
        await sphinx.transcribe(text, progress=lambda _: None)
    narrow = write_silence(tmp_path / "narrow.wav", 1, rate=8000)
    with pytest.raises(UnusableAudio, match="not 16 kHz mono"):
        await sphinx.transcribe(narrow, progress=lambda _: None)


PARENT = """
import asyncio, sys
from pathlib import Path
from infra.speech.sphinx import Sphinx
progress = lambda share: share and print(share, flush=True)
asyncio.run(Sphinx(processes=1).transcribe(Path(sys.argv[1]), progress=progress))
"""


async def test_a_process_does_not_outlive_its_killed_parent_nor_see_its_secrets(note: Path) -> None:
    settings = {**os.environ, "S3_SECRET_KEY": "hush"}
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(note), stdout=subprocess.PIPE, env=settings
    )
    assert parent.stdout
    await parent.stdout.readline()
    (orphan,) = processes(parent.pid)
    assert "S3_SECRET_KEY" not in orphan.environ()
    parent.kill()
    await parent.wait()
    await asyncio.to_thread(psutil.wait_procs, [orphan], timeout=60)
    assert not orphan.is_running()


def write_silence(path: Path, seconds: int, rate: int = 16_000) -> Path:
    with wave.open(str(path), "wb") as wav:
        wav.setparams((1, 2, rate, 0, "NONE", ""))
        wav.writeframes(bytes(2 * rate * seconds))
    return path
