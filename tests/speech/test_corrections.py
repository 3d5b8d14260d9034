"""Corrections hold: for the transcript they were made of, for another one, and whatever else is corrected."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.jobsite import SpeakerCorrection, TextCorrection
from infra.speech import Segment, Transcript, Word
from infra.speech.corrections import corrected


def said(*lines: tuple[str, float, float]) -> Transcript:
    segments = tuple(Segment(text, start, end, speaker="A") for text, start, end in lines)
    return Transcript(segments, "en", 60.0, "test")


NOTE = said(("The wall is wet.", 0.0, 2.0), ("Order drywall.", 2.5, 4.0), ("It is cold.", 4.5, 6.0))
FIX = TextCorrection(start=2.5, end=4.0, text="Order dry rot spray.", was="Order drywall.")


def lines(transcript: Transcript) -> list[tuple[str, float, float]]:
    return [(each.text, each.start, each.end) for each in transcript.segments]


def test_a_segment_reads_as_it_was_set_right_and_nothing_else_changes() -> None:
    found = corrected(NOTE, [FIX])
    assert lines(found) == [
        ("The wall is wet.", 0.0, 2.0),
        ("Order dry rot spray.", 2.5, 4.0),
        ("It is cold.", 4.5, 6.0),
    ]
    assert found.segments[1].speaker == "A"
    assert (found.segments[0], found.seconds, found.model) == (NOTE.segments[0], 60.0, "test")


def test_a_correction_holds_for_a_transcript_that_was_cut_otherwise() -> None:
    merged = said(("The wall is wet. Order trifle.", 0.0, 4.1), ("It is cold.", 4.5, 6.0))
    assert [text for text, *_ in lines(corrected(merged, [FIX]))] == [
        "The wall is wet.",
        "Order dry rot spray.",
        "It is cold.",
    ]
    split = said(
        ("The wall is wet.", 0.1, 2.0), ("Order", 2.4, 3.0), ("trifle.", 3.1, 3.9), ("It is cold.", 4.5, 6.0)
    )
    assert [text for text, *_ in lines(corrected(split, [FIX]))] == [
        "The wall is wet.",
        "Order dry rot spray.",
        "It is cold.",
    ]


def test_words_with_times_tell_exactly_what_is_replaced() -> None:
    words = (Word("wet", 1.0, 1.5), Word("order", 2.6, 3.0), Word("trifle", 3.0, 3.9), Word("cold", 5.0, 5.5))
    one = Transcript((Segment("wet order trifle cold", 0.0, 6.0, None, words),), "en", 60.0, "test")
    before, fixed, after = corrected(one, [FIX]).segments
    assert (before.text, fixed.text, after.text) == ("wet", "Order dry rot spray.", "cold")
    assert ([each.text for each in before.words], [each.text for each in after.words]) == (["wet"], ["cold"])


def test_what_no_model_heard_is_added_where_it_was_said() -> None:
    late = TextCorrection(start=10.0, end=12.0, text="And call Ann.")
    assert lines(corrected(NOTE, [late]))[-1] == ("And call Ann.", 10.0, 12.0)


def test_a_speaker_has_the_name_wherever_they_speak() -> None:
    name = SpeakerCorrection(name="Ann", spans=((0.0, 2.1), (4.4, 6.0)), was="A")
    assert [each.speaker for each in corrected(NOTE, [name]).segments] == ["Ann", "A", "Ann"]
    other = said(("The wall", 0.0, 1.0), ("is wet.", 1.0, 2.0), ("Order trifle. It is cold.", 2.4, 6.0))
    assert [each.speaker for each in corrected(other, [name]).segments] == ["Ann", "Ann", "A"]


def test_a_later_correction_of_the_same_place_counts() -> None:
    again = TextCorrection(start=2.5, end=4.0, text="Order plaster.")
    assert [each.text for each in corrected(NOTE, [FIX, again]).segments][1] == "Order plaster."


TIMES = st.integers(0, 240).map(lambda n: n / 4)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    times = sorted(draw(st.lists(TIMES, min_size=2, max_size=16, unique=True)))
    texts = st.text("ab c.", max_size=12)
    segments = tuple(Segment(draw(texts), start, end) for start, end in pairwise(times))
    return Transcript(segments, "en", 60.0, "test")


@st.composite
def text_corrections(draw: st.DrawFn) -> TextCorrection:
    start, end = sorted((draw(TIMES), draw(TIMES)))
    return TextCorrection(start=start, end=end, text=draw(st.text("xyz ", max_size=8)))


@settings(max_examples=80, deadline=None)
@given(transcripts(), text_corrections())
def test_a_correction_is_found_in_its_place_and_making_it_twice_changes_nothing(
    transcript: Transcript, made: TextCorrection
) -> None:
    once = corrected(transcript, [made])
    assert (made.text, made.start, made.end) in lines(once)
    assert corrected(once, [made]) == once


@settings(max_examples=80, deadline=None)
@given(transcripts(), st.lists(text_corrections(), max_size=4))
def test_corrected_segments_stay_in_order_and_within_the_recording(
    transcript: Transcript, made: list[TextCorrection]
) -> None:
    found = corrected(transcript, made).segments
    assert all(0 <= each.start <= each.end <= transcript.seconds for each in found)
    assert all(one.start <= other.start for one, other in pairwise(found))


@settings(max_examples=100, deadline=None)
@given(transcripts(), st.data())
def test_setting_right_a_segment_keeps_the_number_of_every_segment(
    transcript: Transcript, data: st.DataObject
) -> None:
    n = data.draw(st.integers(0, len(transcript.segments) - 1))
    segment = transcript.segments[n]
    found = corrected(transcript, [TextCorrection(start=segment.start, end=segment.end, text="new")])
    assert [each.text for each in found.segments] == [
        "new" if at == n else each.text for at, each in enumerate(transcript.segments)
    ]


@pytest.mark.parametrize("made", [[], [SpeakerCorrection(name="Ann", spans=())]])
def test_no_correction_changes_nothing(made: list[SpeakerCorrection]) -> None:
    assert corrected(NOTE, made) == NOTE
