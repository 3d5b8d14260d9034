"""A summary without a model that writes: the sentences nearest to what all of them are about."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from infra.embedding import Embedder
from infra.extractive import Sentence, pick
from infra.understanding import Summary, Understanding
from infra.understanding.sources import Source, differing, recording

MOST_SENTENCES = 400
"""Sentences that are embedded; of longer recordings, evenly many from everywhere."""


async def extracted(
    understanding: Understanding,
    *,
    session_id: UUID,
    title: str,
    others: Sequence[Source],
    embedder: Embedder,
) -> Summary:
    """Sum up what was said, without the commands in it. Raises EmbeddingUnavailable."""
    said = await recording(session_id, title, understanding.transcript.segments)
    sentences = list(_kept(said.sentences, understanding.kept))
    sentences = sentences[:: max(1, -(-len(sentences) // MOST_SENTENCES))]
    chosen = []
    if sentences:
        texts = [each.text for each in sentences]
        chosen = [sentences[n] for n in pick(texts, await embedder.embed(texts))]
    return Summary(
        text=" ".join(_ended(each.text) for each in chosen),
        sentences=tuple(said.quote(each) for each in chosen),
        discrepancies=await differing(said, others),
        notes=notes(understanding),
        method=f"extractive:{embedder.name}",
    )


def notes(understanding: Understanding) -> tuple[str, ...]:
    """What was said for the office."""
    return tuple(each.text for each in understanding.commands if each.kind == "note")


def _kept(sentences: Sequence[Sentence], kept: Sequence[tuple[int, int]]) -> Iterator[Sentence]:
    """The sentences without the commands that are in them. Times are those of the whole sentence."""
    for sentence in sentences:
        for first, last in kept:
            begin, end = max(first, sentence.start_char), min(last, sentence.end_char)
            if begin < end:
                piece = sentence.text[begin - sentence.start_char : end - sentence.start_char]
                if text := piece.lstrip(" ,;:.").rstrip(" ,;:"):
                    begin += piece.index(text)
                    yield sentence._replace(text=text, start_char=begin, end_char=begin + len(text))


def _ended(text: str) -> str:
    """A sentence as it is written: speech recognition may give neither capitals nor full stops."""
    return f"{text[0].upper()}{text[1:]}" + ("" if text[-1] in ".!?…" else ".")
