"""The words of a question, and which of them lead to passages without looking at too many."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import asyncpg

from infra.retrieval.index import Index

STATEMENT = Path(__file__).with_name("words.sql").read_text()
LOOKED_AT = 3000
"""About so many passages are looked at for having any of the rarer words."""
MOST = range(3, 9)
"""Questions of so many words are also asked without any one of them; more would be too many combinations."""


class Words(NamedTuple):
    """What an index is asked, as text of a `tsquery`; None: nothing."""

    each: tuple[str, ...] = ()
    """The rarest first."""
    every: str | None = None
    most: str | None = None
    """All but one."""
    few: str | None = None
    """Any of the rarer ones: all of them, where there are not too many passages to look at."""

    @property
    def any(self) -> str | None:
        return " | ".join(self.each) or None


async def words_of(db: asyncpg.Connection, text: str, indexes: Sequence[Index]) -> tuple[Words, ...]:
    """The words of a text for each index; stop words are none."""
    schemas, tables = [each.schema for each in indexes], [each.table for each in indexes]
    rows = await db.fetch(STATEMENT, text.replace("\0", " "), schemas, tables)  # Postgres takes \0 in no text
    count = len(rows) // len(indexes)
    return tuple(
        words((row["word"], row["passages"]) for row in rows[n * count : (n + 1) * count])
        for n in range(len(indexes))
    )


def words(known: Iterable[tuple[str, float]]) -> Words:
    """From words, the rarest first, and about how many passages have each."""
    each, few, looked_at = [], [], 0.0
    for word, passages in known:
        each.append(word)
        looked_at += passages
        if looked_at <= LOOKED_AT:
            few.append(word)
    most = (
        [f"({' & '.join(some)})" for some in combinations(each, len(each) - 1)] if len(each) in MOST else []
    )
    return Words(
        each=tuple(each),
        every=" & ".join(each) or None,
        most=" | ".join(most) or None,
        few=" | ".join(few) or None,
    )
