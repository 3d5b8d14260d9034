"""Where read models hold something of an aggregate: told by the names of their columns."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from projections.changes import Table
from projections.naming import TOMBSTONES
from projections.projection import Projection

OWN = "id"
"""The column with the aggregate's own id, in the tables of its context."""
OF_ANY = ("source_id", "source")
"""Columns with the id of whatever something was made of or is about."""


@dataclass(frozen=True)
class Place:
    """A column of a table of a read model that holds the ids of aggregates of one kind."""

    projection: str
    name: str
    column: str
    vectors: bool = False
    condition: str = "true"
    """SQL: which of its rows belong to the aggregate and must go with it."""

    @property
    def table(self) -> str:
        return f"{self.projection}.{self.name}"

    @property
    def kind(self) -> Literal["rows", "vectors"]:
        return "vectors" if self.vectors else "rows"

    @property
    def statement(self) -> str:
        """How many rows are left of the aggregate whose id is the parameter."""
        return f"select count(*) from {self.table} where {self.column} = $1 and ({self.condition})"  # noqa: S608


def places_of(
    kind: str, projections: Iterable[Projection], conditions: Mapping[str, str]
) -> tuple[Place, ...]:
    """Every column that may hold the id of an aggregate of this kind (`jobsite.session`).

    `conditions` are of columns (`jobsite.history.id`) some rows of which outlive what they are about.
    """
    context, _, aggregate = kind.partition(".")
    return tuple(
        Place(
            projection.name,
            table.name,
            column,
            vectors=any(sql.startswith(("vector", "halfvec")) for sql in table.types.values()),
            condition=conditions.get(f"{projection.name}.{table.name}.{column}", "true"),
        )
        for projection in projections
        for table in projection.tables
        if table is not TOMBSTONES
        for column in _columns(table, aggregate, own=projection.name == context)
    )


def _columns(table: Table, aggregate: str, *, own: bool) -> Iterator[str]:
    names = (f"{aggregate}_id", *OF_ANY, *((OWN,) if own else ()))
    yield from (name for name in names if table.types.get(name) == "uuid")
