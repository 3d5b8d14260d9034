"""Whatever a model writes, a citation points to a passage that it was shown and quotes what stands there."""

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.retrieval.citations import best_quote, verified
from tests.answers.passages import passages

TWO = passages(
    "The boiler leaks. Order fifty sheets of drywall. The crane is late.",
    "How wide are the windows? They are four feet wide. The roof is new.",
)


def test_markers_become_citations_with_the_sentence_that_says_so() -> None:
    text, citations = verified("You need fifty sheets of drywall [1]. Windows are four feet wide [2].", TWO)
    assert text == "You need fifty sheets of drywall [1]. Windows are four feet wide [2]."
    assert [(each.passage.number, each.quote) for each in citations] == [
        (1, "Order fifty sheets of drywall."),
        (2, "They are four feet wide."),
    ]


def test_markers_that_point_nowhere_are_dropped() -> None:
    text, citations = verified("It leaks [3]. It is late [1, 9]. No [0] [17].", TWO)
    assert text == "It leaks. It is late [1]. No."
    assert [each.quote for each in citations] == ["The crane is late."]


def test_an_answer_without_markers_cites_nothing() -> None:
    assert verified("It leaks.", TWO) == ("It leaks.", ())
    assert verified("arr[x] and [2024-01-01]", TWO) == ("arr[x] and [2024-01-01]", ())


def test_a_question_is_quoted_with_its_answer() -> None:
    quote = best_quote(TWO[1], lambda sentence: sentence.startswith("How"))
    assert quote.quote == "How wide are the windows? They are four feet wide."
    assert (quote.start_char, quote.end_char) == (0, 50)


@settings(deadline=None)
@given(
    st.lists(st.text(st.sampled_from("ab .?!\n[1]混🧱"), min_size=1, max_size=80), min_size=1, max_size=4),
    st.text(st.sampled_from("ab .?![]1234,; \n"), max_size=80),
)
def test_every_quote_stands_where_its_citation_says(texts: list[str], answer: str) -> None:
    shown = passages(*texts)
    text, citations = verified(answer, shown)
    for each in citations:
        passage = each.passage.hit
        assert passage.text[each.start_char : each.end_char] == each.quote
        assert 0 <= each.start_char <= each.end_char <= passage.end_char
        assert f"[{each.passage.number}]" in text
    again, same = verified(text, shown)
    assert [each.passage.number for each in same] == [each.passage.number for each in citations]
    assert again == text
