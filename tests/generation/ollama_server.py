"""A model server on loopback: Ollama's wire format, what a test has scripted, and the faults of real ones."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

MODEL = "tiny"
OTHER = "other"
WINDOW = 8192
DIGEST = "sha256:" + "ab" * 32
DIMENSIONS = 8

Fault = Literal["missing", "error", "refused", "dropped", "error in stream", "junk", "html", "ends early"]
"""`dropped`, `error in stream`, `junk` and `ends early` come after the pieces, the others instead of them."""


@dataclass
class Say:
    """An answer: its pieces, with a pause before each, and what goes wrong."""

    pieces: Sequence[str] = ()
    delay: float = 0.0
    first: float = 0.0
    """Seconds until the first piece, or until the fault."""
    fault: Fault | None = None
    hold: asyncio.Event | None = None
    """The last piece is said once this is set."""
    reason: str = "stop"


Answer = str | Say | dict[str, Any] | list[Any]
"""A text is said word by word; what is no text is said as JSON."""
When = str | Callable[[dict[str, Any]], bool]


@dataclass
class OllamaServer:
    """Where it listens, each request it got, and what it says to whom."""

    url: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    """Bodies of /api/chat."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    closed: int = 0
    """Answers that the client did not hear to the end."""
    down: bool = False
    """It answers 503 to everything."""
    _rules: list[tuple[When, list[Answer]]] = field(default_factory=list)

    @contextmanager
    def says(self, when: When, *answers: Answer) -> Iterator[None]:
        """Within this, questions that contain a text (or pass a test) get these answers in turn, the last for ever."""
        rule = (when, list(answers))
        self._rules.insert(0, rule)
        try:
            yield
        finally:
            self._rules.remove(rule)

    def called(self, text: str) -> list[dict[str, Any]]:
        """The requests of /api/chat with this text in the conversation."""
        return [each for each in self.calls if text in json.dumps(each["messages"], ensure_ascii=False)]

    def answer_to(self, body: dict[str, Any]) -> Say:
        """What is said: scripted; else what fits the schema that was asked for; else an echo."""
        for when, answers in self._rules:
            if self._fits(when, body):
                return said(answers.pop(0) if len(answers) > 1 else answers[0])
        if isinstance(body.get("format"), dict):
            return said(json.dumps(least(body["format"], body["format"])))
        last = body["messages"][-1]["content"] if body.get("messages") else ""
        return said(f"You said: {last[:200]}")

    @staticmethod
    def _fits(when: When, body: dict[str, Any]) -> bool:
        if callable(when):
            return when(body)
        return any(when in each.get("content", "") for each in body.get("messages", []))


def said(answer: Answer) -> Say:
    """An answer in pieces."""
    if isinstance(answer, Say):
        return answer
    text = answer if isinstance(answer, str) else json.dumps(answer)
    words = text.split(" ")
    return Say([word if n == 0 else f" {word}" for n, word in enumerate(words)])


def least(schema: dict[str, Any], root: dict[str, Any]) -> Any:  # noqa: PLR0911 - a case a type
    """The least that fits a JSON schema, as msgspec writes them."""
    if ref := schema.get("$ref"):
        return least(root["$defs"][ref.rpartition("/")[2]], root)
    if options := schema.get("anyOf"):
        return None if {"type": "null"} in options else least(options[0], root)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            required = schema.get("required", [])
            return {name: least(schema["properties"][name], root) for name in required}
        case "array":
            return [least(schema["items"], root)] * schema.get("minItems", 0)
        case "string":
            return "x" * schema.get("minLength", 0)
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return False
    return None


