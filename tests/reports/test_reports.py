"""Reports: all that matters, harmless whatever was said, and complete in themselves."""

import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from uuid import UUID

import msgspec
import pytest

from events.jobsite import Place
from infra.reports import Content, Item, subject
from infra.reports.html import html
from infra.reports.text import text
from infra.understanding import Discrepancy, Quote

EVIL = '<script>alert("x")</script>'
SAID = Quote(
    source="session",
    source_id=UUID(int=1),
    title="Monday",
    text="order fifty sheets of drywall",
    place=Place(start_char=0, end_char=29, start=73.2, end=75.0),
)
PLAN = Quote(
    source="attachment",
    source_id=UUID(int=2),
    title="plan.pdf",
    text="Drywall: 40 sheets",
    place=Place(start_char=3, end_char=21, page=2),
)
DISCREPANCY = Discrepancy(
    id=UUID(int=3),
    kind="quantity",
    about="drywall",
    detail="drywall: 50 sheets in the recording, 40 sheets in plan.pdf.",
    said=SAID,
    against=PLAN,
    method="extractive",
)
CONTENT = Content(
    title="Boiler room",
    job="Maple Street",
    builder="Hendricks",
    recorded_at=datetime(2026, 11, 16, 7, 30, tzinfo=UTC),
    seconds=84.0,
    summary="There is water behind the wall.",
    method="extractive:minilm",
    items=(
        Item(text="Order fifty sheets of drywall", owner="Carter", due=date(2026, 11, 20)),
        Item(text="Call the plumber", done=True),
    ),
    discrepancies=(DISCREPANCY,),
    notes=("The customer asked for an invoice",),
    url="https://headwater.example/v1/sessions/1?a=1&b=2",
)


@pytest.mark.parametrize("made", [html(CONTENT), text(CONTENT)])
def test_both_versions_tell_everything(made: str) -> None:
    told = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", made).replace("&amp;", "&"))
    for part in (
        "Boiler room", "Maple Street", "Hendricks", "2026-11-16 07:30 UTC", "1:24 long", "There is water behind",
        "50 sheets in the recording, 40 sheets in plan.pdf", "order fifty sheets of drywall", "at 1:13",
        "Drywall: 40 sheets", "page 2", "Carter, due 2026-11-20", "Call the plumber", "done", "asked for an invoice",
        "extractive:minilm",
    ):  # fmt: skip
        assert part in told
    assert "/v1/sessions/1?a=1" in made


def test_the_text_fits_a_terminal() -> None:
    assert max(map(len, text(CONTENT).splitlines())) <= 80


def test_html_takes_nothing_from_outside_and_lets_nothing_in() -> None:
    said = msgspec.structs.replace(SAID, text=EVIL, title=EVIL)
    evil = msgspec.structs.replace(
        CONTENT,
        title=EVIL,
        job=EVIL,
        summary=EVIL,
        items=(Item(text=EVIL, owner=EVIL),),
        discrepancies=(msgspec.structs.replace(DISCREPANCY, said=said, detail=EVIL),),
        notes=(EVIL,),
        method=EVIL,
    )
    tags: list[tuple[str, list[tuple[str, str | None]]]] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append((tag, attrs))

    Parser().feed(html(evil))
    names = {tag for tag, _ in tags}
    assert not names & {"script", "img", "link", "iframe", "object", "form"}
    assert [attrs for tag, attrs in tags if tag == "a"] == [[("href", evil.url)]]
    assert "url(" not in html(evil)
    assert "viewport" in html(evil)


def test_a_subject_is_one_line_that_counts_what_is_open() -> None:
    assert subject(CONTENT) == "Boiler room, Maple Street: 1 discrepancy, 1 action item"
    nothing = msgspec.structs.replace(CONTENT, items=(), discrepancies=(), job=None, title="A\r\nBcc: x")
    assert subject(nothing) == "A Bcc: x: nothing to do"
    two = msgspec.structs.replace(
        CONTENT, discrepancies=(DISCREPANCY, DISCREPANCY), items=CONTENT.items[:1] * 2
    )
    assert subject(two).endswith("2 discrepancies, 2 action items")


def test_a_recording_without_words_has_a_report_too() -> None:
    empty = msgspec.structs.replace(CONTENT, summary="", items=(), discrepancies=(), notes=(), job=None)
    assert "Nothing was said" in html(empty)
    assert "Nothing was said" in text(empty)
