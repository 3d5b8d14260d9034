"""Transcription by a server that speaks OpenAI's wire format: speaches, whisper.cpp's server, vLLM and their kin."""

import asyncio
import wave
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import aiohttp
from yarl import URL

from infra.speech import SpeechUnavailable, Transcript, UnknownModel, UnusableAudio
from infra.speech.whisper_refusal import lacks_model, refusal, wants_plain_json
from infra.speech.whisper_reply import read_reply

ANSWER_LIMIT = 64 << 20
"""Bytes. Four hours of words with their times are under 10 MB."""
SLOWEST = 4.0
"""How many seconds a server may need for one of the recording, beside `patience`."""


class Whisper:
    """One server. The recording is streamed from disk; how far the server has come is not known until it is done."""

    def __init__(self, url: str, *, model: str, patience: float = 60.0) -> None:
        self.model = model
        self._url = URL(url.rstrip("/").removesuffix("/v1")) / "v1/audio/transcriptions"
        self._server = str(self._url.with_user(None).origin())
        self._patience = patience
        self._detailed = True
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"Whisper({self._server!r}, model={self.model!r})"

    async def transcribe(
        self, wav: Path, *, progress: Callable[[float], None], model: str | None = None
    ) -> Transcript:
        """See Speech.transcribe. A SpeechUnavailable that will stay names the setting to mend."""
        progress(0.0)
        name, seconds = model or self.model, await asyncio.to_thread(_seconds, wav)
        status, body = await self._ask(wav, seconds, name)
        if self._detailed and wants_plain_json(status, body):
            self._detailed = False
            status, body = await self._ask(wav, seconds, name)
        if status != 200 and model and lacks_model(status, body):
            raise UnknownModel(f"The speech server at {self._server} has no model {model!r}.")
        if status != 200:
            raise refusal(status, body, server=self._server, model=name)
        said = await asyncio.to_thread(read_reply, body, seconds=seconds, model=name)
        progress(1.0)
        return said

    async def close(self) -> None:
        """Close connections; what is under way fails."""
        if self._session:
            await self._session.close()

    async def _ask(self, wav: Path, seconds: float, model: str) -> tuple[int, bytes]:
        if self._session is None:
            # A connection kept for the next recording, hours later, would often be dead when it comes.
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        if self._session.closed:
            raise SpeechUnavailable("Transcription is shutting down.")
        limit = aiohttp.ClientTimeout(total=self._patience + SLOWEST * seconds, sock_connect=10)
        sound = await asyncio.to_thread(wav.open, "rb")
        try:
            async with self._session.post(
                self._url, data=self._form(sound, model), timeout=limit, allow_redirects=False
            ) as response:
                return response.status, await self._body(response)
        except TimeoutError:
            raise SpeechUnavailable(f"The speech server at {self._server} did not answer in time.") from None
        except aiohttp.ClientConnectorError as error:
            raise SpeechUnavailable(
                f"No speech server answers at {self._server} ({error.strerror}): check WHISPER_URL."
            ) from None
        except aiohttp.ClientError as error:
            raise SpeechUnavailable(
                f"The speech server at {self._server} broke off ({type(error).__name__})."
            ) from None
        finally:
            sound.close()

    def _form(self, sound: BinaryIO, model: str) -> aiohttp.FormData:
        form = aiohttp.FormData()
        form.add_field("file", sound, filename="audio.wav", content_type="audio/wav")
        form.add_field("model", model)
        form.add_field("response_format", "verbose_json" if self._detailed else "json")
        if self._detailed:
            form.add_field("timestamp_granularities[]", "word")
            form.add_field("timestamp_granularities[]", "segment")
        return form

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(1 << 16):
            body += chunk
            if len(body) > ANSWER_LIMIT:
                raise SpeechUnavailable(f"The speech server at {self._server} answers without end.")
        return bytes(body)


def _seconds(wav: Path) -> float:
    try:
        with wave.open(str(wav)) as sound:
            return float(sound.getnframes() / sound.getframerate())
    except (EOFError, wave.Error) as error:
        raise UnusableAudio("AUDIO_UNDECODABLE", f"The sound cannot be read: {error}.") from None
