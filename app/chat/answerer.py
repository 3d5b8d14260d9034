"""Answers a question over what its asker may see: finds passages, lets them be written or quoted, saves the result."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal, cast
from uuid import UUID

from app.chat.finding import RETRIEVED, passages_of
from app.search.searcher import Searched, Searcher
from app.search.views import ScopeBody
from events.chat import AnswerAsked, AnswerScope, Reference
from handlers.chat.answer.decide import FailAnswer, RecordAnswer
from handlers.refusals import NotFound
from infra.blobs import Blobs, once
from infra.embedding import Embedder
from infra.generation import GenerationFailed, Generator, Turn
from infra.retrieval import Query
from infra.retrieval.answering import Answer, answer
from infra.retrieval.citations import Passage, hash_of
from infra.retrieval.following import merged, together
from infra.retrieval.saved import MEDIA_TYPE, SavedAnswer


@dataclass(frozen=True)
class Read:
    """Passages were found, and are read now."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True)
class Made:
    """The answer as it is to be recorded, and its words."""

    command: RecordAnswer
    saved: SavedAnswer


class Answerer:
    """Safe to use from many tasks at once."""

    def __init__(
        self,
        *,
        searcher: Searcher,
        embedder: Embedder,
        generator: Generator | None,
        blobs: Blobs,
        earlier: Callable[[UUID], Awaitable[Sequence[Turn]]],
    ) -> None:
        """`earlier` tells what was said in a conversation up to an answer."""
        self.searcher = searcher
        self._earlier = earlier
        self._embedder = embedder
        self._generator = generator
        self._blobs = blobs

    async def pieces(self, asked: AnswerAsked) -> AsyncGenerator[Read | str | Made | FailAnswer]:
        """What is read, the answer piece by piece, and last how it ended."""
        began = time.monotonic()
        sources = [each for each in self.searcher.sources if each.context in asked.contexts]
        before = await self._earlier(asked.follows) if asked.follows else ()
        asked_before = next((turn.content for turn in reversed(before) if turn.role == "user"), None)
        otherwise = together(asked_before, asked.question) if asked_before else None
        try:
            found = [
                await self.searcher.search(sources, scope_of(asked.scope), Query(text, limit=RETRIEVED))
                for text in (asked.question, otherwise)
                if text
            ]
        except NotFound as gone:
            yield FailAnswer(answer_id=asked.answer_id, code=gone.code, detail=gone.detail)
            return
        passages = merged(*[await passages_of(self.searcher, each, asked.question) for each in found])
        yield Read(passages)
        try:
            async with aclosing(
                answer(
                    asked.question,
                    passages,
                    embedder=self._embedder,
                    generator=self._generator,
                    model=asked.model,
                    before=before,
                    otherwise=otherwise,
                )
            ) as said:
                async for each in said:
                    yield each if isinstance(each, str) else await self._made(asked, found[0], each, began)
        except GenerationFailed as broken:
            yield FailAnswer(answer_id=asked.answer_id, code="GENERATION_FAILED", detail=broken.detail)

    async def ending(self, asked: AnswerAsked) -> RecordAnswer | FailAnswer:
        """The same for who is only interested in how it ends."""
        async with aclosing(self.pieces(asked)) as pieces:
            async for each in pieces:
                if isinstance(each, Made):
                    return each.command
                if isinstance(each, FailAnswer):
                    return each
        raise RuntimeError("an answer has no end")

    async def _made(self, asked: AnswerAsked, searched: Searched, made: Answer, began: float) -> Made:
        saved = SavedAnswer.of(made.text, made.citations)
        blob = await self._blobs.put(once(saved.encode()), media_type=MEDIA_TYPE)
        digest = made.model.digest if made.model else None
        command = RecordAnswer(
            answer_id=asked.answer_id,
            blob=blob.key,
            size=blob.size,
            method=cast("Literal['generated', 'extractive', 'none']", made.method),
            query=asked.question,
            references=_references(made.context),
            positions=searched.since,
            closeness=round(made.closeness, 4),
            supported=made.supported,
            embedder=self._embedder.name,
            model=made.model.name if made.model else None,
            digest=f"sha256:{digest.removeprefix('sha256:')}" if digest else None,
            prompt_hash=made.prompt_hash,
            note=made.note,
            seconds=round(time.monotonic() - began, 3),
        )
        return Made(command, saved)


def scope_of(scope: AnswerScope) -> ScopeBody:
    """Where a question looks."""
    return ScopeBody(
        job_id=scope.job_id,
        session_id=scope.session_id,
        document_id=scope.document_id,
        collections=scope.collections,
        metadata=scope.metadata,
    )


def _references(passages: Sequence[Passage]) -> tuple[Reference, ...]:
    return tuple(
        Reference(
            number=each.number,
            context=each.context,
            index=each.index,
            kind=each.hit.kind,
            source_id=each.hit.source_id,
            n=each.hit.n,
            hash=hash_of(each.hit.text),
            start_char=each.hit.start_char,
            end_char=each.hit.end_char,
            start=each.hit.start,
            end=each.hit.end,
            page=each.hit.page,
        )
        for each in passages
    )
