"""The law of transcripts: whatever a server sends, text is clean and times are in order and within bounds."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.speech import Segment, SpeechUnavailable, Word
from infra.speech.languages import code
from infra.speech.whisper_refusal import refusal, server_words
from infra.speech.whisper_reply import read_reply, transcript

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
times = st.floats(-5, 100) | st.integers(-5, 100) | st.sampled_from(["3.5", "nan", "", None])
anything = st.recursive(
    scalars, lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(), some, max_size=3)
)
texts = st.sampled_from([" ", " well", "ness", "\0", " fine.", "[BLANK_AUDIO]"]) | st.text(max_size=8)
word_entries = st.fixed_dictionaries(
    {}, optional={"word": texts, "start": times, "end": times, "probability": scalars}
)
words = st.lists(word_entries | anything, max_size=8) | anything
segment_entries = st.fixed_dictionaries(
    {},
    optional={
        "text": texts,
        "start": times,
        "end": times,
        "words": words,
        "avg_logprob": scalars,
        "speaker": scalars,
    },
)
replies = st.fixed_dictionaries(
    {},
    optional={
        "text": texts | anything,
        "language": scalars,
        "segments": st.lists(segment_entries | anything, max_size=8) | anything,
        "words": words,
    },
)


@given(replies, st.floats(0.1, 20_000))
def test_any_reply_becomes_a_transcript_that_keeps_its_promises(
    reply: dict[str, Any], seconds: float
) -> None:
    said = transcript(reply, seconds=seconds, model="m")
    assert said.language
    in_order(said.segments, 0.0, seconds)
    for segment in said.segments:
        in_order(segment.words, segment.start, segment.end)
    assert msgspec.json.decode(msgspec.json.encode(said), type=type(said)) == said


def in_order(parts: tuple[Segment, ...] | tuple[Word, ...], low: float, high: float) -> None:
    for part in parts:
        assert low <= part.start <= part.end <= high
        assert part.text == part.text.strip() != ""
        assert "\0" not in part.text
        assert part.confidence is None or 0 <= part.confidence <= 1
    starts = [part.start for part in parts]
    assert starts == sorted(starts)


@given(st.binary(max_size=200) | replies.map(repr).map(str.encode))
def test_any_bytes_are_a_transcript_or_a_reason(body: bytes) -> None:
    with suppress(SpeechUnavailable):
        assert read_reply(body, seconds=5.0, model="m").seconds == 5.0


@pytest.mark.parametrize("body", [b"[" * 100_000, b"null", b"[]", b'{"words": []}', b'{"text": 3}'])
def test_an_answer_that_is_no_transcript_is_refused(body: bytes) -> None:
    with pytest.raises(SpeechUnavailable):
        read_reply(body, seconds=5.0, model="m")


def test_more_than_anybody_can_say_is_no_transcript() -> None:
    def reply(count: int) -> bytes:
        return msgspec.json.encode({"text": "x " * count})

    assert read_reply(reply(2500), seconds=10.0, model="tiny").segments
    with pytest.raises(SpeechUnavailable, match="19,999 characters in 10 seconds"):
        read_reply(reply(10_000), seconds=10.0, model="tiny")


def test_words_beside_the_segments_go_where_they_were_said() -> None:
    words = [{"word": w, "start": s, "end": s + 1} for s, w in enumerate(("one", "two", "three"))]
    segments = [{"text": "one two", "start": 0, "end": 2}, {"text": "three", "start": 2, "end": 3}]
    said = transcript({"segments": segments, "words": words}, seconds=3.0, model="m")
    assert [[word.text for word in segment.words] for segment in said.segments] == [["one", "two"], ["three"]]


def test_where_nobody_speaks_there_is_no_segment() -> None:
    segments = [
        {"text": " [BLANK_AUDIO]", "start": 0, "end": 30},
        {"text": " [BLANK_AUDIO]", "start": 30, "end": 40},
    ]
    reply = {"segments": segments, "text": " [BLANK_AUDIO]\n [BLANK_AUDIO]\n"}
    assert transcript(reply, seconds=40.0, model="m").segments == ()


def test_who_speaks_is_kept_when_the_server_knows() -> None:
    segments = [{"text": "a", "speaker": "1"}, {"text": "b", "speaker": "?"}, {"text": "c"}]
    said = transcript({"segments": segments}, seconds=3.0, model="m")
    assert [segment.speaker for segment in said.segments] == ["1", None, None]


@pytest.mark.parametrize(
    ("language", "expected"),
    [("English", "en"), ("en", "en"), ("haitian creole", "ht"), (None, "und"), ("", "und")],
)
def test_a_language_is_known_by_its_code(language: str | None, expected: str) -> None:
    assert code(language) == expected


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"detail": "Failed to decode audio."}', "Failed to decode audio."),
        (b'{"error": {"message": "no such model", "code": 404}}', "no such model"),
        (b'{"object": "error", "message": "bad", "code": 400}', "bad"),
        (b'{"error": "failed to read audio data"}', "failed to read audio data"),
        (
            b'{"detail": [{"loc": ["body", "file"], "msg": "Field required", "type": "missing"}]}',
            "Field required",
        ),
        (b"<html><h1>502 Bad\nGateway</h1></html>", "502 Bad Gateway"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", "nothing more"),
    ],
)
def test_an_error_body_of_any_dialect_comes_down_to_a_sentence(body: bytes, words: str) -> None:
    assert server_words(body) == words


@given(st.integers(100, 599), st.binary(max_size=100) | anything.map(repr).map(str.encode))
def test_any_refusal_has_a_meaning(status: int, body: bytes) -> None:
    assert str(refusal(status, body, server="http://here", model="m"))


def test_a_refused_form_is_not_blamed_on_the_recording() -> None:
    body = b'{"detail": [{"loc": ["body", "file"], "msg": "Field required"}]}'
    assert isinstance(refusal(422, body, server="http://here", model="m"), SpeechUnavailable)
