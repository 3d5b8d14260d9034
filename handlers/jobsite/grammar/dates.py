"""Dates as they are spoken: `by Friday`, `due in two weeks`, `before the end of the month`, seen from a day."""

import calendar
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from infra.extractive.numbers import Token, number_at

DAYS = {name.lower(): n for n, name in enumerate(calendar.day_name)}
MONTHS = {name.lower(): n for n, name in enumerate(calendar.month_name) if name}
MONTHS |= {name.lower(): n for n, name in enumerate(calendar.month_abbr) if name}
ORDINALS = {
    word: n
    for n, word in enumerate(
        (
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
            "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
        ).split(),
        start=1,
    )
} | {"thirtieth": 30}
UNITS = {"day": 1, "days": 1, "week": 7, "weeks": 7}
LEADS = "due by|due on|due in|due|no later than|not later than|by|before|until|on|within|in".split("|")
"""What leads to a date; the longer ones first."""


class Due(NamedTuple):
    """A date, and the tokens that say it."""

    on: date
    first: int
    after: int


def due_in(words: Sequence[Token], today: date) -> Due | None:
    """The last date that a text gives for something to be done."""
    found = [due for at in range(len(words)) if (due := due_at(words, at, today))]
    return max(found, key=lambda due: (due.after, -due.first)) if found else None


def due_at(words: Sequence[Token], at: int, today: date) -> Due | None:
    """The date that is said from a token on, with the word that leads to it; `today` and `tomorrow` need none."""
    low = [word.low for word in words[at : at + 10]]
    for lead in (each.split() for each in LEADS):
        spans = lead[-1] in {"in", "within", "due"}
        if low[: len(lead)] == lead and (said := _day(words, at + len(lead), today, spans=spans)):
            return Due(said[0], at, said[1])
    if low and low[0] in {"today", "tonight", "tomorrow"}:
        on, after = _day(words, at, today, spans=False) or (today, at + 1)
        return Due(on, at, after)
    return None


def _day(words: Sequence[Token], at: int, today: date, *, spans: bool) -> tuple[date, int] | None:
    low = [word.low for word in words[at : at + 8]] + [""] * 8
    match low[:6]:
        case ["today" | "tonight", *_]:
            return today, at + 1
        case ["tomorrow", *_]:
            return today + timedelta(1), at + 1
        case ["the", "day", "after", "tomorrow", *_]:
            return today + timedelta(2), at + 4
        case ["the" | "this", "end", "of", *_]:
            return _end(low, at, 3, today)
        case ["end", "of", *_]:
            return _end(low, at, 2, today)
        case ["next", "week", *_]:
            return _friday(today) + timedelta(7), at + 2
        case ["this", "week", *_]:
            return _friday(today), at + 2
        case ["next", day, *_] if day in DAYS:
            monday = today - timedelta(today.weekday())
            return monday + timedelta(7 + DAYS[day]), at + 2
        case ["this" | "coming", day, *_] if day in DAYS:
            return _coming(today, DAYS[day]), at + 2
        case [day, *_] if day in DAYS:
            return _coming(today, DAYS[day]), at + 1
    return _calendar(words, at, today) or (_span(words, at, today) if spans else None)


def _coming(today: date, weekday: int) -> date:
    """The next such day after today."""
    return today + timedelta((weekday - today.weekday() - 1) % 7 + 1)


def _friday(today: date) -> date:
    return today - timedelta(today.weekday()) + timedelta(4)


def _end(low: Sequence[str], at: int, skip: int, today: date) -> tuple[date, int] | None:
    """`end of the week` is its Friday, `end of the month` its last day."""
    words = list(low[skip:])
    taken = skip
    ahead = 0
    while words and words[0] in {"the", "this", "next"}:
        ahead += words.pop(0) == "next"
        taken += 1
    match words[:1]:
        case ["week"]:
            return _friday(today) + timedelta(7 * ahead), at + taken + 1
        case ["month"]:
            year, month = divmod(today.year * 12 + today.month - 1 + ahead, 12)
            return date(year, month + 1, calendar.monthrange(year, month + 1)[1]), at + taken + 1
        case ["day" | "today"]:
            return today, at + taken + 1
    return None


