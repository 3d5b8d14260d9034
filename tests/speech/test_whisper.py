"""What servers answer, in each dialect, and what it means when they do not."""

import asyncio
import socket
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from infra.speech import SpeechUnavailable, Transcript, UnusableAudio
from infra.speech.whisper import SLOWEST, Whisper
from tests.speech.dialects import MODEL, TEXT, Dialect
from tests.speech.whisper_server import Fault, WhisperServer, whisper_server


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """Five seconds of silence: the servers do not listen."""
    return write(tmp_path / "sound.wav", 5)


def write(path: Path, seconds: int) -> Path:
    with wave.open(str(path), "wb") as wav:
        wav.setparams((1, 2, 16_000, 0, "NONE", ""))
        wav.writeframes(bytes(32_000 * seconds))
    return path


@asynccontextmanager
async def whisper(url: str, *, model: str = MODEL, patience: float = 60.0) -> AsyncIterator[Whisper]:
    client = Whisper(url, model=model, patience=patience)
    try:
        yield client
    finally:
        await client.close()


async def ask(server: WhisperServer, sound: Path, *, model: str = MODEL) -> Transcript:
    async with whisper(server.url, model=model) as client:
        return await client.transcribe(sound, progress=lambda _: None)


@pytest.mark.parametrize("dialect", ["speaches", "whisper.cpp", "vllm"])
async def test_every_dialect_gives_the_same_segments(dialect: Dialect, sound: Path) -> None:
    async with whisper_server(dialect=dialect) as server:
        said = await ask(server, sound)
    assert [(s.text, s.start, s.end) for s in said.segments] == [
        ("The boiler room wall is wet.", 0.0, 2.0),
        ("Order drywall.", 2.5, 4.0),
    ]
    assert (said.language, said.seconds, said.model) == ("en", 5.0, MODEL)
    assert all(0.7 < (segment.confidence or 0) < 0.9 for segment in said.segments)
    (call,) = server.calls
    assert call["timestamp_granularities[]"] == ["word", "segment"]
    assert (call["response_format"], call["seconds"]) == (["verbose_json"], 5.0)


@pytest.mark.parametrize("dialect", ["speaches", "whisper.cpp"])
async def test_words_have_times_and_are_whole(dialect: Dialect, sound: Path) -> None:
    async with whisper_server(dialect=dialect) as server:
        said = await ask(server, sound)
    assert " ".join(word.text for segment in said.segments for word in segment.words) == TEXT
    drywall = said.segments[1].words[1]
    assert (drywall.text, drywall.start, drywall.end) == ("drywall.", 3.25, 4.0)
    assert drywall.confidence == (None if dialect == "speaches" else 0.7)


async def test_a_server_without_times_gives_one_segment_and_is_asked_plainly_from_then_on(
    sound: Path,
) -> None:
    async with whisper_server(dialect="vllm-0.10") as server, whisper(server.url) as client:
        for _ in range(2):
            said = await client.transcribe(sound, progress=lambda _: None)
    assert [(s.text, s.start, s.end, s.words) for s in said.segments] == [(TEXT, 0.0, 5.0, ())]
    assert [call["response_format"] for call in server.calls] == [["verbose_json"], ["json"], ["json"]]


async def test_progress_is_not_made_up(sound: Path) -> None:
    progress: list[float] = []
    async with whisper_server() as server, whisper(server.url) as client:
        await client.transcribe(sound, progress=progress.append)
    assert progress == [0.0, 1.0]


async def test_silence_is_a_transcript_without_segments(sound: Path) -> None:
    async with whisper_server(fault="silence") as server:
        said = await ask(server, sound)
    assert said == Transcript((), "en", 5.0, MODEL)


