"""Reads what a Whisper server answers, in whichever dialect, into a transcript that keeps its promises."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

import msgspec

from infra.speech import Segment, SpeechUnavailable, Transcript, Word
from infra.speech.languages import code
from infra.speech.whisper_refusal import server_words

SILENCE = "[BLANK_AUDIO]"
"""What whisper.cpp writes where nobody speaks."""
FASTEST = 200
"""Characters that may be said in a second: several times what anybody can say, or a model repeats at its worst."""
AT_LEAST = 4000
"""Characters that are taken of any recording."""


def read_reply(body: bytes, *, seconds: float, model: str) -> Transcript:
    """The transcript in a server's answer about a recording of so many seconds. Raises SpeechUnavailable."""
    try:
        reply = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise SpeechUnavailable(
            "The speech server's answer is not JSON. Is WHISPER_URL the right server?"
        ) from None
    if not isinstance(reply, dict) or not isinstance(reply.get("text", reply.get("segments")), str | list):
        raise SpeechUnavailable(f"The speech server's answer is no transcript: {server_words(body)}.")
    said = transcript(reply, seconds=seconds, model=model)
    length = sum(len(segment.text) for segment in said.segments)
    if length > AT_LEAST + FASTEST * seconds:
        raise SpeechUnavailable(
            f"The speech server's answer is no transcript: {length:,} characters in {seconds:.0f} seconds of sound."
        )
    return said


def transcript(reply: dict[str, Any], *, seconds: float, model: str) -> Transcript:
    """What was said, whatever the reply holds: clean text, times in order and within the recording."""
    entries = _dicts(reply.get("segments")) or [{"text": reply.get("text")}]
    segments = sorted(_segments(entries, seconds), key=lambda segment: segment.start)
    loose = _words(_dicts(reply.get("words")), 0.0, seconds)
    return Transcript(tuple(_with_words(segments, loose)), code(reply.get("language")), seconds, model)


def _segments(entries: Sequence[dict[str, Any]], seconds: float) -> Iterator[Segment]:
    for entry in entries:
        text = _text(entry.get("text"))
        if not text or text == SILENCE:
            continue
        start = _time(entry.get("start"), 0.0, seconds, default=0.0)
        end = _time(entry.get("end"), start, seconds, default=seconds)
        words = _words(_dicts(entry.get("words")), start, end)
        logprob = _number(entry.get("avg_logprob"))
        speaker = _text(entry.get("speaker"))
        yield Segment(
            text=text,
            start=start,
            end=end,
            confidence=None if logprob is None else round(math.exp(min(0.0, logprob)), 4),
            words=words,
            speaker=speaker if speaker not in ("", "?") else None,
        )


def _words(entries: Sequence[dict[str, Any]], low: float, high: float) -> tuple[Word, ...]:
    """Words with times. Where some begin with a space, those that do not go on with the word before them."""
    spaced = any(str(entry.get("word", "")).startswith(" ") for entry in entries)
    words: list[Word] = []
    for entry in entries:
        if not (word := _word(entry, low, high)):
            continue
        if spaced and words and not entry["word"].startswith(" "):
            word = _joined(words.pop(), word)
        words.append(word)
    return tuple(sorted(words, key=lambda word: word.start))


def _word(entry: dict[str, Any], low: float, high: float) -> Word | None:
    text, probability = _text(entry.get("word")), _number(entry.get("probability"))
    if not text or _number(entry.get("start")) is None or _number(entry.get("end")) is None:
        return None
    start = _time(entry["start"], low, high, default=low)
    end = _time(entry["end"], start, high, default=high)
    return Word(text, start, end, None if probability is None else round(min(1.0, max(0.0, probability)), 4))


def _joined(first: Word, second: Word) -> Word:
    """One word of two pieces: as sure as the less sure of them."""
    known = [piece.confidence for piece in (first, second) if piece.confidence is not None]
    return Word(first.text + second.text, first.start, max(first.end, second.end), min(known, default=None))


def _with_words(segments: Sequence[Segment], words: Sequence[Word]) -> Iterator[Segment]:
    """Give each word of a list beside the segments to the one in which its middle lies."""
    starts = [segment.start for segment in segments]
    shares: list[list[Word]] = [[] for _ in segments]
    for word in words if segments else ():
        shares[max(0, bisect_right(starts, (word.start + word.end) / 2) - 1)].append(word)
    for segment, share in zip(segments, shares, strict=True):
        own = tuple(_within(segment, word) for word in share) or segment.words
        sure = _mean(own) if segment.confidence is None else segment.confidence
        yield msgspec.structs.replace(segment, words=own, confidence=sure)


def _within(segment: Segment, word: Word) -> Word:
    start = _time(word.start, segment.start, segment.end, default=segment.start)
    return msgspec.structs.replace(word, start=start, end=_time(word.end, start, segment.end, default=start))


def _mean(words: Sequence[Word]) -> float | None:
    known = [word.confidence for word in words if word.confidence is not None]
    return round(fmean(known), 4) if known else None


def _dicts(value: object) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value.replace("\0", "").strip() if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    """A finite number, also where it comes as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _time(value: object, low: float, high: float, *, default: float) -> float:
    """Seconds, to the millisecond, within bounds."""
    number = _number(value)
    return min(high, max(low, round(default if number is None else number, 3)))
