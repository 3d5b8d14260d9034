"""What a recording is compared with, and what contradicts it: texts with their sentences and places."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from events.ids import derived_id
from events.jobsite import Place, normalised
from infra.chunking import full_text
from infra.documents import Parsed
from infra.extractive import (
    Contradiction,
    Quantity,
    Sentence,
    contradictions,
    sentences_of_text,
    sentences_of_transcript,
)
from infra.speech import Segment
from infra.understanding import Discrepancy, Quote

GRAMMAR = "extractive"
"""The method that needs no model."""
LONGEST_QUOTE = 500
"""Characters."""


class Source(NamedTuple):
    """A recording, or the text of a file."""

    kind: Literal["session", "attachment"]
    id: UUID
    title: str
    text: str
    sentences: tuple[Sentence, ...]

    def quote(self, sentence: Sentence) -> Quote:
        """A sentence of it with its place."""
        return Quote(
            source=self.kind,
            source_id=self.id,
            title=self.title,
            text=sentence.text[:LONGEST_QUOTE],
            place=place_of(sentence),
        )


def place_of(sentence: Sentence) -> Place:
    end = min(sentence.end_char, sentence.start_char + LONGEST_QUOTE)
    return Place(
        start_char=sentence.start_char,
        end_char=end,
        start=sentence.start,
        end=sentence.end,
        page=sentence.page,
    )


async def recording(session_id: UUID, title: str, segments: Sequence[Segment]) -> Source:
    """What was said in a session, as corrected."""
    sentences = await asyncio.to_thread(sentences_of_transcript, segments)
    return Source("session", session_id, title, full_text(segments), sentences)


async def document(attachment_id: UUID, title: str, parsed: Parsed) -> Source:
    """What a file says."""
    sentences = await asyncio.to_thread(sentences_of_text, parsed.text, parsed.pages)
    return Source("attachment", attachment_id, title, parsed.text, sentences)


async def differing(said: Source, others: Iterable[Source]) -> tuple[Discrepancy, ...]:
    """Where the amounts that a recording names are not those of the other sources.

    In a thread: a file of millions of words takes seconds.
    """
    return await asyncio.to_thread(_differing, said, tuple(others))


def _differing(said: Source, others: Sequence[Source]) -> tuple[Discrepancy, ...]:
    return tuple(
        _discrepancy(said, other, found)
        for other in others
        for found in contradictions(said.sentences, other.sentences)
    )


def _discrepancy(said: Source, other: Source, found: Contradiction) -> Discrepancy:
    here, there = found.here, found.there
    where = f" ({here.room})" if here.room else ""
    about = f"{here.item}{where}"
    return Discrepancy(
        id=discrepancy_id(said.id, other.id, here.key, here.room or "", _amount(here), _amount(there)),
        kind="quantity",
        about=about,
        detail=f"{about}: {here.said} in the recording, {there.said} in {other.title}.",
        said=said.quote(here.sentence),
        against=other.quote(there.sentence),
        method=GRAMMAR,
    )


def discrepancy_id(session_id: UUID, other_id: UUID, *content: str) -> UUID:
    """The same contradiction has the same id, however often it is found."""
    return derived_id(session_id, "discrepancy", str(other_id), *(normalised(each) for each in content))


def _amount(quantity: Quantity) -> str:
    return f"{quantity.amount * quantity.unit.factor:.4g} {quantity.unit.dimension}"
