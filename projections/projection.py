"""What a projection is: a pure function from events to row changes, with its tables and a version."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from events.envelope import Event, Recorded
from projections.changes import Change, Table
from projections.naming import OF_ALL, naming


@dataclass(frozen=True)
class Projection:
    """A read model of one stream, in the Postgres schema of its name.

    `rows` is pure. Where an event's rows need what a blob holds, `blob` gives the blob's key and `content` decodes its
    bytes; `rows` then gets the decoded content, or None when the blob was erased. `tables` are its own and those that
    every read model has.
    """

    name: str
    version: int
    stream: str
    tables: tuple[Table, ...]
    rows: Callable[[Recorded[Any], Any], Iterable[Change]]
    blob: Callable[[Event], str | None] = lambda _: None
    content: Callable[[Event, bytes], Any] = lambda _, __: None

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", (*(each for each in self.tables if each not in OF_ALL), *OF_ALL))

    def changes(self, recorded: Recorded[Any], content: Any) -> Iterator[Change]:
        """All that an event does to the tables."""
        yield from self.rows(recorded, content)
        yield from naming(recorded)

    @property
    def fingerprint(self) -> str:
        """Changes with the version or any table: the rows in the database are then of another shape."""
        shape = [str(self.version), *(line for table in self.tables for line in shape_of(table))]
        return hashlib.sha256("\n".join(shape).encode()).hexdigest()[:16]


def shape_of(table: Table) -> list[str]:
    """The statements that make a table, wherever it is."""
    return [table.definition("s"), *table.indexing("s")]
