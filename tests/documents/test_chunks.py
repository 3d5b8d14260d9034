"""Chunks of documents: exact places, nothing lost, never too large."""

import re
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.chunking import Strategy, chunks_of_text
from infra.chunking.document import _TOKEN, STRATEGIES, BadChunking

WORDS = st.sampled_from(
    [
        "drywall",
        "Twelve sheets. ",
        "\n",
        "\n\n",
        "# Heading\n",
        "```\n# none\n```\n",
        " ",
        "é😀",
        "Why? ",
        "x" * 90,
    ]
)
TEXTS = st.lists(WORDS | st.text(max_size=20), max_size=60).map("".join)


@st.composite
def paged(draw: st.DrawFn) -> tuple[str, list[tuple[int, int, int]]]:
    """A text, and pages in it."""
    parts, pages, text = draw(st.lists(TEXTS, max_size=4)), [], ""
    for n, part in enumerate(parts, start=1):
        pages.append((len(text), len(text) + len(part), n))
        text += part + "\n\n"
    return (text, pages) if draw(st.booleans()) else (text, [])


@settings(max_examples=60, deadline=None)
@given(paged(), st.sampled_from(STRATEGIES), st.integers(20, 120), st.integers(0, 60))
def test_chunks_are_exact_complete_and_bounded(
    document: tuple[str, list[tuple[int, int, int]]], strategy: Strategy, size: int, overlap: int
) -> None:
    text, pages = document
    chunks = chunks_of_text(text, pages, strategy=strategy, size=size, overlap=min(overlap, size // 2))
    covered: set[int] = set()
    for n, chunk in enumerate(chunks):
        assert (chunk.n, chunk.text) == (n, text[chunk.start_char : chunk.end_char])
        assert chunk.text == chunk.text.strip() != ""
        length = len(_TOKEN.findall(chunk.text)) if strategy == "tokens" else len(chunk.text)
        assert length <= size
        covered |= set(range(chunk.start_char, chunk.end_char))
        if chunk.page is not None:
            first, last, _ = pages[chunk.page - 1]
            assert first <= chunk.start_char < chunk.end_char <= last
    assert not [at for at, sign in enumerate(text) if not sign.isspace() and at not in covered]
    assert [chunk.start_char for chunk in chunks] == sorted(chunk.start_char for chunk in chunks)
    few = chunks_of_text(text, pages, strategy=strategy, size=size, overlap=min(overlap, size // 2), most=2)
    assert few == chunks[:3] or (strategy == "recursive" and len(few) == 3 < len(chunks))


@pytest.mark.parametrize(
    ("strategy", "piece"),
    [
        ("tokens", "!"),
        ("headings", "# a\n"),
        ("headings", "```\n```\n"),
        ("sentences", "a. "),
        ("recursive", "a. "),
    ],
)
def test_no_more_chunks_are_made_than_are_wanted_nor_what_leads_to_them(
    strategy: Strategy, piece: str
) -> None:
    text = piece * (2_000_000 // len(piece))
    tracemalloc.start()
    try:
        assert len(chunks_of_text(text, strategy=strategy, size=20, overlap=10, most=100)) == 101
        assert tracemalloc.get_traced_memory()[1] < 4 * len(text)
    finally:
        tracemalloc.stop()


def test_sentences_are_not_cut_where_they_fit() -> None:
    text = "The boiler is in the cellar. " * 20
    chunks = chunks_of_text(text, size=100, overlap=30)
    assert all(re.fullmatch(r"(The boiler is in the cellar\. ?)+", chunk.text + " ") for chunk in chunks)
    assert chunks[1].start_char < chunks[0].end_char


def test_a_heading_begins_a_chunk_and_one_in_code_does_not() -> None:
    text = "# Boiler\nFour valves.\n\n```\n# no heading\n```\n\n## Pump\nOne.\n"
    assert [chunk.text.splitlines()[0] for chunk in chunks_of_text(text, strategy="headings")] == [
        "# Boiler",
        "## Pump",
    ]


@pytest.mark.parametrize("strategy", ["sentences", "headings"])
def test_line_breaks_without_end_take_no_longer_than_they_are_long(strategy: Strategy) -> None:
    text = "One." + "\n" * 300_000
    assert [chunk.text for chunk in chunks_of_text(text, strategy=strategy)] == ["One."]
    assert [chunk.text for chunk in chunks_of_text(text + "Two.", strategy=strategy)][-1] == "Two."


@pytest.mark.parametrize(
    ("strategy", "size", "overlap"),
    [
        ("words", 100, 0),
        ("sentences", 19, 0),
        ("sentences", 8001, 0),
        ("tokens", 100, 51),
        ("tokens", 100, -1),
    ],
)
def test_a_way_of_cutting_that_makes_no_sense_is_refused(strategy: Strategy, size: int, overlap: int) -> None:
    with pytest.raises(BadChunking):
        chunks_of_text("text", strategy=strategy, size=size, overlap=overlap)
