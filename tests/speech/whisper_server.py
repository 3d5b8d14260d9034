"""A Whisper server on loopback that speaks the wire format as three real ones do, and fails as they do."""

import asyncio
import io
import itertools
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

Dialect = Literal["speaches", "whisper.cpp", "vllm", "vllm-0.10"]
"""vLLM 0.10 is the last without `verbose_json`, and the last with flat error bodies."""
Fault = Literal[
    "slow",
    "no answer",
    "dropped",
    "huge",
    "403",
    "500",
    "503",
    "too long",
    "junk",
    "html",
    "error in 200",
    "silence",
]

SAID = (
    (0.0, 2.0, " The boiler room wall is wet.", (" The", " boiler", " room", " wall", " is", " wet.")),
    (2.5, 4.0, " Order drywall.", (" Order", " drywall.")),
)
"""Segments as start, end, text and words. Each word takes an equal part of its segment's time."""
TEXT = "The boiler room wall is wet. Order drywall."
MODEL = "whisper-test"


@dataclass
class WhisperServer:
    """Where it listens, and each request it got: the form's fields, and the seconds of sound in its file."""

    url: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    fault: Fault | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def whisper_server(
    *, dialect: Dialect = "speaches", fault: Fault | None = None
) -> AsyncIterator[WhisperServer]:
    """Serve on a free port. `fault` may be changed while it runs."""
    server = WhisperServer(fault=fault)

    async def answer(request: web.Request) -> web.StreamResponse:
        form = await request.post()
        call: dict[str, Any] = {name: form.getall(name) for name in form if name != "file"}
        call["seconds"] = _seconds(form.get("file"))
        server.calls.append(call)
        server.asked.set()
        if server.fault:
            return await _fail(request, server.fault, dialect)
        return DIALECTS[dialect](call)

    app = web.Application(client_max_size=1 << 30)
    app.router.add_post("/v1/audio/transcriptions", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


def _seconds(upload: Any) -> float | None:
    """None if the file is no sound."""
    try:
        with wave.open(io.BytesIO(upload.file.read())) as sound:
            return sound.getnframes() / sound.getframerate() or None
    except (AttributeError, EOFError, wave.Error):
        return None


def speaches(call: dict[str, Any]) -> web.Response:
    """FastAPI errors; OpenAI's shape with words beside the segments, each with its leading space."""
    if call["model"] != [MODEL]:
        return _fastapi(
            404, f"Model '{call['model'][0]}' is not installed locally. You can download the model …"
        )
    if call["seconds"] is None:
        return _fastapi(415, "Failed to decode audio. The provided file type is not supported.")
    granularities = call["timestamp_granularities[]"]
    segments = [
        _openai_segment(number, start, end, text) | {"avg_logprob": -0.2, "no_speech_prob": 0.01}
        for number, (start, end, text, _) in enumerate(SAID)
    ]
    words = [word for said in SAID for word in _timed(said)] if "word" in granularities else None
    reply = {
        "language": "en",
        "duration": call["seconds"],
        "text": TEXT,
        "segments": segments,
        "words": words,
    }
    return web.json_response(reply | {"usage": None})


def whisper_cpp(call: dict[str, Any]) -> web.Response:
    """Tokens, not words, inside the segments; the language by name; errors overwritten by plain text."""
    if call["seconds"] is None:
        return web.Response(status=400, text="Invalid request", content_type="text/plain")
    segments: list[dict[str, Any]] = []
    for number, said in enumerate(SAID):
        tokens = [token for word in _timed(said) for token in _tokens(word)]
        segments.append(
            {
                "id": number,
                "text": said[2],
                "start": said[0],
                "end": said[1],
                "tokens": [1, 2],
                "words": tokens,
            }
            | {"temperature": 0.0, "avg_logprob": -0.3, "no_speech_prob": 1e-10}
        )
    reply = {"task": "transcribe", "language": "english", "duration": call["seconds"], "segments": segments}
    text = "\n".join(said[2] for said in SAID) + "\n"
    return web.json_response(
        reply | {"text": text, "detected_language": "english", "language_probabilities": {"en": 0.99}}
    )


def vllm(call: dict[str, Any]) -> web.Response:
    """No words, the duration as text, nested errors."""
    if call["model"] != [MODEL]:
        return _vllm_error(404, "NotFoundError", f"The model `{call['model'][0]}` does not exist.")
    if call["seconds"] is None:
        return _vllm_error(400, "BadRequestError", "Invalid or unsupported audio file.")
    segments = [
        _openai_segment(number, start, end, text) | {"avg_logprob": -0.25, "no_speech_prob": None}
        for number, (start, end, text, _) in enumerate(SAID)
    ]
    text = "".join(said[2] for said in SAID)
    return web.json_response(
        {
            "duration": str(call["seconds"]),
            "language": "en",
            "text": text,
            "segments": segments,
            "words": None,
        }
    )


def vllm_0_10(call: dict[str, Any]) -> web.Response:
    """Text alone: asked for times it refuses, with a flat error body."""
    if call["response_format"] != ["json"]:
        message = "Currently only support response_format `text` or `json`"
        return web.json_response(
            {"object": "error", "message": message, "type": "BadRequestError", "param": None, "code": 400},
            status=400,
        )
    return web.json_response({"text": " " + TEXT, "usage": {"type": "duration", "seconds": 5}})


DIALECTS = {"speaches": speaches, "whisper.cpp": whisper_cpp, "vllm": vllm, "vllm-0.10": vllm_0_10}


def _openai_segment(number: int, start: float, end: float, text: str) -> dict[str, Any]:
    times = {"id": number, "seek": 0, "start": start, "end": end, "text": text}
    return times | {"tokens": [50364, 440], "temperature": 0.0, "compression_ratio": 1.1}


def _timed(said: tuple[float, float, str, tuple[str, ...]]) -> list[dict[str, Any]]:
    start, end, _, words = said
    part = (end - start) / len(words)
    return [
        {"word": word, "start": start + n * part, "end": start + (n + 1) * part}
        for n, word in enumerate(words)
    ]


def _tokens(word: dict[str, Any]) -> list[dict[str, Any]]:
    """As whisper.cpp gives them: a long word in two pieces, a full stop on its own."""
    text, start, end = word["word"], word["start"], word["end"]
    cuts = sorted({0, *((5,) if len(text.rstrip(".")) > 6 else ()), len(text.rstrip(".")), len(text)})
    pieces = [text[a:b] for a, b in itertools.pairwise(cuts)]
    middle = (start + end) / 2
    return [
        {"word": piece, "start": middle if n else start, "end": end, "t_dtw": -1, "probability": 0.9 - n / 10}
        for n, piece in enumerate(pieces)
    ]


def _fastapi(status: int, detail: str) -> web.Response:
    return web.json_response({"detail": detail}, status=status)


def _vllm_error(status: int, kind: str, message: str) -> web.Response:
    return web.json_response(
        {"error": {"message": message, "type": kind, "param": None, "code": status}}, status=status
    )


async def _fail(request: web.Request, fault: Fault, dialect: Dialect) -> web.StreamResponse:
    match fault:
        case "slow":
            await asyncio.sleep(3600)
        case "no answer" if request.transport:
            request.transport.abort()
        case "dropped" | "huge":
            return await _pour(request, fault)
    status, media_type, text = FAILURES.get((dialect, fault)) or FAILURES[fault]
    return web.Response(status=status, content_type=media_type, text=text)


FAILURES: dict[Any, tuple[int, str, str]] = {
    "500": (500, "text/plain", "Internal Server Error"),
    ("vllm", "500"): (
        500,
        "application/json",
        '{"error": {"message": "EngineCore died.", "type": "InternalServerError"}}',
    ),
    "503": (503, "application/json", '{"status": "loading model"}'),
    "403": (403, "application/json", '{"detail": "API key required. Please provide an API key …"}'),
    "too long": (
        400,
        "application/json",
        '{"error": {"message": "Maximum file size exceeded (parameter=audio_filesize_mb, value=26.1)", "code": 400}}',
    ),
    "junk": (200, "application/json", '{"text": "half'),
    "html": (200, "text/html", "<html><body>Welcome to nginx!</body></html>"),
    "error in 200": (200, "application/json", '{"error": "failed to process audio"}'),
    "silence": (
        200,
        "application/json",
        '{"language": "en", "duration": 5.0, "text": "", "segments": [], "words": []}',
    ),
    "slow": (500, "text/plain", ""),
    "no answer": (500, "text/plain", ""),
}


async def _pour(request: web.Request, fault: Fault) -> web.StreamResponse:
    """Half an answer and then nothing, or an answer of 100 MB."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = 100 << 20
    await response.prepare(request)
    await response.write(b'{"text": "')
    for _ in range(100 if fault == "huge" else 1):
        await response.write(b"x" * (1 << 20))
    assert request.transport
    request.transport.abort()
    return response
