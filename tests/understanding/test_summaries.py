"""Summaries, with and without a model that writes: what they say, and that every quote is really there."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from events.jobsite import Place
from infra.documents import Page, Parsed
from infra.embedding.lexical import Lexical
from infra.generation import GenerationFailed, Model, Turn, Usage
from infra.speech import Segment, Transcript
from infra.understanding import SpokenCommand, Summary, Understanding
from infra.understanding.extracted import extracted
from infra.understanding.sources import Source, document, recording
from infra.understanding.written import (
    DiscrepancyWritten,
    ItemWritten,
    SummaryWritten,
    find,
    written,
)

SESSION, PLAN, EARLIER = UUID(int=1), UUID(int=2), UUID(int=3)
MONDAY = datetime(2026, 11, 16, 7, 30, tzinfo=UTC)
SEGMENTS = (
    Segment("we looked at the boiler room this morning", 0.0, 4.0),
    Segment("there is water behind the wall and the old pipe must be replaced", 5.0, 9.0),
    Segment("action item order fifty sheets of drywall", 10.0, 13.0),
    Segment("carter will bring the new pipe on tuesday", 14.0, 17.0),
    Segment("note to office the customer asked for an invoice", 18.0, 21.0),
)
PARSED = Parsed(
    text="Materials for Maple Street\nDrywall: 40 sheets\nThe old pipe stays.",
    pages=(Page(0, 26, 1), Page(27, 64, 2)),
    media_type="text/plain",
)


def command(kind: Any, text: str, quote: str) -> SpokenCommand:
    at = understood_text().index(quote)
    return SpokenCommand(
        kind=kind, text=text, quote=quote, place=Place(start_char=at, end_char=at + len(quote))
    )


def understood_text() -> str:
    return "\n".join(segment.text for segment in SEGMENTS)


def understanding() -> Understanding:
    text = understood_text()
    spoken = "action item order fifty sheets of drywall"
    note = "note to office the customer asked for an invoice"
    return Understanding(
        transcript=Transcript(SEGMENTS, "en", 21.0, "test"),
        commands=(
            command("action_item", "order fifty sheets of drywall", spoken),
            command("note", "the customer asked for an invoice", note),
        ),
        kept=(
            (0, text.index(spoken)),
            (text.index(spoken) + len(spoken), text.index(note)),
        ),
    )


async def plan() -> Source:
    return await document(PLAN, "plan.pdf", PARSED)


async def summed(*others: Source) -> Summary:
    return await extracted(
        understanding(), session_id=SESSION, title="Monday", others=others, embedder=Lexical()
    )


async def test_of_commands_alone_there_is_nothing_to_sum_up() -> None:
    alone = msgspec.structs.replace(understanding(), kept=())
    made = await extracted(alone, session_id=SESSION, title="Monday", others=(), embedder=Lexical())
    assert (made.text, made.sentences, made.notes) == ("", (), ("the customer asked for an invoice",))


async def test_a_summary_consists_of_sentences_of_the_recording_without_its_commands() -> None:
    made = await summed()
    assert made.method.startswith("extractive:")
    assert made.sentences
    text = understood_text()
    for each in made.sentences:
        assert text[each.place.start_char : each.place.end_char] == each.text
        assert "action item" not in each.text
        assert each.place.start is not None
        assert each.text[1:] in made.text
    assert made.text[0].isupper()
    assert made.text.endswith(".")
    assert made.notes == ("the customer asked for an invoice",)
    assert made == await summed()


async def test_what_contradicts_the_plan_is_told_with_both_quotes() -> None:
    (found,) = (await summed(await plan())).discrepancies
    assert found.detail == "drywall: 50 sheets in the recording, 40 sheets in plan.pdf."
    assert (found.said.source_id, found.said.place.start, found.said.place.end) == (SESSION, 10.0, 13.0)
    assert (found.against.source, found.against.source_id) == ("attachment", PLAN)
    assert (found.against.text, found.against.place.page) == ("Drywall: 40 sheets", 2)
    assert found.id == (await summed(await plan())).discrepancies[0].id


async def test_an_earlier_recording_can_be_contradicted_too() -> None:
    earlier = await recording(EARLIER, "Friday", [Segment("we need thirty sheets of drywall", 1.0, 3.0)])
    agrees = await recording(UUID(int=4), "Sunday", [Segment("we need fifty sheets of drywall", 1.0, 3.0)])
    (found,) = (await summed(earlier, agrees)).discrepancies
    assert (found.against.source, found.against.title, found.against.place.start) == (
        "session",
        "Friday",
        1.0,
    )


async def test_silence_has_an_empty_summary() -> None:
    nothing = Understanding(transcript=Transcript((), "en", 1.0, "test"))
    made = await extracted(
        nothing, session_id=SESSION, title="Monday", others=(await plan(),), embedder=Lexical()
    )
    assert (made.text, made.sentences, made.discrepancies) == ("", (), ())


class Author:
    """A model that answers what a test says."""

    model = "tiny"

    def __init__(self, answer: SummaryWritten | None, context: int | None = None) -> None:
        self._answer = answer
        self._context = context
        self.asked: Sequence[Turn] = ()

    async def structured(self, turns: Sequence[Turn], shape: Any, **_: Any) -> tuple[Any, Usage]:
        assert shape is SummaryWritten
        self.asked = turns
        if self._answer is None:
            raise GenerationFailed("The model's answer does not fit.")
        return self._answer, Usage()

    async def about(self, model: str | None = None) -> Model:
        return Model(name="tiny", provider="ollama", context_tokens=self._context)


ANSWER = SummaryWritten(
    summary="There is water behind the wall.",
    action_items=[
        ItemWritten(
            text="Bring the new pipe", owner="Carter", due=date(2026, 11, 17), quote="Carter will bring the new pipe"
        ),
        ItemWritten(text="The same", quote="carter will bring the new pipe"),
        ItemWritten(text="Order drywall", quote="order fifty sheets of drywall"),  # is known already
        ItemWritten(text="Sell the house", quote="sell the house"),  # nobody said so
    ],
    discrepancies=[
        DiscrepancyWritten(
            about="the old pipe",
            detail="It is to be replaced; the plan keeps it.",
            said="the old pipe must be replaced",
            source=1,
            against="The old pipe stays.",
        ),
        DiscrepancyWritten(
            about="drywall", detail="Again.", said="fifty sheets of drywall", source=1, against="Drywall: 40 sheets"
        ),
        DiscrepancyWritten(about="x", detail="x", said="water", source=1, against="not in the plan"),
        DiscrepancyWritten(about="x", detail="x", said="water", source=7, against="Drywall"),
    ],
)  # fmt: skip


async def by(author: Author, *others: Source) -> Summary:
    return await written(
        understanding(),
        session_id=SESSION,
        title="Monday",
        at=MONDAY,
        others=others,
        generator=author,  # type: ignore[arg-type]
    )


async def test_of_what_a_model_claims_only_that_is_kept_which_its_sources_say() -> None:
    author = Author(ANSWER)
    made = await by(author, await plan())
    assert (made.text, made.method) == ("There is water behind the wall.", "model:tiny")
    (item,) = made.action_items
    assert (item.text, item.owner, item.due) == ("Bring the new pipe", "Carter", date(2026, 11, 17))
    assert (item.quote, item.place.start) == ("carter will bring the new pipe", 14.0)
    quantity, statement = made.discrepancies
    assert (quantity.kind, quantity.method) == ("quantity", "extractive")
    assert (statement.kind, statement.method) == ("statement", "model:tiny")
    assert (statement.said.text, statement.against.place.page) == ("the old pipe must be replaced", 2)
    again = await by(author, await plan())
    assert [each.id for each in again.discrepancies] == [each.id for each in made.discrepancies]
    assert [each.id for each in again.action_items] == [item.id]


async def test_a_model_is_shown_all_sources_as_far_as_it_can_read() -> None:
    author = Author(ANSWER)
    await by(author, await plan())
    system, user = author.asked
    assert "Monday, 16 November 2026" in system.content
    assert "Drywall: 40 sheets" in user.content
    assert "- order fifty sheets of drywall" in user.content
    small = Author(ANSWER, context=100)
    await by(small, await document(PLAN, "plan.pdf", Parsed(text="bricks " * 5000, media_type="text/plain")))
    assert len(small.asked[1].content) < 1000


async def test_an_answer_of_no_use_is_no_summary() -> None:
    with pytest.raises(GenerationFailed):
        await by(Author(None))


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("Drywall: 40 sheets", "Drywall: 40 sheets"),
        ("drywall 40 SHEETS", "Drywall: 40 sheets"),
        ("Street Drywall", "Street\nDrywall"),
        ("40 sheet", None),
        ("fifty sheets", None),
        ("…", None),
    ],
)
async def test_a_quote_is_found_whatever_its_spaces_and_marks(quote: str, found: str | None) -> None:
    sentence = find(quote, await plan())
    assert (sentence.text if sentence else None) == found
