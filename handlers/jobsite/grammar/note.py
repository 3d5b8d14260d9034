"""A note as words: which sentence each belongs to, and where a command may begin."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from handlers.jobsite.grammar.vocabulary import FILLERS, INTRODUCTIONS
from infra.chunking import full_text, segment_spans
from infra.chunking.transcript import Timeline
from infra.extractive.numbers import Token, tokens
from infra.extractive.sentences import sentences_of_transcript
from infra.speech import Segment


class Sentence(NamedTuple):
    """The words of a sentence, by their numbers; behind its last word `after`."""

    first: int
    after: int
    cased: bool
    """Whether names can be told by their capitals."""


class Note:
    """The full text of a transcript, its words, and when they were said."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.text = full_text(segments)
        self.words: list[Token] = tokens(self.text)
        self._timeline = Timeline(segments, segment_spans(segments)) if segments else None
        starts = [word.first for word in self.words]
        self.sentences: list[Sentence] = []
        for each in sentences_of_transcript(segments):
            first, after = bisect_right(starts, each.start_char - 1), bisect_right(starts, each.end_char - 1)
            if first < after:
                self.sentences.append(Sentence(first, after, self._cased(first, after)))

    def _cased(self, first: int, after: int) -> bool:
        inner = [word.text for word in self.words[first + 1 : after] if word.text not in {"I", "OK"}]
        return any(text[:1].isupper() and not text.startswith("I'") for text in inner)

    def low(self, at: int) -> str:
        return self.words[at].low if 0 <= at < len(self.words) else ""

    def says(self, at: int, *texts: str) -> bool:
        return all(self.low(at + n) == text for n, text in enumerate(texts))

    def is_mark(self, at: int) -> bool:
        return at < len(self.words) and self.words[at].kind == "mark"

    def over_marks(self, at: int, after: int, *, fillers: bool = False) -> int:
        """The next word that is neither a mark nor, when asked so, a filler."""
        while at < after and (self.is_mark(at) or (fillers and self.low(at) in FILLERS)):
            at += 1
        return at

    def heads(self, sentence: Sentence) -> list[int]:
        """Where a command may begin: after fillers, and after what introduces one."""
        at = self.over_marks(sentence.first, sentence.after, fillers=True)
        introduced = [at + len(each) for each in INTRODUCTIONS if self.says(at, *each)]
        return [at, *introduced]

    def said(self, first: int, after: int) -> int:
        """How many words these are to the ear: what is written together, as `4B-12C`, is one."""
        return 1 + sum(not self.glued(at) for at in range(first + 1, after))

    def glued(self, at: int) -> bool:
        """Whether a word is written together with the one before it."""
        return 0 < at < len(self.words) and self.words[at - 1].last == self.words[at].first

    def span(self, first: int, after: int) -> tuple[int, int]:
        """The characters of some words."""
        return self.words[first].first, self.words[after - 1].last

    def times(self, first: int, last: int) -> tuple[float, float]:
        """When these characters were said, in seconds."""
        if self._timeline is None or first >= last:
            return 0.0, 0.0
        return round(self._timeline.start(first), 2), round(self._timeline.end(last), 2)