@asynccontextmanager
async def ollama_server() -> AsyncIterator[OllamaServer]:
    """Serve on a free port."""
    server = OllamaServer()
    app = web.Application(client_max_size=64 << 20)

    async def chat(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        server.calls.append(body)
        server.asked.set()
        if server.down:
            return web.json_response({"error": "loading"}, status=503)
        if body["model"].removesuffix(":latest") not in {MODEL, OTHER}:
            return missing(body["model"])
        try:
            return await _chat(request, body, server.answer_to(body))
        except (ConnectionError, asyncio.CancelledError):
            server.closed += 1
            raise

    async def show(request: web.Request) -> web.Response:
        name = (await request.json())["model"].removesuffix(":latest")
        if name not in {MODEL, OTHER}:
            return missing(name)
        info = {"general.architecture": "llama", "llama.context_length": WINDOW, "llama.embedding_length": 2}
        return web.json_response(
            {"details": {"format": "gguf", "family": "llama"}, "model_info": info,
             "capabilities": ["completion"], "modified_at": "2026-01-01T00:00:00Z"},
        )  # fmt: skip

    async def tags(_: web.Request) -> web.Response:
        if server.down:
            return web.json_response({"error": "loading"}, status=503)
        return web.json_response({"models": [_tag(MODEL, DIGEST), _tag(OTHER, "sha256:" + "cd" * 32)]})

    async def embed(request: web.Request) -> web.Response:
        body = await request.json()
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        vectors = [_vector(text) for text in texts]
        figures = {"total_duration": 1, "load_duration": 1, "prompt_eval_count": 3}
        return web.json_response({"model": body["model"], "embeddings": vectors, **figures})

    async def version(_: web.Request) -> web.Response:
        return web.json_response({"version": "0.99.0"})

    app.router.add_post("/api/chat", chat)
    app.router.add_post("/api/show", show)
    app.router.add_post("/api/embed", embed)
    app.router.add_get("/api/tags", tags)
    app.router.add_get("/api/version", version)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


def _refusal(body: dict[str, Any], fault: Fault | None) -> web.Response | None:
    match fault:
        case "missing":
            return missing(body["model"])
        case "error":
            return web.json_response({"error": "llama runner process has terminated"}, status=500)
        case "refused":
            return web.json_response({"error": "invalid options"}, status=400)
        case "html":
            return web.Response(text="<html>hello</html>", content_type="text/html")
    return None


def missing(model: str) -> web.Response:
    return web.json_response({"error": f"model '{model}' not found"}, status=404)


async def _chat(request: web.Request, body: dict[str, Any], say: Say) -> web.StreamResponse:
    await asyncio.sleep(say.first)
    if refusal := _refusal(body, say.fault):
        return refusal
    base = {"model": body["model"], "created_at": "2026-01-01T00:00:00.1Z"}
    if not body.get("stream", True):
        text = "".join(say.pieces)
        return web.json_response({**base, "message": {"role": "assistant", "content": text}, **_done(say, 1)})
    response = web.StreamResponse(headers={"content-type": "application/x-ndjson"})
    await response.prepare(request)

    async def tell(line: dict[str, Any] | bytes) -> None:
        await response.write(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")

    for n in range(len(say.pieces)):
        if say.hold and n == len(say.pieces) - 1:
            await say.hold.wait()
        await asyncio.sleep(say.delay)
        piece = say.pieces[n]  # made when it is said, where it tells when that was
        await tell({**base, "message": {"role": "assistant", "content": piece}, "done": False})
    match say.fault:
        case "dropped":
            assert request.transport
            request.transport.close()
            return response
        case "error in stream":
            await tell({"error": "an error was encountered while running the model"})
        case "junk":
            await tell(b'{"model": "tiny", "mess\n')
        case None:
            figures = _done(say, len(say.pieces), sum(len(each["content"]) for each in body["messages"]))
            await tell({**base, "message": {"role": "assistant", "content": ""}, **figures})
    await response.write_eof()
    return response


def _done(say: Say, tokens: int, read: int = 4) -> dict[str, Any]:
    return {"done": True, "done_reason": say.reason, "total_duration": 9, "load_duration": 1,
            "prompt_eval_count": read, "prompt_eval_duration": 2, "eval_count": tokens, "eval_duration": 3}  # fmt: skip


def _tag(name: str, digest: str) -> dict[str, Any]:
    details = {"parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"],
               "parameter_size": "1B", "quantization_level": "Q4_0"}  # fmt: skip
    return {"name": f"{name}:latest", "model": f"{name}:latest", "modified_at": "2026-01-01T00:00:00.5Z",
            "size": 1, "digest": digest.removeprefix("sha256:"), "details": details}  # fmt: skip


def _vector(text: str) -> list[float]:
    """The same for the same text."""
    return [byte / 255 + 0.01 for byte in hashlib.sha256(text.encode()).digest()[:DIMENSIONS]]
