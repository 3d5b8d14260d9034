"""Sentences of written texts, of any length."""

from infra.extractive import sentences_of_text
from infra.extractive.sentences import LONGEST


def test_a_sentence_ends_at_its_mark_and_not_at_an_abbreviation() -> None:
    text = 'It is 3 ft. Wide walls stand. "Here?" Yes… Then no. 5 is\nleft'
    told = [each.text for each in sentences_of_text(text)]
    assert told == ["It is 3 ft. Wide walls stand.", '"Here?"', "Yes…", "Then no. 5 is", "left"]


def test_a_sentence_is_of_the_page_on_which_it_begins() -> None:
    text = "One.\n\nTwo.\n\nThree."
    pages = [(0, 4, 1), (6, 10, 2)]
    assert [each.page for each in sentences_of_text(text, pages)] == [1, 2, None]


def test_a_long_text_takes_no_longer_than_it_is_long() -> None:
    """Looking back through all of it at each sentence would take hours."""
    assert len(sentences_of_text("The wall is 3 feet long. It stands at no. 5. " * 10_000)) == 20_000
    assert len(sentences_of_text("x" + "." * 200_000 + "x")) == 201


def test_what_has_no_end_is_cut_between_words() -> None:
    text = "ten bags in the kitchen " * 200
    cut = sentences_of_text(text)
    assert max(len(each.text) for each in cut) <= LONGEST
    assert [word for each in cut for word in each.text.split()] == text.split()
    assert all(text[each.start_char : each.end_char] == each.text for each in cut)
    assert len(sentences_of_text("x" * 2500)) == 3
