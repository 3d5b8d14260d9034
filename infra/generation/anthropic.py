"""Claude, through Anthropic's own client: the optional extra `claude`."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import anthropic
import httpx2

from infra.generation import GenerationFailed, GenerationUnavailable, Model, Piece, Shape, Turn, Usage
from infra.generation.attempts import FIRST_TOKEN, fitting, patiently, schema_of

WINDOW = 200_000
"""Tokens that every current model reads; the server does not tell."""
SILENCE = 60.0
TOOL = "answer"
REFUSED = frozenset({400, 413, 422})


class Claude:
    """Anthropic's models; `model` answers unless another is named."""

    def __init__(
        self,
        api_key: str,
        model: str,
        *,
        max_tokens: int,
        url: str | None = None,
        first_token: float = FIRST_TOKEN,
    ) -> None:
        timeout = anthropic.Timeout(SILENCE, connect=10.0, read=max(SILENCE, first_token + 1))
        self._client = anthropic.AsyncAnthropic(api_key=api_key, base_url=url, max_retries=0, timeout=timeout)
        self._max_tokens = max_tokens
        self._first_token = first_token
        self.model = model

    def stream(
        self,
        turns: Sequence[Turn],
        *,
        model: str | None = None,
        temperature: float = 0.0,
        most: int | None = None,
    ) -> AsyncIterator[Piece]:
        asked = {"max_tokens": min(most or self._max_tokens, self._max_tokens)}  # it takes no temperature
        return self._asked(turns, model or self.model, asked)

    async def structured(
        self, turns: Sequence[Turn], shape: type[Shape], *, model: str | None = None
    ) -> tuple[Shape, Usage]:
        tool = {"name": TOOL, "description": "Takes your answer.", "input_schema": schema_of(shape)}
        asked = {
            "max_tokens": self._max_tokens,
            "tools": [tool],
            "tool_choice": {"type": "tool", "name": TOOL},
        }
        return await fitting(lambda said: self._asked(said, model or self.model, asked), turns, shape)

    def _asked(self, turns: Sequence[Turn], model: str, asked: dict[str, Any]) -> AsyncIterator[Piece]:
        return patiently(lambda: self._attempt(turns, model, asked), first=self._first_token)

    async def _attempt(
        self, turns: Sequence[Turn], model: str, asked: dict[str, Any]
    ) -> AsyncIterator[Piece]:
        read: int | None = None
        done = False
        try:
            async with await self._client.messages.create(
                model=model, stream=True, **asked, **conversation(turns)
            ) as events:
                async for event in events:
                    match event.type:
                        case "message_start":
                            read = event.message.usage.input_tokens
                        case "content_block_delta":
                            delta = event.delta
                            yield Piece(getattr(delta, "text", "") or getattr(delta, "partial_json", ""))
                        case "message_delta":
                            usage = Usage(prompt_tokens=read, completion_tokens=event.usage.output_tokens)
                            yield Piece("", usage, cut=event.delta.stop_reason == "max_tokens")
                        case "message_stop":
                            done = True
        except (anthropic.AnthropicError, httpx2.HTTPError, OSError, ValueError, AttributeError) as failure:
            raise explained(failure, model) from failure
        if not done:
            raise GenerationUnavailable("AI_UNAVAILABLE", "Claude ended the answer early.")

    async def about(self, model: str | None = None) -> Model:
        return Model(name=model or self.model, provider="claude", context_tokens=WINDOW)

    async def models(self) -> tuple[Model, ...]:
        try:
            page = await self._client.models.list(limit=100)
        except (anthropic.AnthropicError, httpx2.HTTPError, OSError, ValueError) as failure:
            raise _unavailable(failure, self.model) from failure
        return tuple(Model(name=each.id, provider="claude", context_tokens=WINDOW) for each in page.data)

    async def close(self) -> None:
        await self._client.close()


def conversation(turns: Sequence[Turn]) -> dict[str, Any]:
    """Turns as Claude takes them: what the system says apart, then user and assistant by turns, the user first."""
    messages: list[dict[str, str]] = []
    for turn in turns:
        if turn.role == "system" or not turn.content.strip():
            continue
        if messages and messages[-1]["role"] == turn.role:
            messages[-1]["content"] += f"\n\n{turn.content}"
        else:
            messages.append({"role": turn.role, "content": turn.content})
    if not messages or messages[0]["role"] != "user":
        messages.insert(0, {"role": "user", "content": "Go on."})
    if messages[-1]["role"] == "assistant":
        messages.append({"role": "user", "content": "Go on."})
    system = "\n\n".join(turn.content for turn in turns if turn.role == "system")
    return {"messages": messages, **({"system": system} if system else {})}


def explained(failure: Exception, model: str) -> GenerationUnavailable | GenerationFailed:
    """What went wrong, so that somebody can mend it."""
    if isinstance(failure, anthropic.APIStatusError) and failure.status_code in REFUSED:
        return GenerationFailed(f"Claude refuses the question: {_said(failure)}")
    return _unavailable(failure, model)


def _unavailable(failure: Exception, model: str) -> GenerationUnavailable:
    match failure:
        case anthropic.AuthenticationError() | anthropic.PermissionDeniedError():
            return GenerationUnavailable("AI_UNAVAILABLE", "Claude does not take the key in CLAUDE_API_KEY.")
        case anthropic.NotFoundError():
            return GenerationUnavailable(
                "AI_MODEL_MISSING", f"Claude has no model {model}. Set CLAUDE_MODEL to one that it has."
            )
        case anthropic.APIStatusError():
            return GenerationUnavailable(
                "AI_UNAVAILABLE", f"Claude answered {failure.status_code}: {_said(failure)}"
            )
        case anthropic.APITimeoutError() | httpx2.TimeoutException():
            return GenerationUnavailable("AI_TIMEOUT", "Claude has fallen silent.")
        case json.JSONDecodeError() | ValueError() | AttributeError():
            return GenerationUnavailable("AI_UNAVAILABLE", "What answers does not speak as Claude does.")
    return GenerationUnavailable("AI_UNAVAILABLE", f"Claude cannot be reached ({type(failure).__name__}).")


def _said(failure: anthropic.APIStatusError) -> str:
    body = failure.body
    error = body.get("error", body) if isinstance(body, dict) else {}
    return str(error.get("message", failure.message) if isinstance(error, dict) else error)[:200]
