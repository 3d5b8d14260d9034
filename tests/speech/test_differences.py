"""Two transcripts of one recording, word by word."""

import time

from infra.speech import Segment, Transcript, Word
from infra.speech.differences import WINDOW, differences


def transcript(*segments: Segment, seconds: float = 10.0) -> Transcript:
    return Transcript(segments, "en", seconds, "test")


def test_words_are_kept_replaced_inserted_and_deleted_with_their_times() -> None:
    words = tuple(Word(each, n, n + 1) for n, each in enumerate(("Or", "fifty", "sheets", "of", "wall")))
    before = transcript(Segment("Or fifty sheets of wall", 0, 5, words=words))
    after = transcript(Segment("order fifty big sheets, of", 0, 5))
    found = [(each.kind, each.was, each.now) for each in differences(before, after)]
    assert found == [
        ("replaced", "Or", "order"),
        ("kept", "fifty", "fifty"),
        ("inserted", "", "big"),
        ("kept", "sheets of", "sheets, of"),
        ("deleted", "wall", ""),
    ]
    times = [(each.start, each.end) for each in differences(before, after)]
    assert times[0][0] == 0
    assert times[-1] == (4, 5)
    assert all(start <= end for start, end in times)


def test_the_same_words_are_one_stretch_however_long() -> None:
    said = [Segment(f"minute {n} has passed", 60.0 * n, 60.0 * n + 5) for n in range(30)]
    both = transcript(*said, seconds=1800)
    (found,) = differences(both, both)
    assert (found.kind, found.start, found.end) == ("kept", 0, 1745)
    assert WINDOW < 1800


def test_nothing_said_at_all_has_no_differences() -> None:
    assert differences(transcript(), transcript()) == ()
    (found,) = differences(transcript(), transcript(Segment("hello", 1, 2)))
    assert (found.kind, found.now) == ("inserted", "hello")


def test_a_word_that_is_said_all_the_time_does_not_take_for_ever() -> None:
    segments = [Segment("a " * 2500, n * 10.0, n * 10.0 + 9.0) for n in range(20)]
    before = Transcript(tuple(segments), "en", 200.0, "m")
    after = Transcript((*segments[1:], Segment("b", 199.0, 200.0)), "en", 200.0, "m")
    began = time.process_time()
    found = differences(before, after)
    assert time.process_time() - began < 10, "it would be minutes"
    assert sum(len(each.was.split()) for each in found) == 50_000
