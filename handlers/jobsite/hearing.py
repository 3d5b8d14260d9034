"""The spoken commands of a note, as a model that writes hears them: structured, and only what stands in the note."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

import msgspec

from events.jobsite import Place
from handlers.jobsite.grammar import understanding
from handlers.jobsite.grammar.dates import due_in
from handlers.jobsite.grammar.naming import titled
from handlers.jobsite.grammar.note import Note
from infra.extractive.numbers import tokens
from infra.generation import Generator, Turn
from infra.speech import Transcript
from infra.understanding import SpokenCommand, Understanding

AT_ONCE = 12_000
"""Characters of a note that a model reads at once."""
INSTRUCTIONS = """\
You find spoken commands in the transcript of a note that somebody recorded on a building site. There are four kinds:
- "job": says which job the note belongs to, such as "job Maple Street". text is the job's name.
- "builder": says which builder it is for, such as "builder Hendricks". text is the builder's name.
- "action_item": asks for something to be done, such as "action item, Mike to order forty sheets of drywall by Friday".
  text is what is to be done, owner is who shall do it or null, due is the date as YYYY-MM-DD or null.
- "note": tells the office something, such as "note to office, call the inspector". text is what the office must know.
Only what is said as a command counts. "Good job on the builder's work" is none. Do not invent anything.
quote is the whole command word by word as it stands in the transcript. Leave the list empty when there is none.
The note was recorded on {day}, {today}."""


class HeardCommand(msgspec.Struct, frozen=True, kw_only=True):
    """One command, in the words of a model."""

    kind: Literal["job", "builder", "action_item", "note"]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    owner: str | None = None
    due: str | None = None
    quote: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What a model answers."""

    commands: Annotated[list[HeardCommand], msgspec.Meta(max_length=100)]


async def by_model(transcript: Transcript, today: date, generator: Generator) -> Understanding:
    """What a note asks for. A command whose quote does not stand in the note is left out: nobody said it.

    Raises `GenerationUnavailable`, `GenerationFailed`.
    """
    note = Note(transcript.segments)
    system = INSTRUCTIONS.format(day=f"{today:%A}", today=today.isoformat())
    found: list[SpokenCommand] = []
    for first, last in _parts(note):
        turns = (Turn("system", system), Turn("user", note.text[first:last]))
        heard, _ = await generator.structured(turns, Heard)
        for each in heard.commands:
            told = _told(note, each, (first, last), today)
            if told and not any(_overlap(told.place, other.place) for other in found):
                found.append(told)
    return understanding(transcript, note.text, found, f"model:{generator.model}")


def _parts(note: Note) -> Iterator[tuple[int, int]]:
    """Stretches of whole sentences that can be read at once."""
    first = last = 0
    for sentence in note.sentences:
        begin, end = note.span(sentence.first, sentence.after)
        if last > first and end - first > AT_ONCE:
            yield first, last
            first = begin
        last = end
    if last > first:
        yield first, min(len(note.text), last + 1)


def _overlap(one: Place, other: Place) -> bool:
    return one.start_char < other.end_char and other.start_char < one.end_char


def _told(note: Note, heard: HeardCommand, part: tuple[int, int], today: date) -> SpokenCommand | None:
    first, last = part
    words = re.findall(r"\w+", heard.quote)
    pattern = r"\W+".join(map(re.escape, words))
    place = re.search(rf"\b{pattern}\b", note.text[first:last], re.IGNORECASE) if words else None
    if place is None:
        return None
    start, end = first + place.start(), first + place.end()
    began, ended = note.times(start, end)
    text = " ".join(heard.text.split()).strip(" .,;:")
    if not text:
        return None
    return SpokenCommand(
        kind=heard.kind,
        text=titled(text) if heard.kind in {"job", "builder"} else text[:1].upper() + text[1:],
        owner=heard.owner.strip() or None if heard.owner else None,
        due=_due(heard.due, today) if heard.kind == "action_item" else None,
        quote=note.text[start:end],
        place=Place(start_char=start, end_char=end, start=began, end=ended),
    )


def _due(said: str | None, today: date) -> date | None:
    if not said:
        return None
    try:
        return date.fromisoformat(said.strip())
    except ValueError:
        due = due_in(tokens(f"by {said}"), today)
        return due.on if due else None
