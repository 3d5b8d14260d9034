"""A reply from a project's sources: found, written by a model or quoted, and cited."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from events.chat import Citation, Manner, SourceUsed
from infra.embedding import Embedder
from infra.generation import GenerationUnavailable, Generator, Turn
from infra.generation.context import fitting
from infra.replies import Pen, storable
from infra.retrieval import citations, prompt
from infra.retrieval.answering import Answer, answer
from infra.retrieval.citations import Passage
from infra.retrieval.following import LONGEST, merged, together

Find = Callable[[Manner, str], Awaitable[tuple[Passage, ...]]]
"""What the sources of a project have to a question."""


@dataclass(frozen=True)
class Findings:
    """What was found for a message; `otherwise` is the message together with the one that it follows."""

    question: str
    otherwise: str | None
    passages: tuple[Passage, ...]


@dataclass(frozen=True)
class Made:
    """An answer, and how many messages its model was shown."""

    answer: Answer
    shown: int

    @property
    def text(self) -> str:
        return storable(self.answer.text)

    @property
    def citations(self) -> tuple[Citation, ...]:
        return tuple(map(cited, self.answer.citations))


async def findings(find: Find, manner: Manner, turns: Sequence[Turn]) -> Findings:
    """What is found for the last message alone, and where it follows another one, for both together."""
    *before, last = (turn.content.strip()[:LONGEST] for turn in turns if turn.role == "user")
    if not before:
        return Findings(last, None, await find(manner, last))
    both = together(before[-1], last)
    return Findings(last, both, merged(await find(manner, last), await find(manner, both)))


async def write(
    found: Findings,
    turns: Sequence[Turn],
    manner: Manner,
    pen: Pen,
    *,
    embedder: Embedder,
    generator: Generator | None,
) -> Made:
    """Write the answer down. Raises GenerationFailed."""
    before = await _before(turns, manner, generator)
    made: Answer | None = None
    async with aclosing(
        answer(
            found.question,
            found.passages,
            embedder=embedder,
            generator=generator,
            model=manner.model,
            before=before,
            otherwise=found.otherwise,
        )
    ) as pieces:
        async for each in pieces:
            if isinstance(each, Answer):
                made = each
            else:
                await pen.write(each)
    await pen.end()
    if made is None:
        raise RuntimeError("an answer has no end")
    return Made(made, 1 + sum(turn.role != "system" for turn in before) if made.model else 0)


async def _before(turns: Sequence[Turn], manner: Manner, generator: Generator | None) -> tuple[Turn, ...]:
    """What was said until then, as far as the model can read it beside the sources."""
    if generator is None:
        return ()
    try:
        window = (await generator.about(manner.model)).context_tokens
    except GenerationUnavailable:
        return ()
    told = [Turn("system", manner.instructions)] if manner.instructions else []
    return fitting(told, turns, max(1, window - prompt.BUDGET) if window else None)[:-1]


def used(passages: Iterable[Passage]) -> frozenset[SourceUsed]:
    """The sources that passages are of."""
    return frozenset(
        SourceUsed(context=each.context, kind=each.hit.kind, source_id=each.hit.source_id)
        for each in passages
    )


def cited(citation: citations.Citation) -> Citation:
    """A citation as the conversation keeps it."""
    passage, hit = citation.passage, citation.passage.hit
    return Citation(
        marker=passage.number,
        kind=hit.kind,
        source_id=hit.source_id,
        n=hit.n,
        title=passage.title,
        quote=citation.quote,
        start_char=citation.start_char,
        end_char=citation.end_char,
        start=hit.start,
        end=hit.end,
        page=hit.page,
    )


def place(citation: Citation) -> Citation:
    """Where a quote stands, without its words."""
    return Citation(
        marker=citation.marker,
        kind=citation.kind,
        source_id=citation.source_id,
        n=citation.n,
        title="",
        quote="",
        start_char=citation.start_char,
        end_char=citation.end_char,
        start=citation.start,
        end=citation.end,
        page=citation.page,
    )
