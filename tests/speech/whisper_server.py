"""A Whisper server on loopback that speaks the wire format as three real ones do, and fails as they do."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from tests.speech.dialects import DIALECTS, MODEL, TEXT, Dialect

__all__ = ["MODEL", "TEXT", "Dialect", "Fault", "WhisperServer", "whisper_server"]

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


@dataclass
class WhisperServer:
    """Where it listens, and each request it got: the form's fields, and the seconds of sound in its file."""

    url: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    fault: Fault | None = None
    says: dict[str, str] = field(default_factory=dict)
    """What is heard by which model, instead of what the dialects have; also models that these do not know."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    pace: float = 0.0
    """Seconds of work for each second of sound."""
    gate: asyncio.Event | None = None
    """While it is there and not set, answers wait."""


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
        await asyncio.sleep(server.pace * (call["seconds"] or 0.0))
        if server.gate:
            await server.gate.wait()
        if server.fault:
            return await _fail(request, server.fault, dialect)
        if said := server.says.get(call["model"][0]):
            return _heard(said, call["seconds"] or 0.0)
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


def _heard(said: str, seconds: float) -> web.Response:
    """One segment for each line, all of the same length."""
    lines = said.splitlines()
    length = seconds / len(lines)
    segments = [
        {"id": n, "start": n * length, "end": (n + 1) * length, "text": f" {line}"}
        for n, line in enumerate(lines)
    ]
    return web.json_response({"language": "en", "duration": seconds, "text": said, "segments": segments})


def _seconds(upload: Any) -> float | None:
    """None if the file is no sound."""
    try:
        with wave.open(io.BytesIO(upload.file.read())) as sound:
            return sound.getnframes() / sound.getframerate() or None
    except (AttributeError, EOFError, wave.Error):
        return None


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
