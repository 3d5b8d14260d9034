"""Models that an Ollama server runs."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import httpx
from ollama import AsyncClient, ChatResponse, ResponseError

from infra.generation import GenerationFailed, GenerationUnavailable, Model, Piece, Shape, Turn, Usage
from infra.generation.attempts import FIRST_TOKEN, fitting, patiently, schema_of
from infra.generation.tokens import estimate_turns

SILENCE = 60.0
"""Seconds between two tokens after which an answer has broken off."""
REMEMBERED = 300.0
"""Seconds for which what is known of a model is believed."""
SMALLEST_WINDOW = 8192
ROOM = 4096
"""Tokens kept for an answer whose length is not limited."""

CONNECTIONS = httpx.Limits(max_connections=None, max_keepalive_connections=32)
"""As many as there are questions: who asks keeps their number low, and none waits here for another one's answer."""


class Ollama:
    """One server; `model` answers unless another of its models is named."""

    def __init__(self, url: str, model: str, *, first_token: float = FIRST_TOKEN) -> None:
        timeout = httpx.Timeout(SILENCE, connect=5.0, read=max(SILENCE, first_token + 1))
        self._client = AsyncClient(host=url, timeout=timeout, limits=CONNECTIONS)
        self._first_token = first_token
        self._known: dict[str, tuple[float, Model]] = {}
        self.model = model

    def stream(
        self,
        turns: Sequence[Turn],
        *,
        model: str | None = None,
        temperature: float = 0.0,
        most: int | None = None,
    ) -> AsyncIterator[Piece]:
        options = {"temperature": temperature, **({"num_predict": most} if most else {})}
        return self._asked(turns, model or self.model, options, None)

    async def structured(
        self, turns: Sequence[Turn], shape: type[Shape], *, model: str | None = None
    ) -> tuple[Shape, Usage]:
        schema, name = schema_of(shape), model or self.model
        return await fitting(lambda said: self._asked(said, name, {"temperature": 0.0}, schema), turns, shape)

    def _asked(
        self, turns: Sequence[Turn], model: str, options: dict[str, Any], schema: dict[str, Any] | None
    ) -> AsyncIterator[Piece]:
        return patiently(lambda: self._attempt(turns, model, options, schema), first=self._first_token)

    async def _attempt(
        self, turns: Sequence[Turn], model: str, options: dict[str, Any], schema: dict[str, Any] | None
    ) -> AsyncIterator[Piece]:
        done = False
        try:
            parts = await self._client.chat(
                model,
                [{"role": turn.role, "content": turn.content} for turn in turns],
                stream=True,
                format=schema,
                options={**options, **await self._window(turns, model, options)},
            )
            async with aclosing(parts):  # type: ignore[type-var]
                async for part in parts:
                    done = bool(part.done)
                    yield _piece(part)
        except (ResponseError, httpx.HTTPError, OSError, ValueError, TypeError, AttributeError) as failure:
            raise explained(failure, model) from failure
        if not done:
            raise GenerationUnavailable("AI_UNAVAILABLE", "The model server ended the answer early.")

    async def _window(
        self, turns: Sequence[Turn], model: str, options: Mapping[str, Any]
    ) -> Mapping[str, int]:
        """Ollama cuts off whatever exceeds the window it was told, which is small unless it is told."""
        try:
            known = (await self.about(model)).context_tokens
        except GenerationUnavailable as away:
            if away.code == "AI_MODEL_MISSING":
                raise
            return {}
        needed = estimate_turns(turns) + options.get("num_predict", ROOM)
        size = (
            1 << (max(needed, SMALLEST_WINDOW) - 1).bit_length()
        )  # a new size loads the model again: few sizes
        return {"num_ctx": min(size, known)} if known else {}

    async def about(self, model: str | None = None) -> Model:
        name = model or self.model
        asked, known = self._known.get(name, (0.0, None))
        if known and time.monotonic() - asked < REMEMBERED:
            return known
        try:
            async with asyncio.timeout(self._first_token):
                shown, listed = await asyncio.gather(self._client.show(name), self._client.list())
        except TimeoutError:
            raise GenerationUnavailable(
                "AI_TIMEOUT", "The model server does not say what it has. Ask again."
            ) from None
        except (ResponseError, httpx.HTTPError, OSError, ValueError, TypeError) as failure:
            raise _unavailable(failure, name) from failure
        digests = {each.model: each.digest for each in listed.models}
        info: Mapping[str, Any] = shown.modelinfo or {}
        length = info.get(f"{info.get('general.architecture')}.context_length")
        found = Model(
            name=name,
            provider="ollama",
            digest=digests.get(name) or digests.get(f"{name}:latest"),
            context_tokens=length if isinstance(length, int) and length > 0 else None,
        )
        self._known[name] = (time.monotonic(), found)
        return found

    async def models(self) -> tuple[Model, ...]:
        try:
            async with asyncio.timeout(self._first_token):
                listed = await self._client.list()
        except TimeoutError:
            raise GenerationUnavailable(
                "AI_TIMEOUT", "The model server does not say what it has. Ask again."
            ) from None
        except (ResponseError, httpx.HTTPError, OSError, ValueError, TypeError) as failure:
            raise _unavailable(failure, self.model) from failure
        known = {name: model.context_tokens for name, (_, model) in self._known.items()}
        return tuple(
            Model(
                name=each.model,
                provider="ollama",
                digest=each.digest,
                context_tokens=known.get(each.model) or known.get(each.model.removesuffix(":latest")),
            )
            for each in listed.models
            if each.model
        )

    async def close(self) -> None:
        await self._client.close()  # type: ignore[no-untyped-call]


def _piece(part: ChatResponse) -> Piece:
    text = part.message.content or ""
    if not part.done:
        return Piece(text)
    usage = Usage(prompt_tokens=part.prompt_eval_count, completion_tokens=part.eval_count)
    return Piece(text, usage, cut=part.done_reason == "length")


def explained(failure: Exception, model: str) -> GenerationUnavailable | GenerationFailed:
    """What went wrong, so that somebody can mend it; a question that is refused for what it is has failed."""
    if isinstance(failure, GenerationUnavailable):
        return failure
    if isinstance(failure, ResponseError) and failure.status_code in {400, 413, 422}:
        return GenerationFailed(f"Ollama refuses the question: {failure.error[:200]}")
    return _unavailable(failure, model)


def _unavailable(failure: Exception, model: str) -> GenerationUnavailable:
    match failure:
        case ResponseError(status_code=404):
            return GenerationUnavailable(
                "AI_MODEL_MISSING", f"The model {model} is not on the model server. Run: ollama pull {model}"
            )
        case ResponseError(status_code=status) as refused:
            said = f"Ollama answered {status}" if status > 0 else "Ollama gave up"
            return GenerationUnavailable("AI_UNAVAILABLE", f"{said}: {refused.error[:200]}")
        case httpx.ReadTimeout():
            return GenerationUnavailable("AI_TIMEOUT", "The model server has fallen silent.")
        case httpx.ConnectError() | httpx.ConnectTimeout() | OSError():
            return GenerationUnavailable(
                "AI_UNAVAILABLE",
                "Nobody answers at OLLAMA_URL. Start Ollama there, or set OLLAMA_URL to where it runs.",
            )
        case httpx.HTTPError():
            return GenerationUnavailable(
                "AI_UNAVAILABLE", f"The connection to the model server broke ({type(failure).__name__})."
            )
    return GenerationUnavailable(
        "AI_UNAVAILABLE", "What answers at OLLAMA_URL does not speak as Ollama does."
    )
