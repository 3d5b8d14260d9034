"""What a projection is: a pure function from events to row changes, with its tables and a version."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from events.envelope import Event, Recorded
from projections.changes import Change, Table


@dataclass(frozen=True)
class Projection:
    """A read model of one stream, in the Postgres schema of its name.

    `rows` is pure. Where an event's rows need what a blob holds, `blob` gives the blob's key and `content` decodes its
    bytes; `rows` then gets the decoded content, or None when the blob was erased.
    """

    name: str
    version: int
    stream: str
    tables: tuple[Table, ...]
    rows: Callable[[Recorded[Any], Any], Iterable[Change]]
    blob: Callable[[Event], str | None] = lambda _: None
    content: Callable[[Event, bytes], Any] = lambda _, __: None

    @property
    def fingerprint(self) -> str:
        """Changes with the version or any table: the rows in the database are then of another shape."""
        shape = [str(self.version), *(line for table in self.tables for line in shape_of(table))]
        return hashlib.sha256("\n".join(shape).encode()).hexdigest()[:16]


def shape_of(table: Table) -> list[str]:
    """The statements that make a table, wherever it is."""
    return [table.definition("s"), *table.indexing("s")]