@pytest.mark.parametrize("dialect", ["speaches", "whisper.cpp", "vllm"])
async def test_sound_the_server_cannot_read_is_the_recordings_fault(dialect: Dialect, tmp_path: Path) -> None:
    empty = write(tmp_path / "empty.wav", 0)
    async with whisper_server(dialect=dialect) as server:
        with pytest.raises(UnusableAudio, match="speech server cannot read the sound") as caught:
            await ask(server, empty)
    assert caught.value.code == "AUDIO_UNDECODABLE"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("500", r"failed \(it answered 500: Internal Server Error\)"),
        ("503", r"failed \(it answered 503: .*loading model"),
        ("403", r"refuses us. .*WHISPER_URL \(it answered 403: API key required"),
        ("too long", "does not take a recording of this length. Raise its limit, or set WHISPER_URL"),
        ("junk", "is not JSON"),
        ("html", "is not JSON. Is WHISPER_URL the right server"),
        ("error in 200", "is no transcript: failed to process audio"),
        ("dropped", "broke off"),
        ("no answer", "broke off"),
        ("huge", "answers without end"),
    ],
)
async def test_a_failing_server_is_worth_another_attempt(fault: Fault, words: str, sound: Path) -> None:
    async with whisper_server(fault=fault) as server, whisper(server.url) as client:
        with pytest.raises(SpeechUnavailable, match=words):
            await client.transcribe(sound, progress=lambda _: None)
        server.fault = None
        assert (await client.transcribe(sound, progress=lambda _: None)).segments


async def test_the_error_of_an_engine_is_told_in_its_own_words(sound: Path) -> None:
    async with whisper_server(dialect="vllm", fault="500") as server:
        with pytest.raises(SpeechUnavailable, match="EngineCore died"):
            await ask(server, sound)


async def test_a_server_is_given_only_so_much_time(sound: Path) -> None:
    async with (
        whisper_server(fault="slow") as server,
        whisper(server.url, patience=0.2 - 5 * SLOWEST) as client,
    ):
        with pytest.raises(SpeechUnavailable, match="did not answer in time"):
            await client.transcribe(sound, progress=lambda _: None)


async def test_a_cancelled_request_ends_at_once(sound: Path) -> None:
    async with whisper_server(fault="slow") as server, whisper(server.url) as client:
        work = asyncio.create_task(client.transcribe(sound, progress=lambda _: None))
        async with asyncio.timeout(60):
            await server.asked.wait()
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work


@pytest.mark.parametrize("dialect", ["speaches", "vllm"])
async def test_an_unknown_model_names_the_setting(dialect: Dialect, sound: Path) -> None:
    async with whisper_server(dialect=dialect) as server:
        with pytest.raises(SpeechUnavailable, match=r"has no model 'large'. Set WHISPER_MODEL"):
            await ask(server, sound, model="large")


async def test_a_wrong_address_names_the_setting(sound: Path) -> None:
    async with whisper_server() as server, whisper(server.url + "/elsewhere") as client:
        with pytest.raises(SpeechUnavailable, match=r"Check WHISPER_URL.* --inference-path"):
            await client.transcribe(sound, progress=lambda _: None)


async def test_no_server_at_all_names_the_setting_and_no_password(sound: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://headwater:hush@127.0.0.1:{unused.getsockname()[1]}"
        async with whisper(url) as client:
            with pytest.raises(SpeechUnavailable, match="check WHISPER_URL") as caught:
                await client.transcribe(sound, progress=lambda _: None)
            assert "hush" not in f"{caught.value!r} {client!r}"


async def test_an_address_may_end_as_openais_does(sound: Path) -> None:
    async with whisper_server() as server, whisper(server.url + "/v1/") as client:
        assert (await client.transcribe(sound, progress=lambda _: None)).segments


async def test_what_is_no_wav_is_not_sent(tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("not sound")
    async with whisper_server() as server:
        with pytest.raises(UnusableAudio):
            await ask(server, text)
    assert server.calls == []


async def test_after_closing_nothing_is_asked(sound: Path) -> None:
    async with whisper_server() as server, whisper(server.url) as client:
        await client.transcribe(sound, progress=lambda _: None)
        await client.close()
        with pytest.raises(SpeechUnavailable, match="shutting down"):
            await client.transcribe(sound, progress=lambda _: None)
