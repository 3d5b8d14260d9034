"""Questions and answers with citations, as methods of the client."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import msgspec

from app.chat.answer_views import AnswerView, ChatBody, ChatSummary, ChunkView, Fault, SourcesView
from app.client.errors import Refused, Unreachable
from app.client.sse import blocks
from app.client.transport import AWAY, Transport, json_body
from app.search.views import ScopeBody

Told: TypeAlias = SourcesView | ChunkView | AnswerView
"""What is read for an answer, its pieces as they are written, and in the end the whole, its citations checked."""

EVERYWHERE = ScopeBody()
UNAVAILABLE = 503


class Answers:
    """Every method raises `Refused` or `Unreachable`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def ask(
        self,
        question: str,
        *,
        scope: ScopeBody = EVERYWHERE,
        model: str | None = None,
        chat: UUID | None = None,
        key: str | None = None,
    ) -> AnswerView:
        """The answer; without citations when it is not known. `chat` is the answer that the question follows."""
        body = json_body(ChatBody(question=question, scope=scope, model=model, chat_id=chat))
        return await self._transport.send("POST", "/v1/chat", AnswerView, key=key or uuid4().hex, body=body)

    async def stream(
        self,
        question: str,
        *,
        scope: ScopeBody = EVERYWHERE,
        model: str | None = None,
        chat: UUID | None = None,
        key: str | None = None,
    ) -> AsyncGenerator[Told]:
        """The same as it is made. Ends with the whole answer, which counts, also when a connection broke before."""
        asked, key = ChatBody(question=question, scope=scope, model=model, chat_id=chat), key or uuid4().hex
        patience = self._transport.patience
        for attempt in range(1, patience.attempts + 1):
            pause = patience.delay(attempt)
            try:
                async with aclosing(self._once(asked, key)) as told:
                    async for each in told:
                        yield each
                        if isinstance(each, AnswerView):
                            return
                raise ConnectionResetError("the answer broke off")
            except Refused as no:
                if not no.perhaps_later or attempt == patience.attempts:
                    raise
                pause = patience.delay(attempt, no.retry_after)
            except AWAY as away:
                if attempt == patience.attempts:
                    raise Unreachable(attempt, away) from away
            await asyncio.sleep(pause)

    async def answer(self, answer_id: UUID) -> AnswerView:
        """An answer, and exactly what it was made of."""
        return await self._transport.get(f"/v1/chats/{answer_id}", AnswerView)

    async def all(self, *, mine: bool = False) -> AsyncIterator[ChatSummary]:
        """Questions and answers, newest first, page after page."""
        async for each in self._transport.pages("/v1/chats", ChatSummary, mine=str(mine).lower()):
            yield each

    async def delete(self, answer_id: UUID) -> None:
        """Delete it for good."""
        await self._transport.send("DELETE", f"/v1/chats/{answer_id}", Any, key=None)

    async def _once(self, asked: ChatBody, key: str) -> AsyncGenerator[Told]:
        """One attempt. A question that was sent before is answered at once, or as soon as it is known."""
        async with self._transport.streaming("/v1/chat", method="POST", content=asked, key=key) as answer:
            if answer.content_type != "text/event-stream":
                yield msgspec.json.decode(await answer.read(), type=AnswerView)
                return
            async with aclosing(blocks(answer)) as told:
                async for block in told:
                    yield _read(block.event, block.data)


def _read(event: str, data: str) -> Told:
    match event:
        case "sources":
            return msgspec.json.decode(data, type=SourcesView)
        case "chunk":
            return msgspec.json.decode(data, type=ChunkView)
        case "error" if "id" not in msgspec.json.decode(data):
            fault = msgspec.json.decode(data, type=Fault)
            raise Refused(UNAVAILABLE, fault.code, fault.detail)
    return msgspec.json.decode(data, type=AnswerView)
