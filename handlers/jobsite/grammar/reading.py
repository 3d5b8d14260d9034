"""The spoken commands of a note, found by a grammar that would rather miss one than make one up."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from events.jobsite import Place
from handlers.jobsite.grammar.asking import asked
from handlers.jobsite.grammar.dates import due_at
from handlers.jobsite.grammar.naming import name_at, titled
from handlers.jobsite.grammar.note import Note, Sentence
from handlers.jobsite.grammar.vocabulary import (
    CLAUSES,
    ENDS,
    FILLERS,
    JOINTS,
    NOT_AFTER_ITEM,
    NOT_BEFORE,
)
from infra.extractive.numbers import number_at
from infra.understanding import CommandKind, SpokenCommand

MARKS = frozenset(".,:;!?")
LONGEST = 60
"""Words of an action item or a note to the office."""
NAMES: tuple[tuple[CommandKind, tuple[str, ...]], ...] = (
    ("action_item", ("action", "item")),
    ("note", ("note", "to", "office")),
    ("note", ("note", "to", "the", "office")),
    ("note", ("note", "for", "office")),
    ("note", ("note", "for", "the", "office")),
    ("note", ("office", "note")),
    ("job", ("job",)),
    ("builder", ("builder",)),
)


class _Found(NamedTuple):
    kind: CommandKind
    first: int
    """The first word that is no part of the note any more."""
    text: int
    after: int
    """The words of its text: from `text` to before `after`."""
    over: int = 0
    """Where the note goes on, when words that say that it is over stand between."""


def commands(note: Note, today: date) -> list[SpokenCommand]:
    """In the order in which they are said."""
    return [_told(note, each, today) for each in _found(note)]


def _found(note: Note) -> Iterator[_Found]:
    done = 0
    for n, sentence in enumerate(note.sentences):
        at, chained = max(sentence.first, done), False
        heads = note.heads(sentence)
        while at < sentence.after:
            found = _at(note, at, n, head=chained or at in heads)
            if found is None:
                chained = chained and (note.is_mark(at) or note.low(at) in FILLERS | {"for", "with", "the"})
                at += 1
                continue
            begins = sentence.first if at in heads else at
            yield found._replace(first=max(begins, done))
            at = done = max(found.after, found.over)
            chained = True


def _at(note: Note, at: int, n: int, *, head: bool) -> _Found | None:
    """The command whose name begins at a word."""
    named = next((each for each in NAMES if note.says(at, *each[1])), None)
    if named is None:
        return None
    kind, name = named
    after = at + len(name)
    if kind in {"job", "builder"}:
        return _naming(note, kind, at, after, n, head=head)
    ordinary = note.low(at - 1) in NOT_BEFORE and not head
    if ordinary or (kind == "action_item" and note.low(after) in NOT_AFTER_ITEM):
        return None
    return _asking(note, kind, at, after, n)


def _naming(note: Note, kind: CommandKind, at: int, after: int, n: int, *, head: bool) -> _Found | None:
    sentence = note.sentences[n]
    if not (head or note.low(at - 1) in {",", ";", ":"}) and not _chained(note, after, sentence):
        return None
    first = note.over_marks(after, sentence.after)
    if first >= sentence.after and n + 1 < len(note.sentences) and head:
        sentence = note.sentences[n + 1]  # `Job. Maple Street.`
        first = sentence.first
        sentence = sentence._replace(cased=sentence.cased or note.words[first].text[:1].isupper())
        name = name_at(note, first, sentence)
        whole = name and note.over_marks(name[1], sentence.after) == sentence.after
        return _Found(kind, at, *name) if name and whole else None
    name = name_at(note, first, sentence)
    return _Found(kind, at, *name) if name else None


def _chained(note: Note, after: int, sentence: Sentence) -> bool:
    """Whether a name follows and another command right behind it: `… job maple street builder hendricks …`."""
    name = name_at(note, note.over_marks(after, sentence.after), sentence)
    behind = note.over_marks(name[1], sentence.after, fillers=True) if name else sentence.after
    return any(note.says(behind, *each) for _, each in NAMES)


def _asking(note: Note, kind: CommandKind, at: int, after: int, n: int) -> _Found | None:
    sentence = note.sentences[n]
    first = _numbered(note, note.over_marks(after, sentence.after, fillers=True), sentence)
    if first >= sentence.after:  # `Action item. Order drywall.`
        if n + 1 >= len(note.sentences):
            return None
        sentence = note.sentences[n + 1]
        first = note.over_marks(sentence.first, sentence.after, fillers=True)
    end = _end(note, kind, first, sentence)
    return _Found(kind, at, first, end, _over(note, end)) if end > first else None


def _numbered(note: Note, at: int, sentence: Sentence) -> int:
    """Behind `number two` or `two:`, which tell one item from another."""
    begin = at + 1 if note.low(at) == "number" else at
    number = number_at(note.words[: sentence.after], begin) if begin < sentence.after else None
    if number is None:
        return at
    ended = number.after < sentence.after and note.words[number.after].text in MARKS
    return note.over_marks(number.after, sentence.after) if ended or begin > at else at


def _over(note: Note, end: int) -> int:
    """Behind `end of item`, where that is said."""
    at = note.over_marks(end, len(note.words))
    return next((at + len(each) for each in ENDS if note.says(at, *each)), end)


def _end(note: Note, kind: CommandKind, first: int, sentence: Sentence) -> int:
    """Where it ends: with its sentence, at another command, when the speaker says so, or when a date has been given
    and something else begins."""
    at = first
    today = date(2000, 1, 1)
    while at < min(sentence.after, first + LONGEST):
        if at > first and (_begins(note, at, sentence) or any(note.says(at, *each) for each in ENDS)):
            return at
        due = due_at(note.words[: sentence.after], at, today) if kind == "action_item" else None
        if due and due.after < sentence.after and _elsewhere(note, due.after, sentence) and at > first:
            return due.after
        at += 1
    return at


def _elsewhere(note: Note, at: int, sentence: Sentence) -> bool:
    """Whether something else begins at a word. An `and` goes on, also where no marks are written, unless what begins
    something else follows it."""
    word = note.low(at)
    if word in JOINTS:
        return not _written(note, sentence) and (word != "and" or note.low(at + 1) in CLAUSES)
    return word in CLAUSES


def _written(note: Note, sentence: Sentence) -> bool:
    """Whether the sentence has marks."""
    return any(note.words[at].text in MARKS for at in range(sentence.first, sentence.after))


def _begins(note: Note, at: int, sentence: Sentence) -> bool:
    if note.says(at, "action", "item") or any(note.says(at, *each) for kind, each in NAMES if kind == "note"):
        return note.low(at - 1) not in NOT_BEFORE
    named = note.low(at) in {"job", "builder"} and note.is_mark(at - 1)
    return named and name_at(note, at + 1, sentence) is not None


def _told(note: Note, found: _Found, today: date) -> SpokenCommand:
    words = note.words[found.text : found.after]
    first, last = note.span(found.first, max(found.after, found.over))
    start, end = note.times(first, last)
    text, owner, due = note.text[words[0].first : words[-1].last], None, None
    if found.kind in {"job", "builder"}:
        text = titled(text)
    else:
        said = asked(words, note.text, today)
        if found.kind == "action_item":
            text, owner, due = said
        else:
            text = " ".join(text.split())
            text = text[:1].upper() + text[1:]
    return SpokenCommand(
        kind=found.kind,
        text=text.strip(" .,;:"),
        owner=owner,
        due=due,
        quote=note.text[first:last],
        place=Place(start_char=first, end_char=last, start=start, end=end),
    )
