"""Sentences, and which of them stand for a text."""

import numpy as np

from infra.extractive import pick, sentences_of_text, sentences_of_transcript
from infra.speech import Segment


def test_sentences_end_with_their_marks_and_with_lines() -> None:
    text = "The wall is wet. It is 3.5 ft. high, approx. as planned!\nKitchen\n  Doors: 2  "
    found = sentences_of_text(text)
    assert [each.text for each in found] == [
        "The wall is wet.",
        "It is 3.5 ft. high, approx. as planned!",
        "Kitchen",
        "Doors: 2",
    ]
    assert all(text[each.start_char : each.end_char] == each.text for each in found)


def test_speech_without_punctuation_ends_where_the_speaker_paused() -> None:
    found = sentences_of_transcript([Segment("there is water", 1, 2), Segment("Yes. Call him.", 3, 5)])
    assert [(each.text, each.start_char) for each in found] == [
        ("there is water", 0),
        ("Yes.", 15),
        ("Call him.", 20),
    ]
    assert (found[0].start, found[0].end) == (1, 2)


def unit(*rows: tuple[float, float, float]) -> np.ndarray:
    vectors = np.array(rows, np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_summary_is_near_the_centre_and_tells_nothing_twice() -> None:
    texts = [
        f"{word} is what this is about" for word in ("one", "same", "two", "three", "far", "rest", "more")
    ]
    vectors = unit(
        (1, 0.1, 0), (1, 0.11, 0), (0.6, 0.8, 0), (0.8, 0.5, 0), (0, 0, 1), (1, 0.2, 0), (0.9, 0.2, 0)
    )
    chosen = pick(texts, vectors)
    assert len(chosen) == 2
    assert chosen == sorted(chosen)
    assert not {0, 1} <= set(chosen)
    assert chosen == pick(texts, vectors)


def test_short_sentences_are_chosen_only_where_there_are_no_others() -> None:
    assert pick(["Yes.", "There is water behind the wall."], unit((1, 0, 0), (0, 1, 0))) == [1]
    assert pick(["Yes.", "No."], unit((1, 0, 0), (0, 1, 0))) == [0, 1]
    assert pick([], np.zeros((0, 3), np.float32)) == []
