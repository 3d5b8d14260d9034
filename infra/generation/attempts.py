"""What every adapter does alike: the first token in time, one more try before it, and answers that fit a shape."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from infra.generation import (
    GenerationBroken,
    GenerationFailed,
    GenerationUnavailable,
    Piece,
    Shape,
    Turn,
    Usage,
)

FIRST_TOKEN = 60.0
"""Seconds until the first token: a large model may have to be loaded."""
PAUSE = 0.25
"""Seconds before the second try."""

Source = Callable[[], AsyncIterator[Piece]]
"""One try. It says `Piece("")` when the model is at work without having written anything yet."""


async def patiently(attempt: Source, *, first: float = FIRST_TOKEN) -> AsyncIterator[Piece]:
    """The pieces of one try, or of a second one when the server fails before the first piece.

    A server that is silent for `first` seconds is not asked again: it is still busy with the first question.
    """
    for last in (False, True):
        began = False
        try:
            async with aclosing(_in_time(attempt(), first)) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    if piece.text or piece.usage or piece.cut:
                        began = began or bool(piece.text)
                        yield piece
            return
        except GenerationUnavailable as away:
            if began:
                raise GenerationBroken(f"The answer broke off: {away.detail}") from away
            if last or away.code != "AI_UNAVAILABLE":
                raise
        await asyncio.sleep(PAUSE)


async def _in_time(pieces: AsyncIterator[Piece], first: float) -> AsyncIterator[Piece]:
    async with aclosing(pieces):  # type: ignore[type-var]
        try:
            async with asyncio.timeout(first):
                piece = await anext(pieces, None)
        except TimeoutError:
            raise GenerationUnavailable(
                "AI_TIMEOUT", f"The model has not begun to answer within {first:g} seconds."
            ) from None
        if piece is None:
            return
        yield piece
        async for piece in pieces:
            yield piece


async def fitting(
    ask: Callable[[Sequence[Turn]], AsyncIterator[Piece]], turns: Sequence[Turn], shape: type[Shape]
) -> tuple[Shape, Usage]:
    """An answer of `ask` that fits a struct; one that does not goes back once, with what is wrong with it."""
    text, usage = await _whole(ask(turns))
    try:
        return msgspec.json.decode(text, type=shape), usage
    except (msgspec.DecodeError, RecursionError) as wrong:
        again = (*turns, Turn("assistant", text or "{}"), Turn("user", _objection(wrong)))
    text, more = await _whole(ask(again))
    try:
        return msgspec.json.decode(text, type=shape), _sum(usage, more)
    except (msgspec.DecodeError, RecursionError) as wrong:
        raise GenerationFailed(f"The model's answer does not fit, nor does its second one: {wrong}") from None


def schema_of(shape: type[Any]) -> dict[str, Any]:
    """The JSON schema of a struct, an object at the outermost level."""
    schema = msgspec.json.schema(shape)
    inner = schema.get("$defs", {})
    top = inner.get(schema.get("$ref", "").rpartition("/")[2], schema)
    return {**top, "$defs": inner} if len(inner) > 1 or top is schema else dict(top)


def _objection(wrong: Exception) -> str:
    return f"That does not fit: {wrong}. Answer again with nothing but JSON that fits the schema."


async def _whole(pieces: AsyncIterator[Piece]) -> tuple[str, Usage]:
    text, usage = [], Usage()
    async with aclosing(pieces):  # type: ignore[type-var]
        async for piece in pieces:
            text.append(piece.text)
            usage = piece.usage or usage
    return "".join(text), usage


def _sum(one: Usage, other: Usage) -> Usage:
    def add(a: int | None, b: int | None) -> int | None:
        return b if a is None else a + (b or 0)

    return Usage(
        prompt_tokens=add(one.prompt_tokens, other.prompt_tokens),
        completion_tokens=add(one.completion_tokens, other.completion_tokens),
    )
