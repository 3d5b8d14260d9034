"""The spoken grammar: what is said to Headwater among what is said to people. `infra/docs/SPOKEN.md` describes it."""

import re
from collections.abc import Iterable
from datetime import date

from handlers.jobsite.grammar.note import Note
from handlers.jobsite.grammar.reading import commands
from handlers.jobsite.grammar.vocabulary import FILLERS
from infra.speech import Transcript
from infra.understanding import SpokenCommand, Understanding

MARKS = " \t\n.,;:!?"
LINKS = FILLERS | {"for", "with", "the", "at", "on", "is", "this"}
"""What is left between two commands, and says nothing by itself."""


def by_grammar(transcript: Transcript, today: date) -> Understanding:
    """What a note asks for; `today` is the day it was recorded, from which dates are counted."""
    note = Note(transcript.segments)
    return understanding(transcript, note.text, commands(note, today), "grammar")


def understanding(
    transcript: Transcript, text: str, found: Iterable[SpokenCommand], method: str
) -> Understanding:
    """The note without its commands. `text` is the transcript's full text, which the commands' places count in."""
    ordered = tuple(sorted(found, key=lambda each: each.place.start_char))
    kept = tuple(_rest(text, [(each.place.start_char, each.place.end_char) for each in ordered]))
    return Understanding(
        transcript=transcript,
        commands=ordered,
        kept=kept,
        text="\n".join(text[first:last] for first, last in kept),
        method=method,
    )


def _rest(text: str, cut: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """What is left between the cuts, without marks that have lost their sentence."""
    at = 0
    for first, last in [*cut, (len(text), len(text))]:
        begin = at
        if begin:
            while begin < first and text[begin] in MARKS:
                begin += 1
        piece = text[begin:first].rstrip(" \t\n,;:")
        if not set(re.findall(r"[\w']+", piece.lower())) <= LINKS:
            yield begin, begin + len(piece)
        at = max(at, last)
