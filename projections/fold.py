"""Folding: any number of row changes become at most one delete, update and upsert a row, with the same result.

The order of statements that makes it exact: sweeps (deletes by the first columns of a key), deletes, updates of rows
as they were before an upsert, upserts, updates after. An update before an upsert matters only if the row was there.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from projections.changes import Change, Table

Key = tuple[Any, ...]


@dataclass(slots=True)
class Update:
    """Columns set and columns added to, of a row that is there."""

    set: dict[str, Any] = field(default_factory=dict)
    add: dict[str, Any] = field(default_factory=dict)

    def put(self, values: Any) -> None:
        self.set.update(values)
        for name in values:
            self.add.pop(name, None)

    def increase(self, values: Any) -> None:
        for name, amount in values.items():
            target = self.set if name in self.set else self.add
            target[name] = target.get(name, 0) + amount


@dataclass(slots=True)
class Row:
    """What a batch does to one row."""

    deleted: bool = False
    before: Update = field(default_factory=Update)
    upsert: dict[str, Any] | None = None
    after: Update = field(default_factory=Update)

    def apply(self, change: Change) -> None:
        if change.kind == "delete":
            self.deleted, self.before, self.upsert, self.after = True, Update(), None, Update()
        elif self.upsert is not None:
            self._change_made(self.upsert, change)
        elif change.kind == "upsert":
            self.upsert = dict(change.values)
        elif self.deleted:
            return
        elif change.kind == "patch":
            self.before.put(change.values)
        else:
            self.before.increase(change.values)

    def _change_made(self, made: dict[str, Any], change: Change) -> None:
        """Change a row that this batch has made or set already: it is there for certain."""
        if change.kind == "increment":
            for name, amount in change.values.items():
                if name in made:
                    made[name] += amount
                else:
                    self.after.increase({name: amount})
            return
        made.update(change.values)
        for name in change.values:
            self.after.add.pop(name, None)


@dataclass(slots=True)
class Folded:
    """What a batch does to one table: whole groups of rows that go first, then the rows."""

    table: Table
    sweeps: dict[Key, None] = field(default_factory=dict)
    rows: dict[Key, Row] = field(default_factory=dict)

    def apply(self, change: Change) -> None:
        if len(change.key) == len(self.table.key):
            row = self.rows.get(change.key)
            if row is None:
                row = self.rows[change.key] = Row(deleted=self._swept(change.key))
            row.apply(change)
            return
        self.sweeps[change.key] = None
        reach = len(change.key)
        for key in [key for key in self.rows if key[:reach] == change.key]:
            del self.rows[key]

    def _swept(self, key: Key) -> bool:
        return any(key[:reach] in self.sweeps for reach in range(1, len(key))) if self.sweeps else False


def fold(changes: Iterable[Change]) -> dict[str, Folded]:
    """Fold changes, in their order, by table."""
    tables: dict[str, Folded] = {}
    for change in changes:
        folded = tables.get(change.table.name)
        if folded is None:
            folded = tables[change.table.name] = Folded(change.table)
        folded.apply(change)
    return tables
