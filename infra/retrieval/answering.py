"""From passages to an answer that cites them: written by a model, or quoted; or none, when nothing is close enough."""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

from infra.embedding import Embedder, EmbeddingUnavailable
from infra.extractive import sentences_of_text
from infra.generation import GenerationUnavailable, Generator, Model, Piece, Turn, Usage
from infra.retrieval import prompt
from infra.retrieval.citations import Citation, Passage, coverage, quoted, verified, words_of

UNKNOWN = "I do not know: nothing that I can find answers this."
GUARDS: Mapping[str, float] = {"minilm_l6_v2": 0.48, "lexical_hash": 2.0}
"""How close the nearest sentence must be to the question, by embedder. Measured on questions about our samples:
with MiniLM those that can be answered have 0.52 or more, those that cannot 0.44 or less. Hashed words tell nothing
(0.26 to 1.0 and 0.16 to 0.54): there only the words themselves count."""
GUARD = 0.65
"""Of any other embedder."""
SHARED = 0.5
"""Or so many of the question's words must stand in one sentence or in neighbouring ones (above: 0.5 and 0.33)."""
QUOTES = 3
LEAST = 100
"""Characters of a quote, where its passage goes on: what comes behind a sentence often says the rest."""
AT_MOST = 160
"""Sentences that are looked at."""
NEARLY = 0.75
"""Further quotes must be worth as much of what the best is worth."""


@dataclass(frozen=True)
class Answer:
    """What was answered, and out of what."""

    text: str
    citations: tuple[Citation, ...]
    method: str
    """`generated`, `extractive`, or `none` when it is not known."""
    context: tuple[Passage, ...]
    """All that may have gone into it."""
    closeness: float
    """Of the nearest sentence, as the guard saw it."""
    model: Model | None = None
    prompt_hash: str | None = None
    usage: Usage | None = None
    note: str | None = None
    """Why no model wrote it, where one is set."""

    @property
    def known(self) -> bool:
        return self.method != "none"

    @property
    def supported(self) -> bool:
        """Whether at least one citation holds it up; what is not known needs none."""
        return bool(self.citations) or not self.known


@dataclass(frozen=True)
class Evidence:
    """A sentence that may answer."""

    citation: Citation
    similarity: float
    coverage: float

    @property
    def worth(self) -> float:
        return 0.7 * self.similarity + 0.3 * self.coverage


async def answer(
    question: str,
    passages: Sequence[Passage],
    *,
    embedder: Embedder,
    generator: Generator | None,
    model: str | None = None,
    before: Sequence[Turn] = (),
    otherwise: str | None = None,
) -> AsyncGenerator[str | Answer]:
    """The answer piece by piece, then as a whole with its citations: only that one is checked.

    `before` is what was said until then, `otherwise` the question with what it follows: tried when nothing is close
    to the question alone.
    Raises GenerationFailed when a model breaks off. One that cannot be asked is done without, and `note` says so.
    """
    evidence = await weigh(question, passages, embedder)
    if otherwise and not close_enough(evidence, embedder.name):
        evidence = await weigh(otherwise, passages, embedder)
    closeness = max((each.similarity for each in evidence), default=0.0)
    if not close_enough(evidence, embedder.name):
        yield UNKNOWN
        yield Answer(UNKNOWN, (), "none", (), closeness)
        return
    note = None
    if generator:
        writing = _generated(
            question, passages, generator=generator, model=model, before=before, closeness=closeness
        )
        try:
            async with aclosing(writing) as written:
                async for piece in written:
                    yield piece
            return
        except GenerationUnavailable as away:
            note = f"{away.code}: {away.detail}"
    extract = extracted(evidence, closeness, note)
    yield extract.text
    yield extract


async def weigh(question: str, passages: Sequence[Passage], embedder: Embedder) -> list[Evidence]:
    """The sentences of the passages, best first."""
    asked = words_of(question)
    citations = []
    for passage in passages:
        spots = [(each.start_char, each.end_char) for each in sentences_of_text(passage.hit.text)]
        citations += [
            (quoted(passage, spots, n, least=LEAST), passage.hit.text[slice(*spots[n])])
            for n in range(len(spots))
        ]
    citations = citations[:AT_MOST]
    try:
        vectors = await embedder.embed([question, *(sentence for _, sentence in citations)])
        similarity = (vectors[1:] @ vectors[0]).tolist()
    except EmbeddingUnavailable:
        similarity = [0.0] * len(citations)
    found = [
        Evidence(citation, near, coverage(asked, citation.quote))
        for (citation, _), near in zip(citations, similarity, strict=True)
    ]
    return sorted(found, key=lambda each: (-each.worth, -len(each.citation.quote)))


def close_enough(evidence: Sequence[Evidence], embedder: str) -> bool:
    """The guard: whether anything may be an answer at all."""
    guard = GUARDS.get(embedder, GUARD)
    if any(each.similarity >= guard for each in evidence):
        return True
    return embedder != "minilm_l6_v2" and any(each.coverage >= SHARED for each in evidence)


def extracted(evidence: Sequence[Evidence], closeness: float, note: str | None) -> Answer:
    """The best sentences, quoted, each with its marker."""
    best = evidence[0].worth
    taken: list[Evidence] = []
    for each in evidence:
        overlaps = any(_overlap(each.citation, other.citation) for other in taken)
        if each.worth >= NEARLY * best and not overlaps and len(taken) < QUOTES:
            taken.append(each)
    passages = list({each.citation.passage.number: each.citation.passage for each in taken}.values())
    text = "\n".join(f"“{_flat(each.citation.quote)}” [{each.citation.passage.number}]" for each in taken)
    return Answer(
        text, tuple(each.citation for each in taken), "extractive", tuple(passages), closeness, note=note
    )


async def _generated(
    question: str,
    passages: Sequence[Passage],
    *,
    generator: Generator,
    model: str | None,
    before: Sequence[Turn],
    closeness: float,
) -> AsyncGenerator[str | Answer]:
    shown = prompt.within(passages)
    asked = prompt.turns(question, shown, before)
    about = await generator.about(model)
    text, usage, held = "", None, True
    async with aclosing(cast("AsyncGenerator[Piece]", generator.stream(asked, model=model))) as pieces:
        async for piece in pieces:
            text += piece.text
            usage = piece.usage or usage
            if held and prompt.NOTHING.startswith(text.strip()[: len(prompt.NOTHING)]):
                continue  # it may be about to say that it does not know
            if piece.text:
                yield text if held else piece.text
                held = False
    digest = prompt.hash_of_prompt(asked)
    if not text.strip() or prompt.NOTHING in text:
        yield UNKNOWN
        yield Answer(UNKNOWN, (), "none", (), closeness, about, digest, usage)
        return
    if held:
        yield text
    clean, citations = verified(text, shown)
    yield Answer(clean, citations, "generated", shown, closeness, about, digest, usage)


def _overlap(one: Citation, other: Citation) -> bool:
    """Whether they quote the same: passages overlap, and so do a question with its answer and the answer alone."""
    same = one.passage.hit.source_id == other.passage.hit.source_id
    apart = one.end_char <= other.start_char or other.end_char <= one.start_char
    return (same and not apart) or one.quote == other.quote


def _flat(quote: str) -> str:
    return re.sub(r"\s+", " ", quote)
