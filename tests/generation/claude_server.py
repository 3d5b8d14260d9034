"""Claude's wire format on loopback: messages as Server-Sent Events, models, and errors as they come."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

MODEL = "claude-test"
KEY = "key-of-claude"
Fault = Literal["overloaded", "dropped", "error in stream", "refused", "ends early"]


@dataclass
class ClaudeServer:
    """What it says, and each request it got."""

    url: str = ""
    pieces: list[str] = field(default_factory=lambda: ["Hello", " there"])
    fault: Fault | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)
    stop: str = "end_turn"


@asynccontextmanager
async def claude_server() -> AsyncIterator[ClaudeServer]:
    """Serve on a free port."""
    server = ClaudeServer()

    async def messages(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        server.calls.append(body)
        if KEY not in (request.headers.get("x-api-key"), request.headers.get("authorization", "")[7:]):
            return _error(401, "authentication_error", "invalid x-api-key")
        if body["model"] != MODEL:
            return _error(404, "not_found_error", f"model: {body['model']}")
        if server.fault == "overloaded":
            return _error(529, "overloaded_error", "Overloaded")
        if server.fault == "refused":
            return _error(400, "invalid_request_error", "prompt is too long")
        return await _stream(request, server)

    async def models(_: web.Request) -> web.Response:
        model = {"type": "model", "id": MODEL, "display_name": "Test", "created_at": "2026-01-01T00:00:00Z"}
        return web.json_response({"data": [model], "has_more": False, "first_id": MODEL, "last_id": MODEL})

    app = web.Application()
    app.router.add_post("/v1/messages", messages)
    app.router.add_get("/v1/models", models)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


def _error(status: int, kind: str, message: str) -> web.Response:
    return web.json_response({"type": "error", "error": {"type": kind, "message": message}}, status=status)


async def _stream(request: web.Request, server: ClaudeServer) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    body = server.calls[-1]

    async def tell(kind: str, **more: Any) -> None:
        await response.write(f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n".encode())

    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": MODEL,
               "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 7}}  # fmt: skip
    tool = body.get("tools")
    block = (
        {"type": "tool_use", "id": "t", "name": "answer", "input": {}}
        if tool
        else {"type": "text", "text": ""}
    )
    await tell("message_start", message=message)
    await tell("content_block_start", index=0, content_block=block)
    await tell("ping")
    for piece in server.pieces:
        delta = (
            {"type": "input_json_delta", "partial_json": piece}
            if tool
            else {"type": "text_delta", "text": piece}
        )
        await tell("content_block_delta", index=0, delta=delta)
    match server.fault:
        case "dropped":
            assert request.transport
            request.transport.close()
            return response
        case "error in stream":
            await tell("error", error={"type": "overloaded_error", "message": "Overloaded"})
        case None:
            await tell("content_block_stop", index=0)
            stop = {"stop_reason": server.stop, "stop_sequence": None}
            await tell("message_delta", delta=stop, usage={"output_tokens": 2})
            await tell("message_stop")
    await response.write_eof()
    return response
