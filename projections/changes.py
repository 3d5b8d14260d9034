"""Row changes as values: what an event does to tables, and the tables themselves."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

CONSTRAINTS = re.compile(
    r"\s+(?:not null|null|default|generated|storage|collate|check|references|unique)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Table:
    """A table of a read model. `columns` maps names to SQL types (with defaults), `key` names the primary key.

    Columns with `generated always` are filled by Postgres. `indexes` are statements with `{table}` for the name. Lists
    are `jsonb`: rows travel as one array a column, and arrays of arrays do not.
    """

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    indexes: tuple[str, ...] = ()
    types: Mapping[str, str] = field(init=False)
    """The bare SQL type of each column: `uuid`, `double precision`, `halfvec(384)`."""

    def __post_init__(self) -> None:
        types = {name: CONSTRAINTS.split(sql, 1)[0] for name, sql in self.columns.items()}
        if lists := [name for name, sql in types.items() if sql.endswith("]")]:
            raise ValueError(f"{self.name}: {', '.join(lists)} cannot be an array; make it jsonb")
        object.__setattr__(self, "types", types)

    def definition(self, schema: str) -> str:
        """The statement that makes it, without its indexes."""
        lines = [f"{name} {sql}" for name, sql in self.columns.items()]
        lines.append(f"primary key ({', '.join(self.key)})")
        return f"create table {schema}.{self.name} ({', '.join(lines)})"

    def indexing(self, schema: str) -> list[str]:
        """The statements that index it: faster once a rebuild has filled it."""
        return [index.format(table=f"{schema}.{self.name}") for index in self.indexes]


class Change(msgspec.Struct, frozen=True, gc=False):
    """One change of one row; a `delete` may name only the first columns of the key, and means every such row."""

    kind: Literal["upsert", "patch", "increment", "delete"]
    table: Table
    key: tuple[Any, ...]
    values: Mapping[str, Any]


def upsert(table: Table, /, **values: Any) -> Change:
    """Make the row, or set these columns of it if it is there."""
    key = tuple([values.pop(name) for name in table.key])
    return Change("upsert", table, key, values)


def patch(table: Table, /, **values: Any) -> Change:
    """Set these columns of the row, if it is there."""
    key = tuple([values.pop(name) for name in table.key])
    return Change("patch", table, key, values)


def increment(table: Table, /, **values: Any) -> Change:
    """Add to these columns of the row, if it is there. Whole numbers: sums of fractions depend on the batches."""
    key = tuple([values.pop(name) for name in table.key])
    return Change("increment", table, key, values)


def delete(table: Table, /, **key: Any) -> Change:
    """Remove the row, or every row whose key begins so."""
    if tuple(key) != table.key[: len(key)] or not key:
        raise ValueError(
            f"{table.name}: delete by the first columns of its key {table.key}, not by {tuple(key)}"
        )
    return Change("delete", table, tuple(key.values()), {})