def _span(words: Sequence[Token], at: int, today: date) -> tuple[date, int] | None:
    """`two weeks`, `a week`, `a couple of days`."""
    low = [word.low for word in words[at : at + 4]] + [""] * 4
    if low[:3] == ["a", "couple", "of"]:
        amount, after = 2.0, at + 3
    elif low[0] in {"a", "one"}:
        amount, after = 1.0, at + 1
    elif at < len(words) and (number := number_at(words, at)):
        amount, after = number.value, number.after
    else:
        return None
    unit = words[after].low if after < len(words) else ""
    if unit in UNITS and 0 < amount <= 1000:
        return today + timedelta(round(amount * UNITS[unit])), after + 1
    if unit in {"month", "months"} and 0 < amount <= 120:
        year, month = divmod(today.year * 12 + today.month - 1 + round(amount), 12)
        return date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1])), after + 1
    return None


def _calendar(words: Sequence[Token], at: int, today: date) -> tuple[date, int] | None:
    """`December 3rd`, `the third of December`, `the 15th`, `2026-12-01`, `12/15`."""
    low = [word.low for word in words[at : at + 8]] + [""] * 8
    if low[0].isdecimal() and low[1] == low[3] == "-" and low[2].isdecimal() and low[4].isdecimal():
        return _date(int(low[0]), int(low[2]), int(low[4]), at + 5)
    if "/" in low[0] and words[at].kind == "number":
        first, _, second = low[0].partition("/")
        return _next(today, int(first), int(second), at + 1)
    if low[0] in MONTHS:
        skip = 2 if low[1] == "the" else 1
        day = _ordinal(words, at + skip, bare=True)
        return _next(today, MONTHS[low[0]], day[0], day[1]) if day else None
    the = low[0] == "the"
    day = _ordinal(words, at + the, bare=not the)
    if day is None:
        return None
    rest = [word.low for word in words[day[1] : day[1] + 2]] + [""] * 2
    if rest[0] in MONTHS:
        return _next(today, MONTHS[rest[0]], day[0], day[1] + 1)
    if rest[0] == "of" and rest[1] in MONTHS:
        return _next(today, MONTHS[rest[1]], day[0], day[1] + 2)
    return _this_month(today, day[0], day[1]) if the else None


def _ordinal(words: Sequence[Token], at: int, *, bare: bool) -> tuple[int, int] | None:
    """`15th`, `fifteenth`, `twenty first`; with `bare` also `15` and `fifteen`."""
    if at >= len(words):
        return None
    low = words[at].low
    following = words[at + 1].low if at + 1 < len(words) else ""
    if low in {"twenty", "thirty"}:
        after = at + 2 if following != "-" else at + 3
        last = words[after - 1].low if after <= len(words) else ""
        if last in ORDINALS and ORDINALS[last] < 10:
            return {"twenty": 20, "thirty": 30}[low] + ORDINALS[last], after
    if low in ORDINALS:
        return ORDINALS[low], at + 1
    if low.isdecimal() and following in {"st", "nd", "rd", "th"}:
        return int(low), at + 2
    number = number_at(words, at) if bare else None
    return (int(number.value), number.after) if number and 1 <= number.value <= 31 else None


def _this_month(today: date, day: int, after: int) -> tuple[date, int] | None:
    month = today.month if day > today.day else today.month % 12 + 1
    return _next(today, month, day, after)


def _next(today: date, month: int, day: int, after: int) -> tuple[date, int] | None:
    """That day of the year, this year or, when it has been, the next."""
    this = _date(today.year, month, day, after)
    return this if this and this[0] >= today else _date(today.year + 1, month, day, after)


def _date(year: int, month: int, day: int, after: int) -> tuple[date, int] | None:
    try:
        return date(year, month, day), after
    except ValueError:
        return None
