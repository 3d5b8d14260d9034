"""What is looked up before a search: how much is in scope, and how frequent the words of the question are.

By that, each index is asked in its own way; one statement for all ways would be planned longer than it runs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from infra.retrieval.asked import Query, Target
from infra.retrieval.scoping import condition
from infra.retrieval.words import Words, words_of

SIZE = "(select count(*)::int from (select from {table} c where {scope} limit {most}) as counted)"


class Part(NamedTuple):
    """A target as it is to be asked."""

    number: int
    """Its place among the targets, by which hits name it."""
    target: Target
    rows: int
    """In scope, counted up to a limit."""
    words: Words


async def survey(
    db: asyncpg.Connection, targets: Sequence[Target], query: Query, *, most: int
) -> tuple[Part, ...]:
    """A part for each target; rows are counted up to `most`."""
    values: list[object] = []
    sizes = [
        SIZE.format(
            table=f"{target.index.schema}.{target.index.table}",
            scope=condition(query.scope, target, values),
            most=most,
        )
        for target in targets
    ]
    rows = await db.fetchval(f"select array[{', '.join(sizes)}]", *values)
    words = await words_of(db, query.text, [target.index for target in targets])
    return tuple(
        Part(number, target, size, said)
        for number, (target, size, said) in enumerate(zip(targets, rows, words, strict=True))
    )
