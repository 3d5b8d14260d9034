"""Passages of made-up sources, and a model that says what a test wants."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from infra.chunking.spans import spans
from infra.generation import GenerationFailed, GenerationUnavailable, Model, Piece, Turn, Usage
from infra.retrieval import Hit
from infra.retrieval.citations import Passage


def hit(text: str, n: int = 0, *, source: int = 1, start: int = 0) -> Hit:
    return Hit(
        kind="session",
        source_id=UUID(int=source),
        n=n,
        job_id=None,
        session_id=None,
        collection_id=None,
        text=text,
        start_char=start,
        end_char=start + len(text),
        start=0.0,
        end=1.0,
        page=None,
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        score=0.5,
        similarity=0.5,
        coverage=0.5,
        near_place=1,
        said_place=1,
        fused=0.5,
        freshness=1.0,
        target=0,
    )


def passages(*texts: str) -> tuple[Passage, ...]:
    """One passage a text, each of a source of its own."""
    return tuple(
        Passage(n, hit(text, source=n), f"Note {n}", "jobsite", "index")
        for n, text in enumerate(texts, start=1)
    )


def passages_of(text: str) -> tuple[Passage, ...]:
    """A text as it would be found: in chunks."""
    return tuple(
        Passage(n + 1, hit(text[first:last], n, start=first), "Walkthrough", "jobsite", "index")
        for n, (first, last) in enumerate(spans(text))
    )


class Writer:
    """Says the same to every question, in two pieces; `None` in the place of a text is a failure."""

    model = "writer"

    def __init__(self, *texts: str | None, away: bool = False) -> None:
        self.texts = texts
        self.away = away
        self.asked: list[Sequence[Turn]] = []

    async def stream(self, turns: Sequence[Turn], **_: Any) -> AsyncIterator[Piece]:
        self.asked.append(turns)
        for text in self.texts:
            if text is None:
                raise GenerationFailed("It broke off.")
            yield Piece(text)
        yield Piece("", Usage(prompt_tokens=10, completion_tokens=5))

    async def structured(self, turns: Sequence[Turn], shape: type[Any], *, model: str | None = None) -> Any:
        raise AssertionError("an answer is streamed")

    async def about(self, model: str | None = None) -> Model:
        if self.away:
            raise GenerationUnavailable("AI_UNAVAILABLE", "Nobody answers there.")
        return Model(name="writer", provider="ollama", digest="d1")

    async def models(self) -> tuple[Model, ...]:
        return ()

    async def close(self) -> None:
        """Nothing to let go of."""
